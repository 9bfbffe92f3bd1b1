import type { Json } from '../canonical-json';

/**
 * A point of the proleptic Gregorian calendar, to the microsecond. Own arithmetic, because
 * ECMAScript's Date (and every library on top of it) ends at milliseconds and at the year 275760,
 * and Postgres' calendar does not.
 */
export interface Moment {
	/** Days since 1970-01-01. */
	readonly day: number;
	/** Seconds since midnight; UTC where the text had a zone. */
	readonly second: number;
	/** Digits after the second's point, without trailing zeros. */
	readonly fraction: string;
	readonly hasZone: boolean;
	readonly hasZoneShift: boolean;
}

export const DAY_SECONDS = 86_400;

const DATE = String.raw`(?<year>\d{4,7})-(?<month>\d\d)-(?<day>\d\d)`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d+))?)?`;
const ZONE = String.raw`(?:(?<utc>Z)|(?<sign>[+-])(?<zoneHour>\d\d)(?::?(?<zoneMinute>\d\d)(?::?(?<zoneSecond>\d\d))?)?)`;
const MOMENT = new RegExp(`^${DATE}(?:[T ]${TIME} ?${ZONE}?)?(?<era> BC)?$`, 'i');
const MAX_FRACTION_DIGITS = 6;
/** The search for trailing zeros takes time that is quadratic in the digits. */
const MAX_LENGTH = 64;

/** The moment that an ISO 8601 text names, or the reason why it is none, as the end of "The value …". */
export function readMoment(value: Json): Moment | string {
	const isShort = typeof value === 'string' && value.length <= MAX_LENGTH;
	const groups = isShort ? MOMENT.exec(value)?.groups : undefined;
	if (!groups) return 'is not a date or timestamp in ISO 8601 form';
	const fraction = (groups['fraction'] ?? '').replace(/0+$/, '');
	if (fraction.length > MAX_FRACTION_DIGITS) return 'is finer than a microsecond';
	const part = (name: string) => Number(groups[name] ?? 0);
	// No year 0: the year before 1 is 1 BC. Astronomers count it as 0, and so does the arithmetic.
	const year = groups['era'] ? 1 - part('year') : part('year');
	const local = secondsOf(part('hour'), part('minute'), part('second'));
	const zone = secondsOf(part('zoneHour'), part('zoneMinute'), part('zoneSecond'));
	const isReal = part('year') > 0 && isDay(year, part('month'), part('day'));
	if (!isReal || local === undefined || zone === undefined) {
		return 'is a date or time that does not exist';
	}
	const second = local - (groups['sign'] === '-' ? -zone : zone);
	return {
		day: dayNumber(year, part('month'), part('day')) + Math.floor(second / DAY_SECONDS),
		second: (second + DAY_SECONDS) % DAY_SECONDS,
		fraction,
		hasZone: groups['utc'] !== undefined || groups['sign'] !== undefined,
		hasZoneShift: zone !== 0,
	};
}

/** `YYYY-MM-DDTHH:MM:SS[.ffffff]`, then `zone`, then ' BC' for years before 1. */
export function formatMoment(
	{ day, second, fraction }: Pick<Moment, 'day' | 'second' | 'fraction'>,
	zone: 'Z' | '',
): string {
	const { text, era } = formatDay(day);
	const time = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
	const clock = time.map((part) => String(part).padStart(2, '0')).join(':');
	return `${text}T${clock}${fraction === '' ? '' : `.${fraction}`}${zone}${era}`;
}

/** Seconds since midnight, or undefined when there is no such time. */
function secondsOf(hour: number, minute: number, second: number): number | undefined {
	const isTime = hour < 24 && minute < 60 && second < 60;
	return isTime ? hour * 3600 + minute * 60 + second : undefined;
}

function isDay(year: number, month: number, day: number): boolean {
	if (month < 1 || month > 12 || day < 1) return false;
	const next = month === 12 ? dayNumber(year + 1, 1, 1) : dayNumber(year, month + 1, 1);
	return dayNumber(year, month, 1) + day <= next;
}

/**
 * Days from 1970-01-01 to a day of the proleptic Gregorian calendar; `year` is astronomical.
 * Counts years from March, so that the leap day is the last one, in eras of 400 years, which all
 * have 146,097 days. ECMAScript's Date ends at the year 275760, before Postgres' calendar does.
 */
function dayNumber(year: number, month: number, day: number): number {
	const marchYear = month > 2 ? year : year - 1;
	const era = Math.floor(marchYear / 400);
	const yearOfEra = marchYear - era * 400;
	const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
	const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
	return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}

/** The inverse of `dayNumber`, as text, with ' BC' as `era` for years before 1. */
export function formatDay(dayNumberSince1970: number): { text: string; era: '' | ' BC' } {
	const shifted = dayNumberSince1970 + 719_468;
	const era = Math.floor(shifted / 146_097);
	const dayOfEra = shifted - era * 146_097;
	const leapFree =
		dayOfEra -
		Math.floor(dayOfEra / 1460) +
		Math.floor(dayOfEra / 36_524) -
		Math.floor(dayOfEra / 146_096);
	const yearOfEra = Math.floor(leapFree / 365);
	const dayOfYear =
		dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
	const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
	const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
	const month = ((monthFromMarch + 2) % 12) + 1;
	const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
	const shownYear = String(year > 0 ? year : 1 - year).padStart(4, '0');
	const pair = (part: number) => String(part).padStart(2, '0');
	return { text: `${shownYear}-${pair(month)}-${pair(day)}`, era: year > 0 ? '' : ' BC' };
}
