import { canonicalJson, type Json } from '../../src/core/canonical-json';
import type { ChangeEvent } from '../../src/core/change-event';
import { CLIENT } from '../support/rest-crm/records';
import type { Facts } from './facts';
import type { Rehearsal } from './rehearsal';
import type { NumberedStep } from './scenario';
import { opName, sentence } from './sentence';
import { shortName } from './table-name';

/** A step that was carried out, and when it began, milliseconds since 1970. */
export interface DoneStep {
	readonly step: NumberedStep;
	readonly atMs: number;
}

interface Line {
	readonly atMs: number;
	readonly text: string;
}

/** What happened, step by step: what users and the sync did in the systems' logs, and what the sync noted about it. */
export function timeline({ logs }: Rehearsal, facts: Facts, done: readonly DoneStep[]): string[] {
	const lines = [...changeLines(facts), ...versionLines(facts), ...journalLines(facts)].sort((a, b) => a.atMs - b.atMs);
	const told = done.flatMap(({ step, atMs }, index) => {
		const untilMs = done[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
		const within = lines.filter((line) => line.atMs >= atMs && line.atMs < untilMs);
		return [heading(step), ...within.map(({ text }) => `     ${text}`)];
	});
	const said = [...new Set(logs)].slice(-10).map((line) => `     ${line}`);
	return said.length === 0 ? told : [...told, 'what the nodes said', ...said];
}

export function heading({ number, step }: NumberedStep): string {
	const given = step.name === 'expect' ? '' : shownGiven(step.given as Json);
	return `${String(number).padStart(2)}. ${step.name}${given === '' ? '' : ` ${given}`}`;
}

const MAX_GIVEN = 120;

function shownGiven(given: Json): string {
	const text = canonicalJson(given);
	if (text === '{}') return '';
	return text.length > MAX_GIVEN ? `${text.slice(0, MAX_GIVEN)}…` : text;
}

function changeLines({ transactions }: Facts): Line[] {
	return [...transactions.values()].flat().flatMap(({ events, markers, isUsers, atMs }) => {
		const genuine = new Set(markers.map(({ op }) => op));
		return events.map((event) => ({ atMs, text: `${event.system.padEnd(8)} ${changeText(event, { genuine, isUsers })}` }));
	});
}

function versionLines({ versions }: Facts): Line[] {
	return [...versions].flatMap(([system, made]) =>
		made.map(({ id, version, at, by, changed, customer }) => {
			const values = changed.map((name) => `${name} ${shown((customer?.[name as keyof typeof customer] ?? null) as Json)}`).join(', ');
			const text = `${system.padEnd(8)} ${id}, version ${version}: ${customer ? values : 'deleted'} (${by === CLIENT ? 'the sync' : by})`;
			return { atMs: Date.parse(at), text };
		}),
	);
}

function changeText(event: ChangeEvent, { genuine, isUsers }: { genuine: ReadonlySet<string>; isUsers: boolean }): string {
	const { marker, source } = event;
	const isOurs = marker !== null && genuine.has(marker.op);
	const who = isOurs ? `the sync, ${opName(marker.op)}: ${marker.outcome}` : isUsers ? 'a user' : 'the system itself';
	if (event.op === 'm') return `no row changed (${who}${marker?.error === undefined ? '' : `, ${marker.error}`})`;
	const table = shortName({ schema: String(source['schema']), table: String(source['table']) });
	const key = Object.values(event.key).join(',');
	return `${table} ${key}: ${rowText(event)} (${who})`;
}

function rowText({ op, before, after, unchanged }: ChangeEvent): string {
	if (op === 't') return 'truncated';
	if (op === 'd') return 'deleted';
	const columns = Object.entries(after ?? {});
	if (op === 'c') return `inserted ${columns.map(([name, value]) => `${name} ${shown(value)}`).join(', ')}`;
	const changed = columns.filter(([name, value]) => !unchanged.includes(name) && canonicalJson(before?.[name] ?? null) !== canonicalJson(value));
	return changed.map(([name, value]) => `${name} ${shown(before?.[name])} → ${shown(value)}`).join(', ') || 'written again as it was';
}

const MAX_VALUE = 60;

function shown(value: Json | undefined): string {
	const text = canonicalJson(value ?? null);
	return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

function journalLines({ news }: Facts): Line[] {
	return news.map(({ atMs, entry }) => ({ atMs, text: `${'sync'.padEnd(8)} ${sentence(entry)}` }));
}
