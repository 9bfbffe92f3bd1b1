import { canonicalJson, sha256Hex } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { formatLsn, parseLsn } from '../../src/core/lsn';
import { lsnOfPosition } from '../../src/core/position';
import { slotProblem, type SlotState, type SystemIdentity } from '../../src/postgres/slot';
import type { StreamRecord } from '../../src/store/sync-store';

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
	/** Read changes through a new slot, and all rows. */
	| { readonly kind: 'begin'; readonly staleSlot: string | null }
	/** Go on where the slot stands. */
	| { readonly kind: 'resume' }
	/** Changes may have been lost: nothing goes on before a person has agreed to read everything anew. */
	| { readonly kind: 'gap'; readonly what: string; readonly token: string }
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
	if (!record) return slot ? refuse(slotOfOthers(slotName)) : { kind: 'begin', staleSlot: null };
	if (record.slot !== slotName) return refuse(otherSlot(record.slot, slotName));
	const what = gapOf(record, facts);
	if (what === null) return { kind: 'resume' };
	// A beginning that was cut short before anything had been read to its end: there is nothing to lose.
	if (record.filterHash === NOTHING_READ) return { kind: 'begin', staleSlot: slot?.name ?? null };
	return { kind: 'gap', what, token: gapToken(record) };
}

/**
 * How to start over once a person has agreed to a gap.
 *
 * @throws SyncError LOG_REWOUND when positions of the new slot would look as if they had been observed
 */
export function judgeRestart({ record, server, slot }: StartFacts): StartDecision {
	const reached = record ? furthest(record) : 0n;
	if (!record || server.walLsn > reached) return { kind: 'begin', staleSlot: slot?.name ?? null };
	return refuse(
		new SyncError(
			'LOG_REWOUND',
			`The log of this server ends at ${formatLsn(server.walLsn)}, but ${record.system} has been observed up to ${formatLsn(reached)}`,
		),
	);
}

function furthest({ position, acknowledgedLsn }: StreamRecord): bigint {
	const observed = lsnOfPosition(position);
	const acknowledged = acknowledgedLsn === null ? 0n : parseLsn(acknowledgedLsn);
	return observed > acknowledged ? observed : acknowledged;
}

/** The `filterHash` of a stream of which nothing has been read. */
export const NOTHING_READ = '';

function gapOf(
	record: StreamRecord,
	{ slot, server, slotName, database }: StartFacts,
): string | null {
	if (server.systemId !== record.systemId) {
		return `Another server (${server.systemId} instead of ${record.systemId}) answers at this address`;
	}
	if (server.timeline !== record.timeline) {
		return `The server went from timeline ${record.timeline} to ${server.timeline}: it was restored, or a standby took over, and its last changes may be gone`;
	}
	const problem = slotProblem(slot, slotName, database);
	if (problem || !slot) return problem?.message ?? `There is no replication slot "${slotName}"`;
	return positionGap(record, slot, server);
}

function positionGap(record: StreamRecord, slot: SlotState, server: SystemIdentity): string | null {
	const acknowledged = record.acknowledgedLsn === null ? null : parseLsn(record.acknowledgedLsn);
	const reached = acknowledged ?? lsnOfPosition(record.start);
	if (server.walLsn < reached) {
		return `The server's log ends at ${formatLsn(server.walLsn)}, before ${formatLsn(reached)}, which was acknowledged to it: it was restored from a copy`;
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

function slotOfOthers(name: string): SyncError {
	return new SyncError(
		'SLOT_EXISTS',
		`There is a slot "${name}" already, of which this sync store knows nothing`,
	);
}

function otherSlot(before: string, now: string): SyncError {
	return new SyncError(
		'INVALID_SETTING',
		`"Slot Name" is "${now}", but changes have been read through slot "${before}" so far, and a new slot misses those in between. Set it to "${before}" again`,
	);
}
