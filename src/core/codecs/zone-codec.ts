import { IANAZone } from 'luxon';
import type { Json } from '../canonical-json';
import { readable, refused, type Codec, type CodecResult } from './codec';
import { DAY_SECONDS, formatMoment, readMoment, type Moment } from './moment';
import { INFINITIES } from './time-codecs';

/** An offset such as +02:00 is no zone: whether ECMAScript takes it for one depends on its version. */
const ZONE_NAME = /^[A-Za-z][\w+/-]*$/;
/** Where ECMAScript's calendar ends; beyond it no zone can be asked. */
const LAST_SECOND = 8_640_000_000_000;

/** A wall time that stands twice, or beyond the known years, cannot be told apart by a column without zone. */
const REPEATED =
	'falls into the hour that the clocks repeat, which a column without zone cannot say';
const BEYOND = 'is in a year for which the time zone is not known';

/**
 * The wall time of `zone` in a column without zone, the `timestamp` codec's moment in UTC in between.
 * Where the clocks change the answers are those of Postgres' `at time zone`: a time that they skip
 * is read with the offset before the change, one that they repeat with the offset after it. The
 * other moment of a repeated time cannot be written, and is refused. A text that has a zone is
 * taken as the moment it names.
 *
 * The offsets come from the time zone data of the running Node: an update of it may move moments
 * in the future, never more.
 *
 * @param zone - a name of the IANA time zone database, `Europe/Berlin`
 * @returns undefined when there is no such zone
 */
export function datetime(zone: string): Codec | undefined {
	if (!ZONE_NAME.test(zone) || !IANAZone.isValidZone(zone)) return undefined;
	const place = IANAZone.create(zone);
	return {
		name: `datetime(${zone})`,
		toCanon: (raw) => convert(raw, (moment) => toUtc(moment, place)),
		toRaw: (canon) => convert(canon, (moment) => toWall(moment, place)),
	};
}

function convert(value: Json, change: (moment: Moment) => CodecResult): CodecResult {
	if (INFINITIES.includes(value)) return readable(value);
	const moment = readMoment(value);
	if (typeof moment === 'string') return refused(moment);
	// Zones are asked up to a day to either side.
	const isKnown = Math.abs(secondsOf(moment)) < LAST_SECOND - 2 * DAY_SECONDS;
	return isKnown ? change(moment) : refused(BEYOND);
}

function toUtc(moment: Moment, place: IANAZone): CodecResult {
	const { fraction } = moment;
	if (moment.hasZone) return readable(formatMoment(moment, 'Z'));
	const instant = instantOf(secondsOf(moment), place);
	return readable(formatMoment({ ...partsOf(instant), fraction }, 'Z'));
}

function toWall(moment: Moment, place: IANAZone): CodecResult {
	const instant = secondsOf(moment);
	const wall = instant + offsetAt(instant, place);
	if (instantOf(wall, place) !== instant) return refused(REPEATED);
	return readable(formatMoment({ ...partsOf(wall), fraction: moment.fraction }, ''));
}

/** The moment at which the clocks of the zone show `wall`, or would if they did not skip it; both in seconds since 1970. */
function instantOf(wall: number, place: IANAZone): number {
	// A change of the clocks lies between a day before and a day after, if there is one near.
	const after = wall - offsetAt(wall + DAY_SECONDS, place);
	if (after + offsetAt(after, place) === wall) return after;
	return wall - offsetAt(wall - DAY_SECONDS, place);
}

/** Seconds east of UTC. Before there were zones, places had minutes and seconds of their own. */
function offsetAt(second: number, place: IANAZone): number {
	return Math.round(place.offset(second * 1000) * 60);
}

const secondsOf = ({ day, second }: Moment): number => day * DAY_SECONDS + second;

function partsOf(seconds: number): { day: number; second: number } {
	const day = Math.floor(seconds / DAY_SECONDS);
	return { day, second: seconds - day * DAY_SECONDS };
}
