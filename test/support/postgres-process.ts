import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, chmod, chown, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port';
import { binariesFor, type PostgresVersion, runAs, serverUser } from './postgres-binaries';
import { waitUntil } from './wait-until';
import { isAlive, startWatchdog } from './watchdog';

/** All there is to know about a server, as plain data, so that another process can use it. */
export interface ServerRecord {
	readonly version: PostgresVersion;
	/** Holds `data/`, `log` and, sometimes, the binaries. */
	readonly directory: string;
	readonly binaries: string;
	readonly port: number;
	/** The process that removes the server when its owner is gone. */
	readonly watchdogPid: number;
}

/** Lines of postgresql.conf. */
export type ServerSettings = Readonly<Record<string, string | number | boolean>>;

export const HOST = '127.0.0.1';
export const USER = 'postgres';
export const PASSWORD = 'postgres';

const pidFile = (directory: string) => join(directory, 'data', 'postmaster.pid');

/** Makes a data folder with `settings`, guarded by a watchdog that acts when `ownerPid` ends. */
export async function createServer(
	version: PostgresVersion,
	settings: ServerSettings,
	ownerPid: number,
): Promise<ServerRecord> {
	const record = await createPlace(version, ownerPid);
	const { directory, binaries } = record;
	const passwordFile = join(directory, 'password');
	await writeFile(passwordFile, PASSWORD);
	await runAs(serverUser(), join(binaries, 'bin', 'initdb'), [
		...[`--pgdata=${join(directory, 'data')}`, `--pwfile=${passwordFile}`, `--username=${USER}`],
		...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
	]);
	await configure(record, settings);
	return record;
}

/** A folder for a server whose data come from elsewhere, guarded in the same way. */
export async function createPlace(version: PostgresVersion, ownerPid: number): Promise<ServerRecord> {
	const user = serverUser();
	const directory = await mkdtemp(join(tmpdir(), `bisync-postgres-${version}-`));
	const watchdogPid = startWatchdog(ownerPid, { directory, pidFile: pidFile(directory) });
	// mkdtemp makes a private folder, and the server may run as somebody else.
	await chmod(directory, 0o755);
	if (user) await chown(directory, user.uid, user.gid);
	const binaries = await binariesFor(user, version, directory);
	return { version, directory, binaries, port: await freePort(), watchdogPid };
}

/** Adds lines to postgresql.conf, for the next start: later ones hold. */
export async function configure({ directory }: ServerRecord, settings: ServerSettings): Promise<void> {
	const lines = Object.entries(settings).map(([name, value]) => `${name} = '${String(value)}'\n`);
	await appendFile(join(directory, 'data', 'postgresql.conf'), lines.join(''));
}

/**
 * Starts the postmaster and waits until it accepts connections.
 *
 * @throws Error with the server's log.
 */
export async function startPostmaster(record: ServerRecord): Promise<void> {
	await waitUntil(`Postgres ${record.version} to start`, async () => {
		const child = await spawnPostmaster(record);
		const outcome = await waitUntil('the postmaster', async () => {
			if (child.exitCode !== null || child.signalCode !== null) return 'exited';
			const [pid, , , , , , , status] = await readPidFile(record);
			return Number(pid) === child.pid && status?.trim() === 'ready' && 'ready';
		});
		if (outcome === 'ready') return true;
		const log = await readLog(record);
		// After a kill the old backends need a moment to notice that their postmaster is gone.
		if (log.slice(-1_000).includes('pre-existing shared memory block')) return false;
		throw new Error(`Postgres ${record.version} did not start:\n${log}`);
	});
}

async function spawnPostmaster(record: ServerRecord): Promise<ChildProcess> {
	const log = await open(join(record.directory, 'log'), 'a');
	const args = ['-D', join(record.directory, 'data'), '-p', String(record.port)];
	const child = spawn(join(record.binaries, 'bin', 'postgres'), args, {
		...serverUser(),
		cwd: '/',
		// Ctrl-C is for the tests: their watchdog stops the server.
		detached: true,
		stdio: ['ignore', log.fd, log.fd],
	});
	child.on('error', () => undefined);
	child.unref();
	await log.close();
	return child;
}

/**
 * Sends a signal to the postmaster (SIGINT: fast shutdown, SIGQUIT: immediate, SIGKILL: a crash) and
 * waits for its end. Does nothing when it does not run.
 */
export async function endPostmaster(record: ServerRecord, signal: NodeJS.Signals): Promise<void> {
	const pid = Number.parseInt((await readPidFile(record))[0] ?? '', 10);
	if (Number.isNaN(pid) || !isAlive(pid)) return;
	process.kill(pid, signal);
	await waitUntil(`Postgres ${record.version} to end`, () => !isAlive(pid));
}

/** Stops the server and removes everything it left on disk. */
export async function removeServer(record: ServerRecord): Promise<void> {
	if (isAlive(record.watchdogPid)) process.kill(record.watchdogPid);
	await endPostmaster(record, 'SIGQUIT');
	// Backends that outlive their postmaster for a moment may still write.
	await rm(record.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** @returns what the server logged so far. */
export async function readLog(record: ServerRecord): Promise<string> {
	return await readFile(join(record.directory, 'log'), 'utf8').catch(() => '');
}

async function readPidFile(record: ServerRecord): Promise<string[]> {
	const text = await readFile(pidFile(record.directory), 'utf8').catch(() => '');
	return text.split('\n');
}
