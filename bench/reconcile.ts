import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { say, timed } from '../demo/progress';
import { type ConnectionSettings, startPostgres } from '../test/support/embedded-postgres';
import { usageOf } from './process-usage';
import type { CompareResult, CompareTask } from './reconcile-process';
import { ENTITY, POLICY, seedStore, TABLE } from './reconcile-seed';
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
	readonly limit: Limit;
	/** Of the server, while it was compared. */
	readonly serverCpuSeconds: number;
	readonly result: CompareResult;
}

/** Two tables of so many rows, equal at first, then with 1,000 rows of one changed beside the sync. */
export async function runReconcileBench({ rows, rounds }: { rows: number; rounds: number }, closeOnExit: (close: () => Promise<void>) => void): Promise<readonly ReconcileRound[]> {
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
	const done: ReconcileRound[] = [];
	for (const differences of [0, 1_000]) {
		if (differences > 0) await withClient(billing, async (client) => await client.query(`update ${TABLE} set street = 'elsewhere' where id in (select (n * ${rows / differences})::bigint from generate_series(1, ${differences}) n)`));
		for (let round = 0; round < rounds; round++) {
			const [atFirst, limit] = [await cpu(), await limitOf([crm, billing], store)];
			const between = await cpu();
			const result = await compareOnce({ store, systems: { crm, billing } });
			done.push({ differences, limit: { ...limit, cpuSeconds: between - atFirst }, result, serverCpuSeconds: (await cpu()) - between });
			say(`  ${differences} differences, round ${round + 1}: limit ${limit.total.toFixed(2)} s (${limit.tables.map((seconds) => seconds.toFixed(2)).join(' + ')} + ${limit.links.toFixed(2)}), ${result.seconds.toFixed(2)} s, found ${result.records}`);
		}
	}
	await server.stop();
	return done;
}

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

async function compareOnce(task: CompareTask): Promise<CompareResult> {
	return await new Promise((resolve, reject) => {
		const args = ['--expose-gc', ...process.execArgv, join(__dirname, 'reconcile-process.ts'), JSON.stringify(task)];
		const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
		let output = '';
		child.stdout.on('data', (bytes: Buffer) => (output += String(bytes)));
		child.on('error', reject);
		child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output) as CompareResult) : reject(new Error(`the comparison ended with ${code}`))));
	});
}

export function printReconcile(rounds: readonly ReconcileRound[], rows: number): void {
	console.log(`\n${rows.toLocaleString('en')} rows of 15 columns on each side (median of the rounds)\n`);
	console.log('differences  limit s    ours s   × limit   × CPU of limit   own CPU s   MB transferred   MB above idle');
	for (const differences of new Set(rounds.map((round) => round.differences))) {
		const own = rounds.filter((round) => round.differences === differences);
		const cells = [
			median(own.map(({ limit }) => limit.total)).toFixed(2).padStart(9),
			median(own.map(({ result }) => result.seconds)).toFixed(2).padStart(10),
			median(own.map(({ limit, result }) => result.seconds / limit.total)).toFixed(2).padStart(10),
			median(own.map(({ limit, result, serverCpuSeconds }) => (serverCpuSeconds + result.cpuSeconds) / limit.cpuSeconds)).toFixed(2).padStart(17),
			median(own.map(({ result }) => result.cpuSeconds)).toFixed(2).padStart(12),
			median(own.map(({ result }) => result.transferredMb)).toFixed(1).padStart(17),
			Math.max(...own.map(({ result }) => result.extraMb)).toFixed(0).padStart(16),
		];
		console.log(`${String(differences).padStart(11)}${cells.join('')}`);
		for (const { result } of own) for (const [entity, why] of Object.entries(result.readWhole)) console.log(`  ${entity} was read whole: ${why}`);
	}
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
