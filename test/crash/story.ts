import { canonicalJson } from '../../src/core/canonical-json';
import type { RecordChange } from '../../src/core/record-change';
import type { WitnessedTransaction } from '../support/witness';
import type { Campaign } from './campaign';
import { readLinks } from './checks';
import { POLICY } from './systems';

const MAX_PROBLEMS = 10;
const MAX_LINES = 120;

/** Prints what went wrong, and the story of the first link that a problem names. */
export async function tellProblems(campaign: Campaign, say: (text: string) => void): Promise<void> {
	const { problems, said, world, inspector } = campaign;
	for (const problem of problems.slice(0, MAX_PROBLEMS)) say(`  - ${problem}`);
	if (problems.length > MAX_PROBLEMS) say(`  … and ${problems.length - MAX_PROBLEMS} more`);
	say('\nwhat the workers said last:');
	for (const line of said.slice(-30)) say(`  ${line}`);
	const [, key, system] = /row \w+ (\S+) of (\w+)/.exec(problems.join('\n')) ?? [];
	const row = key && system ? { key, system } : null;
	if (row) await tellRow(campaign, row, say);
	const [due] = await world.store.dueLinks();
	const named = /[0-9a-f]{32}/.exec(problems.join(' '))?.[0];
	const link = named ?? (row ? makerOf(inspector.recent, row) : due);
	if (link !== undefined) await tellLink(campaign, link, say);
}

async function tellLink(campaign: Campaign, link: string, say: (text: string) => void): Promise<void> {
	const { world, inspector } = campaign;
	say(`\nthe story of ${link}, by time:`);
	const lines = [...(await journalOf(campaign, link)), ...logOf(inspector.recent, link)];
	const sorted = lines.sort((a, b) => a.atMs - b.atMs);
	const left = Math.max(0, sorted.length - MAX_LINES);
	sorted.forEach(({ atMs, text }, at) => {
		if (at < MAX_LINES / 2 || at >= left + MAX_LINES / 2) say(`  ${timeOf(atMs)} ${text}`);
		else if (at === MAX_LINES / 2) say(`  … ${left} lines`);
	});
	const state = (await readLinks(world)).find(({ id }) => id === link);
	if (state) say(`\nits state: ${JSON.stringify(state)}`);
}

interface PlacedRow {
	readonly key: string;
	readonly system: string;
}

/** What both systems' logs and the journal have of a row that has a key. */
async function tellRow(
	{ inspector, world }: Campaign,
	{ key, system }: PlacedRow,
	say: (text: string) => void,
): Promise<void> {
	say(`\nrow ${key} of ${system} in its log:`);
	for (const { rows, atMs, system: at } of inspector.recent) {
		for (const { table, before, after, marker } of rows) {
			const keys = [before, after].map((values) => String(Object.values(values ?? {})[0]));
			if (at === system && keys.includes(key)) say(`  ${timeOf(atMs)} ${table} ${marker?.op ?? 'a user'}: ${differences(before, after)}`);
		}
	}
	say('and in the journal:');
	const observed = await world.store.store.readJournal({ policy: POLICY, kinds: ['observed'], limit: 1_000_000 });
	for (const { atMs, link, entry } of observed) {
		const { change }: Entry = entry;
		if (change?.system === system && JSON.stringify(change.key).includes(`"${key}"`)) say(`  ${timeOf(atMs)} ${link} ${inShort(entry)}`);
	}
}

/** The link whose operation inserted the row. */
function makerOf(
	recent: readonly WitnessedTransaction[],
	{ key, system }: PlacedRow,
): string | undefined {
	const markers = recent.flatMap((one) => (one.system === system ? one.rows : [])).map(({ marker }) => marker);
	return markers.find((marker) => marker?.key && Object.values(marker.key).map(String).includes(key) && marker.entity === 'customer')?.link;
}

const timeOf = (atMs: number): string => new Date(atMs).toISOString().slice(11, 23);

interface Line {
	readonly atMs: number;
	readonly text: string;
}

async function journalOf({ world }: Campaign, link: string): Promise<Line[]> {
	const entries = await world.store.store.readJournal({ policy: POLICY, link, limit: 100_000 });
	return entries.map(({ atMs, entry }) => ({ atMs, text: `journal ${inShort(entry)}` }));
}

function inShort({ kind, field, system, detail, change, resolution }: Entry): string {
	if (change) {
		const { position, key, columns, marker, snapshot } = change;
		const what = marker ? `${marker.op} ${marker.outcome}` : 'foreign';
		return `observed ${change.system} ${position} ${JSON.stringify(key)} ${what}${snapshot ? ' (read)' : ''} ${JSON.stringify(columns)}`;
	}
	const about = [kind, field, system].filter((word) => word !== undefined).join(' ');
	return `${about} ${JSON.stringify(detail ?? resolution ?? '')}`;
}

/** Of any kind, as far as it is told. */
interface Entry {
	readonly kind: string;
	readonly field?: string;
	readonly system?: string;
	readonly detail?: unknown;
	readonly change?: RecordChange;
	readonly resolution?: unknown;
}

/** Transactions with an operation of the link, and those that touched the same rows. */
function logOf(recent: readonly WitnessedTransaction[], link: string): Line[] {
	const keys = new Set<string>();
	for (const { system, rows } of recent) {
		for (const { marker } of rows) {
			if (marker?.link === link && marker.key) keys.add(`${system} ${canonicalJson(Object.values(marker.key).map(String))}`);
		}
	}
	return recent.flatMap(({ system, atMs, rows, rowless }) => [
		...rows
			.filter((row) => {
				const key = Object.values(row.after ?? row.before ?? {})[0];
				return row.marker?.link === link || keys.has(`${system} ${canonicalJson([String(key)])}`);
			})
			.map(({ before, after, marker }) => ({
				atMs,
				text: `${system} ${marker ? `${marker.op} ${marker.outcome}` : 'a user'}: ${differences(before, after)}`,
			})),
		...rowless
			.filter((marker) => marker.link === link)
			.map((marker) => ({ atMs, text: `${system} ${marker.op} ${marker.outcome}` })),
	]);
}

function differences(
	before: WitnessedTransaction['rows'][number]['before'],
	after: WitnessedTransaction['rows'][number]['after'],
): string {
	if (!before || !after) return before ? 'deletes the row' : `inserts ${JSON.stringify(after)}`;
	return Object.entries(after)
		.filter(([column, value]) => before[column] !== value)
		.map(([column, value]) => `${column} ${JSON.stringify(before[column])} → ${JSON.stringify(value)}`)
		.join(', ');
}
