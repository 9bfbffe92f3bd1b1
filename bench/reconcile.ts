import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { say, timed } from '../demo/progress';
import { type ConnectionSettings, startPostgres } from '../test/support/embedded-postgres';
import { usageOf } from './process-usage';
import type { CompareResult, CompareTask } from './reconcile-process';
import { ENTITY, observeRows, POLICY, seedStore, TABLE } from './reconcile-seed';
import { compareTables, type TablesRound } from './two-tables';
import { createTable, fillTable, withClient } from './wide-table';

/** Seconds of one look at everything: of each table, of the links, and of all three one after the other. */
export interface Limit {
	readonly tables: readonly number[];
	readonly links: number;
	readonly total: number;
	/** Processor time of the server. */
	readonly cpuSeconds: number;
}

export interface ReconcileRound {
	readonly differences: number;
	/** Only what has been written since the comparison before was looked at, which the limit is: by the sync, or beside it. Absent: all was. */
	readonly second?: 'by the sync' | 'beside it';
	readonly limit: Limit;
	/** Of the server, while it was compared. */
	readonly serverCpuSeconds: number;
	readonly result: CompareResult;
}

export interface ReconcileBench {
	readonly rounds: readonly ReconcileRound[];
	readonly tables: readonly { readonly first: TablesRound; readonly next: TablesRound }[];
}

/** Two tables of so many rows, equal at first, then with 1,000 rows of one changed beside the sync. In between, what the next run takes that looks only at what has changed. */
export async function runReconcileBench({ rows, rounds }: { rows: number; rounds: number }, closeOnExit: (close: () => Promise<void>) => void): Promise<ReconcileBench> {
	const server = await timed('starting Postgres 18', async () => await startPostgres({ version: 18, settings: { shared_buffers: '512MB' } }));
	closeOnExit(async () => await server.stop());
	const [crm, billing, store] = [await server.createDatabase('crm'), await server.createDatabase('billing'), await server.createDatabase('store')];
	await timed(`writing ${rows.toLocaleString('en')} rows on each side`, async () => {
		for (const settings of [crm, billing]) await withClient(settings, async (client) => await client.query(`${createTable(TABLE)} ${fillTable(TABLE, rows)}`));
	});
	await timed('filling the sync store', async () => await seedStore(store, { crm, billing }));
	for (const settings of [crm, billing, store]) await withClient(settings, async (client) => await client.query('vacuum analyze'));
	const postmaster = Number.parseInt(await readFile(join(server.record.directory, 'data', 'postmaster.pid'), 'utf8'), 10);
	const cpu = async (): Promise<number> => (await usageOf(postmaster)).cpuSeconds;
	const task = { store, systems: { crm, billing }, keeps: false };
	const measured = async (work: () => Promise<CompareResult>, what: string): Promise<Omit<ReconcileRound, 'differences' | 'second'>> => {
		const [atFirst, limit] = [await cpu(), await limitOf([crm, billing], store)];
		const between = await cpu();
		const result = await work();
		const serverCpuSeconds = (await cpu()) - between;
		say(`  ${what}: limit ${limit.total.toFixed(2)} s (${limit.tables.map((seconds) => seconds.toFixed(2)).join(' + ')} + ${limit.links.toFixed(2)}), ${result.seconds.toFixed(2)} s, found ${result.records}`);
		return { limit: { ...limit, cpuSeconds: between - atFirst }, result, serverCpuSeconds };
	};
	const done: ReconcileRound[] = [];
	for (let round = 0; round < rounds; round++) done.push({ differences: 0, ...(await measured(async () => await compareAlone(task), `0 differences, round ${round + 1}`)) });
	const comparing = new Comparing({ ...task, keeps: true });
	const change = async (settings: ConnectionSettings, city: string): Promise<void> => await withClient(settings, async (client) => void (await client.query(`update ${TABLE} set city = ${city} where ${someOf(rows)}`)));
	for (let round = 0; round < rounds; round++) {
		await withClient(store, async (client) => await client.query('delete from n8n_bisync.comparisons'));
		const first = await measured(async () => await comparing.compare(), `first run that leaves something, round ${round + 1}`);
		const after = async (second: 'by the sync' | 'beside it'): Promise<void> => {
			const { limit, ...found } = await measured(async () => await comparing.compare(), `the next run, after ${CHANGES} changes ${second}, round ${round + 1}`);
			done.push({ differences: found.result.records, second, limit: { ...limit, total: first.result.seconds }, ...found });
		};
		for (const settings of [crm, billing]) await change(settings, `city || '+'`);
		await observeRows(store, crm, someOf(rows));
		await after('by the sync');
		await change(billing, `city || '!'`);
		await after('beside it');
		await change(billing, 'left(city, -1)');
	}
	await comparing.end();
	await change(billing, `city || '!'`);
	for (let round = 0; round < rounds; round++) done.push({ differences: CHANGES, ...(await measured(async () => await compareAlone(task), `${CHANGES} differences, round ${round + 1}`)) });
	await change(billing, 'left(city, -1)');
	const tables = await runTables({ a: crm, b: billing }, rounds, async (round) => await change(billing, `'Round ${round}'`));
	await server.stop();
	return { rounds: done, tables };
}

