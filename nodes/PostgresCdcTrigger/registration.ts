import { canonicalJson, sha256Hex } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { formatLsn, parseLsn } from '../../src/core/lsn';
import {
	inLineage,
	lineageOf,
	lsnOfPosition,
	MAX_LINEAGE,
	type Position,
	positionOf,
	STREAM_START,
	withoutLineage,
} from '../../src/core/position';
import { slotProblem, type SlotState, type SystemIdentity } from '../../src/postgres/slot';
import { POLLED, type StreamRecord } from '../../src/store/stream-record';

/** What is known when reading is to start. */
export interface StartFacts {
	/** What the store knows of the stream; null when it was never read. */
	readonly record: StreamRecord | null;
	/** The slot that the settings name. */
	readonly slot: SlotState | null;
	readonly server: SystemIdentity;
	readonly slotName: string;
	readonly database: string;
}

/** What to do about it. */
export type StartDecision =
	/** Read changes through a new slot, and all rows. `restoredTo`: see `RecordChange`; null: the system has not been put back. */
	| { readonly kind: 'begin'; readonly staleSlot: string | null; readonly lineage: number; readonly restoredTo: Position | null }
	/** Go on where the slot stands. */
	| { readonly kind: 'resume' }
	/** Changes may have been lost: nothing goes on before a person has agreed to read everything anew. */
	| { readonly kind: 'gap'; readonly what: string; readonly token: string; readonly restoredTo: Position | null }
	/** A setting has to be corrected. */
	| { readonly kind: 'refuse'; readonly error: SyncError };

/**
 * Decides how reading starts. Pure.
 *
 * The slot is the only thing that keeps changes for us, so one that is not exactly where the store
 * left it means that changes may be missing. That is never passed over in silence: a new slot would
 * start at the present, everything would look healthy, and the systems would differ for ever.
 */
export function judgeStart(facts: StartFacts): StartDecision {
	const { record, slot, slotName } = facts;
	if (!record) return slot ? forgotten(facts) : { kind: 'begin', staleSlot: null, lineage: 0, restoredTo: null };
	// What was polled is read anew by way of the log: nothing is lost between the two.
	if (record.slot === POLLED) return slot ? forgotten(facts) : beginning(facts, null);
	if (record.slot !== slotName) return refuse(otherSlot(record.slot, slotName));
	const what = gapOf(record, facts);
	if (what === null) return { kind: 'resume' };
	// A beginning that was cut short before anything had been read to its end: there is nothing to lose.
	if (record.filterHash === NOTHING_READ) return beginning(facts, record.reading?.find((table) => table.restoredTo)?.restoredTo ?? null);
	return { kind: 'gap', what, token: gapToken(record), restoredTo: copyOf(record, facts.server) };
}

/**
 * How to start over once a person has agreed to a gap. Where the log of the server counts from an earlier place than
 * what was observed, a new lineage begins.
 *
 * @param restoredTo - as it was found when the person was asked
 */
export function beginning({ record, server, slot }: StartFacts, restoredTo: Position | null): StartDecision {
	const before = record ? lineageOf(record.position) : 0;
	const lineage = record && server.walLsn <= furthest(record) ? before + 1 : before;
	if (lineage <= MAX_LINEAGE) return { kind: 'begin', staleSlot: slot?.name ?? null, lineage, restoredTo };
	return refuse(new SyncError('LOG_REWOUND', `${record?.system ?? ''} has gone back to an earlier place in its log ${MAX_LINEAGE + 1} times`));
}

/**
 * Up to which place the server may hold what was observed, where it is a copy that lacks what came later: a backup,
 * or a standby that had not heard of everything. Null: nothing says that it is one.
 */
function copyOf(record: StreamRecord, { systemId, timeline, walLsn, leftAt }: SystemIdentity): Position | null {
	if (systemId !== record.systemId) return STREAM_START;
	if (timeline !== record.timeline) {
		const end = leftAt?.get(record.timeline);
		if (end === undefined) return STREAM_START;
		// One byte before, where no commit can be: what begins at the end itself is not in the copy.
		return isBefore(record, end) ? null : positionOf(end - 1n, 0, lineageOf(record.position));
	}
	return walLsn < furthest(record) ? STREAM_START : null;
}

/** Whether whoever left the timeline at `end` has everything that was observed on it. A commit that begins there was made by another server. */
function isBefore(record: StreamRecord, end: bigint): boolean {
	return lsnOfPosition(record.position) < end && (acknowledgedOf(record) ?? 0n) <= end;
}

function furthest(record: StreamRecord): bigint {
	const observed = lsnOfPosition(record.position);
	const acknowledged = acknowledgedOf(record) ?? 0n;
	return observed > acknowledged ? observed : acknowledged;
}

/** Where the acknowledgement of this lineage stands; null: there is none yet. */
function acknowledgedOf({ acknowledgedLsn, position }: StreamRecord): bigint | null {
	if (acknowledgedLsn === null) return null;
	const known = parseLsn(acknowledgedLsn);
	const lsn = withoutLineage(known);
	return known === inLineage(lsn, lineageOf(position)) ? lsn : null;
}

/** Where the slot stands at most, unless somebody else has moved it. */
export function reachedOf(record: StreamRecord): bigint {
	return acknowledgedOf(record) ?? lsnOfPosition(record.start);
}

