import type { Json } from '../canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codec';
import { formatDay, formatMoment, readMoment } from './moment';

/**
 * A calendar day, 'YYYY-MM-DD' ('0044-03-15 BC' before our era, 'infinity', '-infinity'). A
 * timestamp at midnight UTC or without zone is a day; any other time of day is refused.
 */
export const date: Codec = { name: 'date', toCanon: asDate, toRaw: asDate };

/**
 * A moment in UTC, 'YYYY-MM-DDTHH:MM:SS[.ffffff]Z', exact to the microsecond, without trailing
 * zeros in the fraction. A text without a zone is taken as UTC; a day as its midnight. Numbers
 * are refused, because nobody can tell seconds from milliseconds.
 */
export const timestamp: Codec = { name: 'timestamp', toCanon: asTimestamp, toRaw: asTimestamp };

/** What Postgres' date and timestamp types hold beside days and moments. */
export const INFINITIES: readonly Json[] = ['infinity', '-infinity'];

function asDate(value: Json): CodecResult {
	if (INFINITIES.includes(value)) return readable(value);
	const moment = readMoment(value);
	if (typeof moment === 'string') return refused(moment);
	const isMidnight = moment.second === 0 && moment.fraction === '' && !moment.hasZoneShift;
	if (!isMidnight) return refused('has a time of day, so it is not a date');
	const { text, era } = formatDay(moment.day);
	return readable(text + era);
}

function asTimestamp(value: Json): CodecResult {
	if (INFINITIES.includes(value)) return readable(value);
	const moment = readMoment(value);
	return typeof moment === 'string' ? refused(moment) : readable(formatMoment(moment, 'Z'));
}
