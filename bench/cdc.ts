import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { say, timed } from '../demo/progress';
import { type ConnectionSettings, type PostgresServer, startPostgres } from '../test/support/embedded-postgres';
import type { ReadResult } from './cdc-process';
import type { ReadTask } from './cdc-readers';
import { createTable, fillTable, withClient } from './wide-table';

/** What is in the log: one transaction, one for each row, or those of an update of rows with all old values. */
export type Workload = 'one transaction' | 'single rows' | 'FULL updates';

/** `pg_recvlogical` into /dev/null is the limit: the server's sending, with nothing done about it. */
export type ReaderName = 'pg_recvlogical' | ReadTask['reader'];

export interface CdcRound {
	readonly workload: Workload;
	readonly results: ReadonlyMap<ReaderName, ReadResult>;
}

export interface CdcOptions {
	/** Changed in each workload. */
	readonly rows: number;
	readonly rounds: number;
	readonly workloads: readonly Workload[];
	readonly readers: readonly ReaderName[];
}

const ROOT = join(__dirname, '..');
const TABLE = 'records';
const PUBLICATION = 'bench';

/** What the server does by itself would fall on some readers, and not on others. */
const QUIET = { autovacuum: 'off', checkpoint_timeout: '1h', max_wal_size: '4GB' };

/** Every round reads the same log through a copy of the same slot with each reader, in another order each time. */
export async function runCdcBench(options: CdcOptions, closeOnExit: (close: () => Promise<void>) => void): Promise<readonly CdcRound[]> {
	const server = await timed('starting Postgres 18', async () => await startPostgres({ version: 18, settings: QUIET }));
	closeOnExit(async () => await server.stop());
	const directory = await mkdtemp(join(tmpdir(), 'bisync-bench-'));
	closeOnExit(async () => await rm(directory, { recursive: true }));
	const program = await timed('compiling the readers', async () => await compileReaders(directory));
	const rounds: CdcRound[] = [];
	for (const workload of options.workloads) {
		const settings = await prepare(server, workload, options.rows);
		for (let round = 0; round < options.rounds; round++) {
			const results = new Map<ReaderName, ReadResult>();
			for (const reader of rotated(options.readers, round)) results.set(reader, await readOnce({ reader, settings, rows: options.rows, program }));
			rounds.push({ workload, results });
			say(`  ${workload}, round ${round + 1}: ${[...results].map(([name, { seconds }]) => `${name} ${seconds.toFixed(2)} s`).join(', ')}`);
		}
	}
	await server.stop();
	return rounds;
}

function rotated<T>(list: readonly T[], by: number): T[] {
	const at = by % list.length;
	return [...list.slice(at), ...list.slice(0, at)];
}

async function prepare(server: PostgresServer, workload: Workload, rows: number): Promise<ConnectionSettings> {
	const settings = await server.createDatabase(workload.toLowerCase().replaceAll(' ', '_'));
	await withClient(settings, async (client) => {
		await client.query(createTable(TABLE));
		if (workload !== 'one transaction') await client.query(fillTable(TABLE, rows));
		if (workload === 'FULL updates') await client.query(`alter table ${TABLE} replica identity full`);
		await client.query(`create publication ${PUBLICATION} for table ${TABLE}`);
		await client.query(`select pg_create_logical_replication_slot('master_${settings.database}', 'pgoutput')`);
		say(`${workload}: writing ${rows.toLocaleString('en')} changes …`);
		if (workload === 'one transaction') await client.query(fillTable(TABLE, rows));
		else {
			const step = workload === 'single rows' ? 1 : 1_000;
			await client.query(`do $$ begin for start in 1..${rows} by ${step} loop
				update ${TABLE} set round = round + 1, name = 'New ' || id, total = total + 1 where id between start and start + ${step - 1};
				commit; end loop; end $$`);
		}
		await client.query('checkpoint');
	});
	return settings;
}

interface Reading {
	readonly reader: ReaderName;
	readonly settings: ConnectionSettings;
	readonly rows: number;
	/** Of the readers that are ours to start. */
	readonly program: string;
}

/** Reads the whole log through a copy of the slot, which is dropped afterwards. */
async function readOnce({ reader, settings, rows, program }: Reading): Promise<ReadResult> {
	const slot = 'bench_copy';
	return await withClient(settings, async (client) => {
		await client.query(`select pg_copy_logical_replication_slot('master_${settings.database}', '${slot}')`);
		const { rows: ends } = await client.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn');
		const task = { settings, slot, publication: PUBLICATION, table: TABLE, rows };
		const result = reader === 'pg_recvlogical' ? await runLimit(task, ends[0]?.lsn ?? '') : await runReader({ ...task, reader }, program);
		for (;;) {
			const { rowCount } = await client.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${slot}' and active_pid is null`);
			if (rowCount === 1) return result;
		}
	});
}

async function runReader(task: ReadTask, program: string): Promise<ReadResult> {
	const output = await outputOf(process.execPath, [program, JSON.stringify(task)], { NODE_PATH: join(ROOT, 'node_modules') });
	return JSON.parse(output) as ReadResult;
}

/** To JavaScript as it is in the package: what a loader of TypeScript makes of it is slower. @returns the program's path */
async function compileReaders(directory: string): Promise<string> {
	const options = ['--noCheck', '--noEmit', 'false', '--rootDir', ROOT, '--outDir', directory];
	const language = ['--target', 'es2022', '--module', 'commonjs', '--esModuleInterop', '--types', 'node'];
	await outputOf(join(ROOT, 'node_modules', '.bin', 'tsc'), [...options, ...language, join(__dirname, 'cdc-process.ts')], {});
	return join(directory, 'bench', 'cdc-process.js');
}

/** Its start and its log-in, some hundredths of a second, count; of the others only the log-in does. */
async function runLimit({ settings, slot, publication }: Omit<ReadTask, 'reader'>, end: string): Promise<ReadResult> {
	const address = `host=${settings.host} port=${settings.port} dbname=${settings.database} user=${settings.user}`;
	const plugin = ['-o', 'proto_version=1', '-o', `publication_names=${publication}`, '-o', 'messages=true'];
	const args = ['-d', address, '-S', slot, '--start', '-f', '/dev/null', '--no-loop', '--endpos', end, '-F', '0', ...plugin];
	const before = await cpuOfEnded();
	const started = performance.now();
	await outputOf('pg_recvlogical', args, { PGPASSWORD: settings.password });
	return { seconds: (performance.now() - started) / 1_000, cpuSeconds: (await cpuOfEnded()) - before, extraMb: 0 };
}

/** Of the processes that this one started and that have ended, in seconds; see proc(5). */
async function cpuOfEnded(): Promise<number> {
	const stat = await readFile('/proc/self/stat', 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
	return ((fields[13] ?? 0) + (fields[14] ?? 0)) / 100;
}

async function outputOf(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
	return await new Promise((resolve, reject) => {
		const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
		let output = '';
		child.stdout.on('data', (bytes: Buffer) => (output += String(bytes)));
		child.on('error', reject);
		child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}`))));
	});
}