/** Without a store: the run that hashes all, and the next one after 1,000 changes of one table. */
async function runTables(databases: Parameters<typeof compareTables>[0], rounds: number, change: (round: number) => Promise<void>): Promise<ReconcileBench['tables']> {
	const done: ReconcileBench['tables'][number][] = [];
	for (let round = 0; round < rounds; round++) {
		const memory = {};
		const first = await compareTables(databases, TABLE, memory);
		await change(round);
		const next = await compareTables(databases, TABLE, memory);
		say(`  two tables without a store, round ${round + 1}: ${first.seconds.toFixed(2)} s, then ${next.seconds.toFixed(2)} s, found ${next.differences}`);
		done.push({ first, next });
	}
	return done;
}

const CHANGES = 1_000;

/** As many rows, far from each other. */
const someOf = (rows: number): string => `id in (select (n * ${rows / CHANGES})::bigint from generate_series(1, ${CHANGES}) n)`;

async function limitOf(tables: readonly ConnectionSettings[], store: ConnectionSettings): Promise<Omit<Limit, 'cpuSeconds'>> {
	const seconds: number[] = [];
	for (const settings of tables) seconds.push(await secondsOf(settings, `select count(*), sum(hashtextextended(t::text, 0)) from ${TABLE} as t`));
	const links = await secondsOf(store, `select count(*), sum(hashtextextended(state::text, 0)) from n8n_bisync.links where policy = '${POLICY}' and entity = '${ENTITY}'`);
	return { tables: seconds, links, total: seconds.reduce((sum, one) => sum + one, links) };
}

async function secondsOf(settings: ConnectionSettings, statement: string): Promise<number> {
	return await withClient(settings, async (client) => {
		const started = performance.now();
		await client.query(statement);
		return (performance.now() - started) / 1_000;
	});
}

async function compareAlone(task: CompareTask): Promise<CompareResult> {
	const comparing = new Comparing(task);
	try {
		return await comparing.compare();
	} finally {
		await comparing.end();
	}
}

/** A process that compares as often as it is told to, as n8n does night by night. */
class Comparing {
	readonly #child;
	readonly #results: AsyncIterator<string>;
	readonly #ended: Promise<unknown>;

	constructor(task: CompareTask) {
		const args = ['--expose-gc', ...process.execArgv, join(__dirname, 'reconcile-process.ts'), JSON.stringify(task)];
		this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
		this.#ended = once(this.#child, 'close');
		this.#results = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
	}

	async compare(): Promise<CompareResult> {
		this.#child.stdin.write('compare\n');
		const { value, done } = await this.#results.next();
		if (done) throw new Error('the comparison ended without a result');
		return JSON.parse(value) as CompareResult;
	}

	async end(): Promise<void> {
		this.#child.stdin.end();
		await this.#ended;
	}
}

export function printReconcile({ rounds, tables }: ReconcileBench, rows: number): void {
	console.log(`\n${rows.toLocaleString('en')} rows of 15 columns on each side (median of the rounds)\n`);
	console.log('differences  limit s    ours s   × limit   × CPU of limit   own CPU s   MB transferred   MB above idle');
	const whole = rounds.filter(({ second }) => second === undefined);
	for (const differences of new Set(whole.map((round) => round.differences))) printLine(whole.filter((round) => round.differences === differences));
	for (const second of ['by the sync', 'beside it'] as const) {
		console.log(`\nonly what has changed, after ${CHANGES} changes ${second}, by a process that has compared all: the time of that in place of the limit`);
		printLine(rounds.filter((round) => round.second === second));
	}
	const [first, next] = [median(tables.map((round) => round.first.seconds)), median(tables.map((round) => round.next.seconds))];
	const ratio = median(tables.map((round) => round.next.seconds / round.first.seconds));
	console.log(`\ntwo tables without a store: ${first.toFixed(2)} s, and after ${CHANGES} changes of one ${next.toFixed(2)} s: ${ratio.toFixed(2)} of it`);
	if (tables.some((round) => round.next.isWhole)) console.log('  everything was compared');
}

function printLine(own: readonly ReconcileRound[]): void {
	const cells = [
		String(own[0]?.differences ?? '').padStart(11),
		median(own.map(({ limit }) => limit.total)).toFixed(2).padStart(9),
		median(own.map(({ result }) => result.seconds)).toFixed(2).padStart(10),
		median(own.map(({ limit, result }) => result.seconds / limit.total)).toFixed(2).padStart(10),
		median(own.map(({ limit, result, serverCpuSeconds }) => (serverCpuSeconds + result.cpuSeconds) / limit.cpuSeconds)).toFixed(2).padStart(17),
		median(own.map(({ result }) => result.cpuSeconds)).toFixed(2).padStart(12),
		median(own.map(({ result }) => result.transferredMb)).toFixed(1).padStart(17),
		Math.max(...own.map(({ result }) => result.extraMb)).toFixed(0).padStart(16),
	];
	console.log(cells.join(''));
	for (const { result, second } of own) {
		for (const [entity, why] of Object.entries(result.readWhole)) console.log(`  ${entity} was read whole: ${why}`);
		if (second && Object.keys(result.lastWhole).length === 0) console.log('  everything was compared');
	}
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
