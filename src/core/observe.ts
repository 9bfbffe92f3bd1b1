import { noteBlindWrite, noteReading } from './api-record';
import { startDraft, type Draft } from './draft';
import type { JournalEntry } from './journal';
import { FIRST_EPOCH, type LinkState, type Operation } from './link';
import { readFields } from './mapping';
import { forgetRow, insist, noteTooLate, observeExistence } from './observe-existence';
import { observeField, type Counts, type Step } from './observe-field';
import { noteKeysWritten } from './obstacles';
import { noteTakenAlong } from './overwritten';
import { forgetPending, pendingOf } from './pending';
import { isGone } from './fold-parts';
import { columnOf, columnsRead, policyHash, type EntityPolicy, type Policy } from './policy';
import type { RecordChange } from './record-change';
import { readReference } from './references';
import { isOlderRow, isShownField, isShownRecord, noteCopy } from './older-row';
import { noteDate } from './passing-date';
import { makesPartOf } from './record-parts';
import { isKnownRow, presenceOf } from './row-presence';
import { NO_SCOPES, type Scopes } from './scopes';
import { isSecondRow, noteSecondRow, settleRemoval } from './second-row';
import { settle } from './settle';
import { forgetReplaceable } from './withdrawn';

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
	if (op !== null && change.unconditional) noteBlindWrite(draft.state, op, before);
	const shown = op !== null && change.exists === null ? unseenRow(change, op, entity) : change;
	const counts = { foreign: 0, overruled: [], residual: 0 };
	const isOlder = isOlderRow(before, change);
	noteCopy(draft.state, change);
	if (op !== null && isSecondRow(draft.state, op, shown)) {
		noteSecondRow(draft, op, { change: shown, entity });
		return { state: draft.state, disposition: 'echo', journal: draft.journal };
	}
	if (op !== null) noteTakenAlong(draft, op, { change, entity });
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
		const column = columnOf(entity, name, change.system);
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
	if (presence === 'record') noteVote(draft, change.system, { changed: counts.foreign - before, overruled: counts.overruled });
}

/** What changed fields say of a record that is deleted elsewhere. */
function noteVote(draft: Draft, system: string, { changed, overruled }: { changed: number; overruled: readonly string[] }): void {
	if (changed > overruled.length) insist(draft, system);
	else noteTooLate(draft, system, overruled);
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

function dispositionOf(change: RecordChange, op: Operation | null, counts: Counts): Disposition {
	if (counts.foreign > 0) return 'foreign';
	if (counts.residual > 0) return 'residual';
	if (op !== null) return 'echo';
	return change.marker === null ? 'unchanged' : 'outcome';
}
