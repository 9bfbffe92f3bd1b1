import { equalJson, type Json } from './canonical-json';
import { DAY_SECONDS, readMoment } from './codecs/moment';
import { hasRowIn, existsIn, type LinkState } from './link';
import type { DatedDelete, EntityPolicy } from './policy';
import type { RecordChange } from './record-change';

/**
 * A row may say by a date that it is deleted, and that passes without any write. Time makes no event of its own, so
 * the link remembers the date (`LinkState.dates`), and the trigger puts an event into the stream once it has
 * passed by the source's clock and everything before it has been observed. Nothing here reads a clock:
 * every change says when it was.
 */

const DAY_ONLY = /^\d{4,7}-\d\d-\d\d( BC)?$/;

/**
 * When the value has passed, milliseconds since 1970: a day when it is over, in UTC; a time without a zone is taken as UTC.
 * Null: never (null, infinity, and what is no date).
 */
export function passesAt(value: Json): number | null {
	if (value === '-infinity') return Number.NEGATIVE_INFINITY;
	const moment = readMoment(value);
	if (typeof moment === 'string') return null;
	if (typeof value === 'string' && DAY_ONLY.test(value)) return (moment.day + 1) * DAY_SECONDS * 1000;
	return (moment.day * DAY_SECONDS + moment.second) * 1000 + Math.floor(Number(`0.${moment.fraction || '0'}`) * 1000);
}

/** Whether the record's date has passed by the time of the change. */
export function hasPassed(state: LinkState, change: RecordChange, soft: DatedDelete): boolean {
	const { system, tsMs } = change;
	const known = state.dates?.[system]?.raw;
	const sent = sentDate(change, soft);
	const isPast = hasRowIn(state, system) && !existsIn(state, system);
	// The same date does not come back when somebody sets a clock back.
	if (isPast && (sent === undefined || (known !== undefined && equalJson(sent, known)))) return true;
	const at = passesAt((sent === undefined ? known : sent) ?? null);
	return at !== null && at <= tsMs;
}

/** Keeps the date that the row has now, and when it will pass, if that is yet to come. `state` is a draft that the caller owns. */
export function noteDate(state: LinkState, change: RecordChange, { deletes }: EntityPolicy): void {
	const { system, tsMs } = change;
	const soft = deletes.as.get(system);
	if (soft === undefined || !('passed' in soft)) return;
	const { [system]: known, ...others } = state.dates ?? {};
	const sent = sentDate(change, soft);
	const raw = change.exists !== true || sent !== undefined ? sent : known?.raw;
	if (raw === undefined) {
		state.dates = others;
		return;
	}
	const at = passesAt(raw);
	const isAhead = at !== null && at > tsMs && existsIn(state, system);
	state.dates = { ...others, [system]: { raw, ...(isAhead ? { atMs: at } : {}) } };
}

function sentDate({ columns }: RecordChange, { column }: DatedDelete): Json | undefined {
	return Object.hasOwn(columns, column) ? columns[column] : undefined;
}