/**
 * The same for a stream that is polled. A poll misses nothing, so there is no gap; but a database that was put back to an
 * older copy shows values that are nobody's edits. Pure.
 *
 * @param next - the first transaction that had not begun
 */
export function judgePolledStart(facts: StartFacts, next: bigint): StartDecision {
	const { record, server } = facts;
	if (!record) return { kind: 'begin', staleSlot: null, lineage: 0, restoredTo: null };
	if (record.filterHash === NOTHING_READ) return beginning({ ...facts, slot: null }, record.reading?.find((table) => table.restoredTo)?.restoredTo ?? null);
	const what = copyInWords(record, server, next);
	return what === null ? { kind: 'resume' } : { kind: 'gap', what, token: polledToken(record), restoredTo: STREAM_START };
}

function copyInWords(record: StreamRecord, server: SystemIdentity, next: bigint): string | null {
	if (server.systemId !== record.systemId) {
		return `Another server (${server.systemId} instead of ${record.systemId}) answers at this address`;
	}
	if (server.timeline !== record.timeline) {
		return `The server went from timeline ${record.timeline} to ${server.timeline}: it was restored, or a standby took over, and its last changes may be gone`;
	}
	const isBehind = record.reading?.some(({ horizon }) => horizon !== undefined && BigInt(horizon) > next) ?? false;
	return isBehind ? 'The server has fewer transactions behind it than it had at the last poll: it was restored from a copy' : null;
}

/** As `gapToken`: the position has moved on when the next gap is looked at. */
const polledToken = ({ systemId, timeline, position }: StreamRecord): string => sha256Hex(canonicalJson([systemId, timeline, position])).slice(0, 16);

/** The `filterHash` of a stream of which nothing has been read. */
export const NOTHING_READ = '';

function gapOf(
	record: StreamRecord,
	{ slot, server, slotName, database }: StartFacts,
): string | null {
	if (server.systemId !== record.systemId) {
		return `Another server (${server.systemId} instead of ${record.systemId}) answers at this address`;
	}
	const takeover = server.timeline === record.timeline ? null : takeoverOf(record, server);
	if (takeover && !takeover.isWhole) return takeover.what;
	const problem = slotProblem(slot, slotName, database);
	const what = problem || !slot ? (problem?.message ?? `There is no replication slot "${slotName}"`) : positionGap(record, slot, server);
	if (what === null || takeover === null) return what;
	const lesson = slot ? '' : '. With the option "Failover Slot" of the trigger the next standby has it';
	return `${takeover.what}. It has all that was observed, but: ${what}${lesson}`;
}

/**
 * Whether a server on another timeline goes on where the one before it stopped, as a standby does that was promoted in time:
 * it has all that was observed, so where the slot stands tells the rest. Writes that it never got were never observed, and
 * those of ours are made again. One that is not whole has lost some of it, or may have.
 */
function takeoverOf(record: StreamRecord, { timeline, leftAt }: SystemIdentity): { readonly what: string; readonly isWhole: boolean } {
	const end = leftAt?.get(record.timeline);
	const what = `The server went from timeline ${record.timeline} to ${timeline}: a standby took over, or it was restored`;
	if (end === undefined) return { what: `${what}, and its last changes may be gone`, isWhole: false };
	if (isBefore(record, end)) return { what, isWhole: true };
	const lost = `Up to ${formatLsn(furthest(record))} had been observed, and it has nothing of that from ${formatLsn(end)} on`;
	const lesson = 'Where synchronized_standby_slots names the standby, nothing is handed on before that has it';
	return { what: `${what}. ${lost}. ${lesson}`, isWhole: false };
}

function positionGap(record: StreamRecord, slot: SlotState, server: SystemIdentity): string | null {
	const reached = reachedOf(record);
	if (server.walLsn < furthest(record)) {
		return `The server's log ends at ${formatLsn(server.walLsn)}, before ${formatLsn(furthest(record))}, which was observed in it: it was restored from a copy`;
	}
	const confirmed = slot.confirmedLsn ?? 0n;
	if (confirmed <= reached) return null;
	return `Slot "${slot.name}" stands at ${formatLsn(confirmed)}, after ${formatLsn(reached)}, which was the last to be acknowledged here: somebody else read from it, or made it anew`;
}

/** Of this gap and no other: the next one comes after other acknowledgements, and an old agreement does not hold for it. */
function gapToken({ slot, systemId, timeline, start, acknowledgedLsn }: StreamRecord): string {
	return sha256Hex(canonicalJson([slot, systemId, timeline, start, acknowledgedLsn])).slice(0, 16);
}

const refuse = (error: SyncError): StartDecision => ({ kind: 'refuse', error });

/** The slot is made after the stream is registered, so whoever made it, this store knew of it once, or never will. */
function forgotten({ slotName, server }: StartFacts): StartDecision {
	const what =
		`There is a slot "${slotName}" already, of which this sync store knows nothing: the sync store has lost its memory, or is another one. ` +
		'Whoever agrees also lets the slot be dropped, so if it belongs to somebody else, choose another "Slot Name"';
	const token = sha256Hex(canonicalJson([slotName, server.systemId, server.timeline])).slice(0, 16);
	return { kind: 'gap', what, token, restoredTo: null };
}

function otherSlot(before: string, now: string): SyncError {
	return new SyncError(
		'INVALID_SETTING',
		`"Slot Name" is "${now}", but changes have been read through slot "${before}" so far, and a new slot misses those in between. Set it to "${before}" again`,
	);
}
