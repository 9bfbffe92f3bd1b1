import { apiRecordOf, isReplaced } from './api-record';
import { equalJson } from './canonical-json';
import { existsIn, type LinkState } from './link';
import { readFields } from './mapping';
import type { EntityPolicy } from './policy';
import type { RecordChange } from './record-change';
import { judgeTicket } from './reading-ticket';
import { compareVersions, type VersionOrder } from './record-version';
import { readReference } from './references';
import { presenceOf } from './row-presence';

/**
 * - `news`: later than what is known.
 * - `known`: it shows what is known already.
 * - `stale`: older than what is known.
 * - `doubtful`: nobody can say. The record is to be read again.
 */
export type ReadingVerdict = 'news' | 'known' | 'stale' | 'doubtful';

export interface JudgedReading {
	readonly change: RecordChange;
	/** Taken before the record was read; null: none was. */
	readonly ticket: string | null;
}

/**
 * Whether an API's reading of a record is news. A webhook may come late, twice or in another order, and an
 * answer may come from a replica that lags behind. In this order: the provider's version of the record; what was known
 * when the reading was asked for; where there is neither, the order of arrival.
 *
 * @param state - of the link that knows the record; null when none does
 */
export function judgeReading(state: LinkState | null, reading: JudgedReading, entity: EntityPolicy): ReadingVerdict {
	const { change } = reading;
	if (state !== null && state.seen[change.system] !== undefined) return judgeKnown(state, reading, entity);
	// By a part nobody can tell which record it is; the link that was made of it would have to be joined later.
	return change.exists === true && change.reading?.whole !== true ? 'doubtful' : 'news';
}

function judgeKnown(state: LinkState, { change, ticket }: JudgedReading, entity: EntityPolicy): ReadingVerdict {
	const { system, reading } = change;
	const known = apiRecordOf(state, system);
	const order = orderOf(reading?.version, known.version);
	const isSame = showsWhatIsKnown(state, change, entity);
	if (order === 'older') return judgeOlder(state, { change, isAsked: ticket !== null, isSame });
	const isCurrent = ticket !== null && judgeTicket(ticket, state, system).isCurrent;
	if (!isCurrent && order === 'newer' && !known.unplaced) return 'news';
	if (isSame) return 'known';
	if (isCurrent) return isReplaced({ ...reading }, known) ? 'doubtful' : 'news';
	const isDoubtful = ticket !== null || order === 'same' || known.unplaced;
	return isDoubtful ? 'doubtful' : judgeUnplaced(state, { change, hasVersion: known.version !== undefined });
}

/** Neither the provider nor a ticket says when the reading was. */
function judgeUnplaced(state: LinkState, { change, hasVersion }: { change: RecordChange; hasVersion: boolean }): ReadingVerdict {
	// That a record is deleted is mostly told without a version, and is hardly ever taken back.
	if (change.exists === false) return 'news';
	// What is told of a deleted record after its delete is mostly what happened before.
	if (!existsIn(state, change.system) && state.keys[change.system] !== undefined) return 'doubtful';
	return hasVersion && change.reading?.version === undefined ? 'doubtful' : 'news';
}

function judgeOlder(
	state: LinkState,
	{ change, isAsked, isSame }: { change: RecordChange; isAsked: boolean; isSame: boolean },
): ReadingVerdict {
	// Somebody waits for the answer, and a replica has given an old one.
	if (isAsked) return 'doubtful';
	if (isSame) return 'known';
	// Of two parts the later one does not contain the earlier one.
	const isInParts = apiRecordOf(state, change.system).inParts === true || change.reading?.whole === false;
	return isInParts ? 'doubtful' : 'stale';
}

function orderOf(version: string | undefined, known: string | undefined): VersionOrder {
	return version === undefined || known === undefined ? 'unknown' : compareVersions(version, known);
}

/** Whether every value that the reading has is the one that is known, and the record is there or not as it was. */
export function showsWhatIsKnown(state: LinkState, change: RecordChange, entity: EntityPolicy): boolean {
	const { system } = change;
	if ((presenceOf(state, change, entity) === 'record') !== existsIn(state, system)) return false;
	if (change.exists !== true) return true;
	for (const [name, read] of readFields(entity, system, change.columns)) {
		const view = state.fields[name]?.views[system];
		const reading = readReference(read, { field: entity.fields.get(name), change, view });
		if (reading.state === 'absent' || reading.state === 'unchanged') continue;
		if (view === undefined) return false;
		const isEqual = reading.state === 'value' ? view.unreadable === undefined && equalJson(reading.canon, view.canon) : equalJson(reading.raw, view.raw);
		if (!isEqual) return false;
	}
	return true;
}
