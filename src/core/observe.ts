import { noteReading } from './api-record';
import { equalJson, type Json } from './canonical-json';
import { explain, freezeUnreadable, startDraft, type Draft } from './draft';
import { foreignView, liftFailure, unrelated } from './foreign-view';
import type { JournalEntry } from './journal';
import { fieldOf, FIRST_EPOCH, type LinkState, type Operation, type View } from './link';
import { readFields, type FieldReading } from './mapping';
import { deltaOf, unionOf } from './merge-values';
import { forgetRow, insist, observeExistence } from './observe-existence';
import { noteUnseen } from './overwritten';
import { noteKeysWritten } from './obstacles';
import { forgetPending, pendingOf } from './pending';
import { isGone } from './fold-parts';
import { columnsRead, policyHash, type Authority, type Nulls, type EntityPolicy, type Policy } from './policy';
import type { RecordChange } from './record-change';
import { isMisaimed, readReference } from './references';
import { isOlderRow, isShownField, isShownRecord, noteCopy, olderView } from './older-row';
import { noteDate } from './passing-date';
import { makesPartOf } from './record-parts';
import { isKnownRow, presenceOf } from './row-presence';
import { NO_SCOPES, type Scopes } from './scopes';
import { isSecondRow, noteSecondRow, settleRemoval } from './second-row';
import { settle } from './settle';
import { counterOf, increment, join, NOTHING_SEEN } from './version-vector';
import { forgetLosers, forgetReplaceable } from './withdrawn';

/** What the change turned out to be, for the item that carried it. */
export type Disposition = 'foreign' | 'echo' | 'residual' | 'outcome' | 'unchanged' | 'duplicate';

export interface Observation {
	readonly state: LinkState;
	readonly disposition: Disposition;
	readonly journal: readonly JournalEntry[];
}

/** The policy in force and its hash, taken once per batch. */
export interface PolicyInForce {
	readonly policy: Policy;
	readonly hash: string;
	/** What is observed only, because nobody has approved its first contact yet. */
	readonly pending: Scopes;
	/** The store's: what is decided now belongs to it. */
	readonly epoch: number;
}

export function inForce(policy: Policy, pending: Scopes = NO_SCOPES, epoch: number = FIRST_EPOCH): PolicyInForce {
	return { policy, hash: policyHash(policy), pending, epoch };
}

/**
 * R1: folds one change into a link's views. Echoes and foreign changes alike, in stream order,
 * each exactly once; total, so that a value that cannot be read holds up its field and nothing else.
 *
 * A foreign change has seen exactly what this system's view has seen, for our writes come back in
 * the same ordered stream: its vector is the view's with the system's own counter incremented.
 */
export function observe(before: LinkState, change: RecordChange, inForce: PolicyInForce): Observation {
	const { policy, hash, pending } = inForce;
	const entity = policy.entities.get(before.entity);
	const seen = before.seen[change.system];
	if ((seen !== undefined && change.position <= seen) || !entity) {
		return { state: before, disposition: 'duplicate', journal: [] };
	}
	const draft = startDraft(forgetPending(before, inForce, change.system));
	draft.state.seen[change.system] = change.position;
	draft.journal.push({ kind: 'observed', policyHash: hash, change, ...pendingOf(before.entity, pending) });
	if (settleRemoval(draft, change)) return { state: draft.state, disposition: 'outcome', journal: draft.journal };
	const underWay = draft.state.inFlight[change.system];
	const op = settle(draft, change);
	if (op === null) noteKeysWritten(draft, underWay, entity);
	noteReading(draft.state, change.system, change.reading);
	const shown = op !== null && change.exists === null ? unseenRow(change, op, entity) : change;
	const counts = { foreign: 0, residual: 0 };
	const isOlder = isOlderRow(before, change);
	noteCopy(draft.state, change);
	if (op !== null && isSecondRow(draft.state, op, shown)) {
		noteSecondRow(draft, op, { change: shown, entity });
		return { state: draft.state, disposition: 'echo', journal: draft.journal };
	}
	if (shown.exists !== null) observeRow(draft, { change: shown, op, counts, isOlder }, entity);
	return { state: draft.state, disposition: dispositionOf(change, op, counts), journal: draft.journal };
}

/**
 * The row of an applied write that the stream does not show, as our marker vouches for it. After a gap the
 * rows that are read next say what became of it since. Otherwise a person is asked; but to leave the
 * operation unsettled would block the link for ever, for no second marker will come, and to forget it
 * would write, or insert, a second time.
 */
