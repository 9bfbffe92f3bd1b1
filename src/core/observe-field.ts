import { equalJson, type Json } from './canonical-json';
import { explain, freezeUnreadable, type Draft } from './draft';
import { foreignView, liftFailure, unrelated } from './foreign-view';
import { fieldOf, type Operation, type View } from './link';
import type { FieldReading } from './mapping';
import { deltaOf, unionOf } from './merge-values';
import { olderView } from './older-row';
import { noteUnseen } from './overwritten';
import { isOverruled } from './overruled';
import type { Authority, Nulls } from './policy';
import type { RecordChange } from './record-change';
import { isMisaimed } from './references';
import { counterOf, increment, join, NOTHING_SEEN } from './version-vector';
import { forgetLosers } from './withdrawn';

/** How many fields the change has changed. */
export interface Counts {
	foreign: number;
	/** Names of those among them that come to nothing, see `isOverruled`. */
	readonly overruled: string[];
	residual: number;
}

/** One change, while it is folded into a link. */
export interface Step {
	readonly change: RecordChange;
	readonly op: Operation | null;
	readonly counts: Counts;
	/** See `isOlderRow`. */
	readonly isOlder: boolean;
}

export interface FieldStep extends Step {
	readonly name: string;
	readonly reading: FieldReading;
	readonly isNewRow: boolean;
	/** Unless we wrote the field, it holds what its column holds by default: our write has made the row, or the part's row. */
	readonly isDefault: boolean;
	/** See `isShownField`. */
	readonly isShown: boolean;
	readonly authority: Authority | undefined;
	readonly nulls: Nulls;
}

/** R1 for one field. */
export function observeField(draft: Draft, step: FieldStep): void {
	const { name, reading, change, op } = step;
	const { system } = change;
	const field = fieldOf(draft.state, name);
	const view = field.views[system];
	const sent = valueOf(reading, view);
	if (sent === null) return;
	if (sent.unreadable !== undefined) {
		observeUnreadable(draft, step, sent);
		return;
	}
	const before = step.isNewRow ? undefined : view;
	if (op?.fields[name] !== undefined) {
		observeWritten(draft, step, sent);
	} else if (step.isDefault) {
		field.views[system] = defaultView(view, sent);
	} else if (before && isSameValue(before, sent) && !isRecounted(step)) {
		field.views[system] = { ...before, raw: sent.raw }; // Another spelling of the same value is no change.
	} else if (view && step.isOlder) {
		observeOlder(draft, step, { view, sent });
	} else if (before && sent.canon === null && step.nulls !== 'clear') {
		observeEmptied(draft, step, { view: before, raw: sent.raw });
	} else {
		observeForeign(draft, step, { view, sent });
	}
}

/** What our insert left out holds the column's default. The vector stays, for vectors never go back. */
function defaultView(view: View | undefined, { raw, canon }: Sent): View {
	return { raw, canon, vector: view?.vector ?? NOTHING_SEEN, defaulted: true };
}

function observeForeign(draft: Draft, { name, change, counts, authority }: FieldStep, { view, sent }: { view: View | undefined; sent: Sent }): void {
	fieldOf(draft.state, name).views[change.system] = foreignView(view, sent, change);
	counts.foreign += 1;
	if (isOverruled(draft.state, authority, change.system)) counts.overruled.push(name);
	liftFailure(draft, name);
}

/** A value of a row that may be older: what it lacks is not undone, and an edit of it has not seen that. */
function observeOlder(draft: Draft, step: FieldStep, { view, sent }: { view: View; sent: Sent }): void {
	const { name, change } = step;
	const { system } = change;
	if (!step.isShown) return observeForeign(draft, step, { view: unrelated(view, system), sent });
	fieldOf(draft.state, name).views[system] = olderView(view, sent, system);
	explain(draft, 'restored', { field: name, system, detail: { had: view.canon, has: sent.canon } });
}

const isRecounted = ({ name, change: { recounted } }: FieldStep): boolean => recounted?.includes(name) === true;

function isSameValue(view: View, sent: Sent): boolean {
	return view.unreadable === undefined && equalJson(view.canon, sent.canon);
}

/**
 * An emptied field, where null says nothing: it is no change, and whoever changes the field
 * elsewhere has not been contradicted. It stays empty, or is filled again.
 */
