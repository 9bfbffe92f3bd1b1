import { DateTime } from 'luxon';

import { html, type Html } from './html';

export interface Plot {
	readonly title: string;
	/** How a value is written. */
	readonly text: (value: number) => string;
	readonly points: readonly PlotPoint[];
	/** Lines across: from where on it is a warning, and critical. Null: never. */
	readonly warning: number | null;
	readonly critical: number | null;
}

export interface PlotPoint {
	/** Milliseconds since 1970. */
	readonly atMs: number;
	readonly value: number;
}

/** The time that a plot shows; both milliseconds since 1970. */
export interface Span {
	readonly fromMs: number;
	readonly toMs: number;
	/** IANA name, for the times at its ends. */
	readonly zone: string;
	/** Points further apart are not joined: nobody looked in between. */
	readonly gapMs: number;
}

const WIDTH = 600;
const HEIGHT = 120;

/** A figure over time, drawn on the server: it needs no script, and what it shows is said in words as well. */
export function plot({ title, text, points, warning, critical }: Plot, { fromMs, toMs, zone, gapMs }: Span): Html {
	const shown = points.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
	const last = shown.at(-1);
	if (last === undefined) return html`<figure class="plot"><figcaption>${title}: <span class="nothing">nothing measured</span></figcaption></figure>`;
	const highest = Math.max(...shown.map(({ value }) => value));
	const top = topOf(highest, [warning, critical]);
	const x = (atMs: number): number => round(((atMs - fromMs) / Math.max(1, toMs - fromMs)) * WIDTH);
	const y = (value: number): number => round(HEIGHT - (Math.max(0, value) / top) * HEIGHT);
	const limits = [limit('warning', warning, y, top), limit('critical', critical, y, top)];
	const said = `${title}: now ${text(last.value)}, highest ${text(highest)}`;
	const clock = (atMs: number): string => DateTime.fromMillis(atMs, { zone }).toFormat('LLL d HH:mm');
	return html`<figure class="plot"><figcaption>${title}: <b>${text(last.value)}</b> <span class="soft">highest ${text(highest)}</span></figcaption>
<svg viewBox="0 -4 ${WIDTH} ${HEIGHT + 8}" role="img" aria-label="${said}" preserveAspectRatio="none">${limits}${stretches(shown, gapMs).map((stretch) => drawn(stretch, x, y))}</svg>
<div class="row soft ends"><span>${clock(fromMs)}</span><span>${clock(toMs)}</span></div></figure>`;
}

/** Limits that are far above all values would press these to the floor. */
function topOf(highest: number, limits: readonly (number | null)[]): number {
	const near = limits.filter((value): value is number => value !== null && value <= highest * 4);
	return Math.max(highest, ...near) * 1.1 || 1;
}

function limit(name: 'warning' | 'critical', value: number | null, y: (value: number) => number, top: number): Html | null {
	return value === null || value > top ? null : html`<line class="${name}" x1="0" x2="${WIDTH}" y1="${y(value)}" y2="${y(value)}" />`;
}

/** Points that are near enough to one another to be joined. */
function stretches(points: readonly PlotPoint[], gapMs: number): PlotPoint[][] {
	const all: PlotPoint[][] = [];
	for (const point of points) {
		const before = all.at(-1);
		const end = before?.at(-1);
		if (before && end && point.atMs - end.atMs <= gapMs) before.push(point);
		else all.push([point]);
	}
	return all;
}

function drawn(stretch: readonly PlotPoint[], x: (atMs: number) => number, y: (value: number) => number): Html {
	const [first] = stretch;
	if (first && stretch.length === 1) return html`<circle class="line" cx="${x(first.atMs)}" cy="${y(first.value)}" r="2" />`;
	return html`<polyline class="line" points="${stretch.map(({ atMs, value }) => `${x(atMs)},${y(value)}`).join(' ')}" />`;
}

const round = (value: number): number => Math.round(value * 10) / 10;