function unseenRow(change: RecordChange, op: Operation, entity: EntityPolicy): RecordChange {
	const written = Object.entries(op.fields).flatMap(([name, { next }]) => {
		const column = entity.fields.get(name)?.columns.get(change.system)?.column;
		return column === undefined || next === undefined ? [] : [[column, next] as const];
	});
	const references = Object.entries(op.fields).flatMap(([name, { canon }]) =>
		entity.fields.get(name)?.references != null && typeof canon === 'string' ? [[name, canon] as const] : [],
	);
	return {
		...change,
		exists: op.kind !== 'delete',
		columns: Object.fromEntries(written),
		references: Object.fromEntries(references),
	};
}

function observeRow(draft: Draft, step: Step, entity: EntityPolicy): void {
	const { change, op, counts, isOlder } = step;
	const presence = presenceOf(draft.state, change, entity);
	if (change.rowStays && presence === 'gone') return; // The main row decides whether there is a record.
	const isRow = presence === 'record' || presence === 'archived';
	const isNewRow = isRow && takesOtherRow(draft, change) && op?.kind !== 'insert';
	if (isNewRow) forgetRow(draft, change.system);
	if (observeExistence(draft, { change, op, presence, isOlder: isOlder && (presence === 'gone' || isShownRecord(change, entity)) }).isForeign) counts.foreign += 1;
	if (change.key !== null) draft.state.keys[change.system] = change.key;
	noteDate(draft.state, change, entity);
	const before = counts.foreign;
	if (isRow) observeFields(draft, { ...step, isNewRow }, entity);
	if (counts.foreign > before && presence === 'record') insist(draft, change.system);
}

/** Whether the row is another one than the link has had; what that one said is then nothing that its editors replace. */
function takesOtherRow({ state }: Draft, change: RecordChange): boolean {
	if (isKnownRow(state, change)) return false;
	forgetReplaceable(state);
	return true;
}

function observeFields(draft: Draft, step: Step & { readonly isNewRow: boolean }, entity: EntityPolicy): void {
	const { change, isNewRow } = step;
	const columns = columnsOf(draft.state, change, entity);
	for (const [name, read] of readFields(entity, change.system, columns, change)) {
		const field = entity.fields.get(name);
		const view = isNewRow ? undefined : draft.state.fields[name]?.views[change.system];
		const reading = readReference(read, { field, change, view });
		const isDefault = step.op?.kind === 'insert' || (view === undefined && makesPartOf(step.op, name, entity));
		const isShown = step.isOlder && isShownField(name, change, entity);
		observeField(draft, { ...step, name, reading, isDefault, isShown, authority: field?.authority, nulls: field?.nulls ?? 'clear' });
	}
}

/** Where a part has lost its row, what was known of it is null; what nobody has ever heard of stays absent. */
function columnsOf({ fields }: LinkState, change: RecordChange, entity: EntityPolicy): RecordChange['columns'] {
	if (change.missing === undefined) return change.columns;
	const known = [...entity.fields.values()].filter(({ name }) => fields[name]?.views[change.system] !== undefined);
	const gone = known.flatMap((field) => columnsRead(field, change.system).filter((column) => isGone(change, column)));
	return { ...Object.fromEntries(gone.map((column) => [column, null])), ...change.columns };
}

interface Counts {
	foreign: number;
	residual: number;
}

interface Step {
	readonly change: RecordChange;
	readonly op: Operation | null;
	readonly counts: Counts;
	/** See `isOlderRow`. */
	readonly isOlder: boolean;
}

function dispositionOf(change: RecordChange, op: Operation | null, counts: Counts): Disposition {
	if (counts.foreign > 0) return 'foreign';
	if (counts.residual > 0) return 'residual';
	if (op !== null) return 'echo';
	return change.marker === null ? 'unchanged' : 'outcome';
}

interface FieldStep extends Step {
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

function observeField(draft: Draft, step: FieldStep): void {
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
	} else if (before && isSameValue(before, sent)) {
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

function observeForeign(draft: Draft, { name, change, counts }: FieldStep, { view, sent }: { view: View | undefined; sent: Sent }): void {
	fieldOf(draft.state, name).views[change.system] = foreignView(view, sent, change);
	counts.foreign += 1;
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
