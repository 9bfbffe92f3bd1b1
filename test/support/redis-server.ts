import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port';
import { assertSuffixAdmits } from './test-suffix';
import { waitUntil } from './wait-until';
import { isAlive, startWatchdog } from './watchdog';

/** A real Redis server of its own. */
export interface RedisServer {
	readonly host: string;
	readonly port: number;
	/** `redis://host:port` */
	readonly url: string;
	/** Where it keeps its files. */
	readonly directory: string;
	/** Ends the server process, at once when killed; `start` brings it up again on the same port and files. */
	halt(how: 'kill' | 'stop'): Promise<void>;
	start(): Promise<void>;
	/** Ends the server and removes its files. */
	stop(): Promise<void>;
}

export interface RedisServerOptions {
	/** Whether every write is in a file before it is answered; default: nothing is ever on disk. */
	readonly keeps?: boolean;
	/** More of the server's own options, such as `['--maxmemory-policy', 'allkeys-lru']`. */
	readonly options?: readonly string[];
}

const HOST = '127.0.0.1';
const MISSING =
	'redis-server is not installed, and only root can do that here: apt-get install redis-server';

/**
 * Starts `redis-server` on a free port, installing it first where that is possible.
 *
 * @throws Error that says what to install.
 */
export async function startRedis({ keeps = false, options = [] }: RedisServerOptions = {}): Promise<RedisServer> {
	assertSuffixAdmits('redis');
	ensureInstalled();
	const directory = await mkdtemp(join(tmpdir(), 'bisync-redis-'));
	const pidFile = join(directory, 'pid');
	const watchdogPid = startWatchdog(process.pid, { directory, pidFile });
	const port = await freePort();
	const place = ['--port', String(port), '--dir', directory, '--pidfile', pidFile];
	let child: ChildProcess | null = null;
	const halt = async (how: 'kill' | 'stop') => {
		if (child) await end(child, how);
	};
	const start = async () => {
		child = spawnServer(keeps, [...place, ...options]);
		await isUp(child, port);
	};
	const stop = async () => {
		if (isAlive(watchdogPid)) process.kill(watchdogPid);
		await halt('stop');
		await rm(directory, { recursive: true, force: true });
	};
	try {
		await start();
	} catch (error) {
		await stop();
		throw error;
	}
	return { host: HOST, port, url: `redis://${HOST}:${port}`, directory, halt, start, stop };
}

async function isUp(child: ChildProcess, port: number): Promise<void> {
	await waitUntil('redis-server to start', () => {
		if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
		return answersPing(port);
	});
}

function spawnServer(keeps: boolean, options: readonly string[]): ChildProcess {
	const files = keeps ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
	return spawn('redis-server', ['--bind', HOST, '--save', '', ...files, ...options], { stdio: 'ignore' });
}

function ensureInstalled(): void {
	if (isInstalled()) return;
	if (process.getuid?.() !== 0) throw new Error(MISSING);
	try {
		aptGet('install');
	} catch {
		// A machine that never fetched the package lists does so now.
		aptGet('update');
		aptGet('install');
	}
	if (!isInstalled()) throw new Error(MISSING);
}

function isInstalled(): boolean {
	try {
		execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
		return true;
	} catch {
		return false; // not on the PATH
	}
}

/** The package's own service must not start: the tests bring their servers up themselves. */
function aptGet(command: 'install' | 'update'): void {
	const packages = command === 'install' ? ['--no-install-recommends', 'redis-server'] : [];
	const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
	const options = ['-o', 'DPkg::Lock::Timeout=120', '-y', '-q'];
	execFileSync('apt-get', [command, ...options, ...packages], { env, stdio: 'ignore' });
}

async function answersPing(port: number): Promise<boolean> {
	const socket = connect(port, HOST).setEncoding('utf8').setTimeout(1_000);
	socket.on('timeout', () => socket.destroy(new Error('no answer in a second')));
	try {
		socket.end('PING\r\n');
		const [answer] = (await once(socket, 'data')) as [string];
		return answer.startsWith('+PONG');
	} catch {
		return false; // nobody listens yet
	} finally {
		socket.destroy();
	}
}

async function end(child: ChildProcess, how: 'kill' | 'stop'): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = once(child, 'exit');
	child.kill(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
	await ended;
}
