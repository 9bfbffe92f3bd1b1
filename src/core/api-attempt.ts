import { apiRecordOf, attemptOf, isLater, markOf, type Attempt, type Ending } from './api-record';
import { requestOf, stillExpected, type ApiRequest } from './api-operation';
import type { Key, LinkState, Operation } from './link';
import { apiOf, conditionOf, type EntityPolicy } from './policy';

/** A request for an operation that may be sent, or must be preceded by reading the record. */
export interface BegunRequest extends ApiRequest {
	readonly key: Key | null;
	/** The condition of the write, as far as one is known: the ETag that was read last, and the provider's version. */
	readonly etag: string | null;
	readonly version: string | null;
}

/**
 * Begins a request for the operation in flight. What became of an earlier one counts: where it may have been
 * carried out without anybody hearing of it, the record is read first, unless a condition protects it.
 */
export function beginAttempt(state: LinkState, op: Operation, entity: EntityPolicy): Attempt {
	const before = attemptOf(state, op.system);
	const last = before?.state === 'running' ? 'unsure' : before?.last; // Whoever began it has never been heard of again.
	const mustRead = before?.state === 'reading' || readsFirst(state, op, { entity, last });
	return {
		op: op.id,
		count: (before?.count ?? 0) + 1,
		state: mustRead ? 'reading' : 'running',
		...(last === undefined ? {} : { last }),
		...(before && unheardOf(before, last)),
		// What has been taken is not sent again: it is only read.
		at: (last === 'written' ? before?.at : undefined) ?? markOf(state, op.system),
		seen: state.seen[op.system] ?? null,
	};
}

function readsFirst(state: LinkState, op: Operation, { entity, last }: { entity: EntityPolicy; last: Ending | undefined }): boolean {
	const tier = apiOf(entity, op.system);
	if (last === 'stale' || last === 'written') return true;
	if (op.kind === 'insert') return last === 'unsure';
	if (!stillExpected(state, op, entity)) return true;
	// Under a condition it is found out whether a request was carried out, unless the record has changed since.
	if (tier === 'conditional') return !hasCondition(state, op, entity) || (last === 'unsure' && hasChanged(state, op));
	return tier === 'verified' || last === 'unsure';
}

function hasChanged(state: LinkState, { system }: Operation): boolean {
	const { at = {}, unheardAt = at } = attemptOf(state, system) ?? {};
	return isLater(markOf(state, system), unheardAt);
}

/** Whether a write can name the state that it may replace. What was read in parts is no state that anybody has seen. */
export function hasCondition(state: LinkState, { system }: Operation, entity: EntityPolicy): boolean {
	const { etag, version, inParts, unplaced } = apiRecordOf(state, system);
	if (inParts !== undefined) return false;
	// A write that named an ETag nobody has told would be made without a condition.
	return conditionOf(entity, system) === 'etag' ? etag !== undefined : version !== undefined && unplaced === undefined;
}

/** The request after the record was read: it may be sent. */
export function afterReading(attempt: Attempt, state: LinkState, system: string): Attempt {
	return { ...attempt, state: 'running', at: markOf(state, system), seen: state.seen[system] ?? null };
}

/** The request as it ended. */
export function endedAttempt(attempt: Attempt, last: Ending): Attempt {
	const { op, count, at, seen } = attempt;
	return { op, count, state: 'over', last, ...(at ? { at } : {}), ...unheardOf(attempt, last), seen };
}

/** What goes on being known of requests of which nobody has heard, when this one has ended so. */
function unheardOf({ at = {}, unheard, unheardAt = at }: Attempt, last: Ending | undefined): Pick<Attempt, 'unheard' | 'unheardAt'> {
	return last === 'unsure' || unheard ? { unheard: true, unheardAt } : {};
}

export function begunRequest(state: LinkState, op: Operation, entity: EntityPolicy): BegunRequest {
	const { etag = null, version = null } = hasCondition(state, op, entity) ? apiRecordOf(state, op.system) : {};
	return { ...requestOf(op, entity), key: op.key, etag, version };
}

/** Whether the API compares before it writes, so that nobody can have come between. */
export function isConditional(entity: EntityPolicy, { system }: Operation): boolean {
	return apiOf(entity, system) === 'conditional';
}