function observeEmptied(draft: Draft, { name, change: { system }, nulls }: FieldStep, { view, raw }: { view: View; raw: Json }): void {
	const field = fieldOf(draft.state, name);
	const { accepted: _before, ...rest } = view;
	field.views[system] = { ...rest, raw, canon: null, ...(nulls === 'ignore' ? { accepted: true } : {}) };
	explain(draft, 'ignored', { field: name, system, detail: { rule: `nulls(${nulls})`, view: null, merged: field.merged?.canon ?? null } });
}

/** A field that our applied operation wrote: it settles, or the target made something else of it. */
function observeWritten(
	draft: Draft,
	{ name, change, op, counts, authority }: FieldStep,
	sent: { raw: Json; canon: Json },
): void {
	const written = op?.fields[name];
	if (written === undefined) return;
	const { system } = change;
	const field = fieldOf(draft.state, name);
	const { views } = field;
	const view = views[system];
	const before = view?.vector ?? NOTHING_SEEN;
	const conferred = join(written.vector, before);
	const { raw, canon } = sent;
	const base = view ? baseAfter(view, written.canon, authority) : written.canon;
	if (counterOf(before, system) > counterOf(written.vector, system)) noteUnseen(draft, op, { name, change, view, authority });
	if (equalJson(canon, written.canon)) {
		views[system] = { raw, canon, vector: conferred, base };
		forgetLosers(field);
		return;
	}
	if (isMisaimed(written, sent)) {
		// It has not got our value, so it has not seen it: what it should have stands, and is written again.
		views[system] = { raw, canon, vector: before, ...(view?.base === undefined ? {} : { base: view.base }) };
		explain(draft, 'misdirected', { field: name, system, detail: { op: op?.id ?? null, wrote: written.canon, found: canon } });
		return;
	}
	const vector = increment(conferred, system);
	views[system] = { raw, canon, vector, base, residual: true, atMs: change.tsMs };
	counts.residual += 1;
	explain(draft, 'residual', { field: name, system, detail: { wrote: written.canon, found: canon } });
}

/**
 * What of the view the merged version contains once our write is in it. Mostly that is what we
 * wrote. But a user may have added something and taken it away again before the write came, and
 * the merged version have heard of the first only: where values are added up or joined, the
 * base must move by what our write changed, or the second would be forgotten.
 */
function baseAfter({ base, canon }: View, written: Json, authority: Authority | undefined): Json {
	if (base === undefined || equalJson(base, canon) || authority?.kind !== 'shared') return written;
	const combine = { delta: deltaOf, union: unionOf }[String(authority.resolve.kind)];
	const moved = combine?.(base, written, canon);
	return moved?.ok ? moved.canon : written;
}

/** Keeps what cannot be read as it is; the field waits for a person or a readable value. */
function observeUnreadable(draft: Draft, { name, change, op, counts }: FieldStep, sent: Sent): void {
	const { system } = change;
	const field = fieldOf(draft.state, name);
	const view = field.views[system];
	if (view !== undefined && equalJson(view.raw, sent.raw) && view.unreadable !== undefined) return;
	const reason = sent.unreadable ?? '';
	const { vector = NOTHING_SEEN } = op?.fields[name] ?? {}; // A target that makes this of our value has seen ours.
	const canon = view?.canon ?? null;
	const before = { raw: sent.raw, canon, vector: join(view?.vector ?? NOTHING_SEEN, vector) };
	liftFailure(draft, name);
	field.views[system] = {
		...foreignView(view ? { ...view, ...before } : before, { raw: sent.raw, canon }, change),
		unreadable: reason,
	};
	counts.foreign += 1;
	freezeUnreadable(draft, { field: name, system, reason });
}

interface Sent {
	readonly raw: Json;
	readonly canon: Json;
	readonly unreadable?: string;
}

/** The value that stands in the row now; null when nothing can be known. */
function valueOf(reading: FieldReading, view: View | undefined): Sent | null {
	switch (reading.state) {
		case 'absent':
			return null;
		case 'unchanged': // The row version before this one is the view, so its value still stands.
			return view === undefined || view.unreadable !== undefined ? null : { raw: view.raw, canon: view.canon };
		case 'unreadable':
			return { raw: reading.raw, canon: null, unreadable: reading.reason };
		case 'value':
			return { raw: reading.raw, canon: reading.canon };
	}
}
