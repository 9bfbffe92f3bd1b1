import { DateTime } from 'luxon';

import { html, type Html } from './html';

/** For whom a page is made. */
export interface Reader {
	/** When the page is made. */
	readonly nowMs: number;
	/** An IANA name, "Europe/Berlin". */
	readonly zone: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "5 min", "3 h", "12 d": for how long something has been waiting. */
export function ageText(sinceMs: number, nowMs: number): string {
	const age = Math.max(0, nowMs - sinceMs);
	if (age < MINUTE) return 'now';
	if (age < HOUR) return `${Math.floor(age / MINUTE)} min`;
	return age < DAY ? `${Math.floor(age / HOUR)} h` : `${Math.floor(age / DAY)} d`;
}

/** Age, with the whole time for who points at it. */
export function age(sinceMs: number, { nowMs, zone }: Reader): Html {
	return html`<time datetime="${isoOf(sinceMs)}" title="${momentText(sinceMs, zone)}">${ageText(sinceMs, nowMs)}</time>`;
}

/** "10:08" of today, else with the day; the whole time for who points at it. */
export function clock(atMs: number, { nowMs, zone }: Reader): Html {
	const [at, now] = [DateTime.fromMillis(atMs, { zone }), DateTime.fromMillis(nowMs, { zone })];
	const shown = at.toFormat(at.hasSame(now, 'day') ? 'HH:mm:ss' : 'yyyy-LL-dd HH:mm');
	return html`<time datetime="${isoOf(atMs)}" title="${momentText(atMs, zone)}">${shown}</time>`;
}

/** "2026-11-21 10:08:03 Europe/Berlin". */
export function momentText(atMs: number, zone: string): string {
	return `${DateTime.fromMillis(atMs, { zone }).toFormat('yyyy-LL-dd HH:mm:ss')} ${zone}`;
}

const isoOf = (atMs: number): string => DateTime.fromMillis(atMs, { zone: 'utc' }).toISO() ?? '';
