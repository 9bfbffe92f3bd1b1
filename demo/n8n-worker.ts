import { randomBytes } from 'node:crypto';
import { readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ConnectionSettings } from '../test/support/embedded-postgres';
import { freePort } from '../test/support/free-port';
import type { RedisServer } from '../test/support/redis-server';
import { waitUntil } from '../test/support/wait-until';
import { logTail, type N8nFolder, prepareFolder, removeFolder, spawnN8n } from './n8n-process';
import { commonVariables } from './n8n-server';

/** A process that runs executions of an n8n in queue mode. */
export interface N8nWorker {
	/** How many executions it has begun, as it says itself. */
	executions(): Promise<number>;
	/** SIGKILL, like a power cut. */
	kill(): Promise<void>;
	/** Stops it and removes its folder. */
	remove(): Promise<void>;
}

export interface WorkerOptions {
	/** The main process's own database. */
	readonly database: ConnectionSettings;
	/** Where the pack is installed. */
	readonly main: N8nFolder;
	readonly queue: Readonly<Record<string, string>>;
}

/**
 * What main process and workers have in common in queue mode. A job whose worker is gone is noticed after some seconds; n8n's
 * own settings for that are a minute and more.
 */
export function queueVariables({ host, port }: Pick<RedisServer, 'host' | 'port'>): Record<string, string> {
	return {
		EXECUTIONS_MODE: 'queue',
		QUEUE_BULL_REDIS_HOST: host,
		QUEUE_BULL_REDIS_PORT: String(port),
		QUEUE_WORKER_LOCK_DURATION: '6000',
		QUEUE_WORKER_LOCK_RENEW_TIME: '2000',
		QUEUE_WORKER_STALLED_INTERVAL: '3000',
		N8N_ENCRYPTION_KEY: randomBytes(16).toString('hex'),
	};
}

/** Starts a worker and waits until it takes jobs. */
export async function startWorker({ database, main, queue }: WorkerOptions): Promise<N8nWorker> {
	const folder = await prepareFolder(join(tmpdir(), `bisync-n8n-worker-${randomBytes(4).toString('hex')}`));
	await symlink(join(main.path, '.n8n', 'nodes'), join(folder.path, '.n8n', 'nodes'));
	const port = String(await freePort());
	const running = await spawnN8n(
		folder,
		{
			...commonVariables(database),
			...queue,
			QUEUE_HEALTH_CHECK_ACTIVE: 'true',
			QUEUE_HEALTH_CHECK_PORT: port,
			N8N_RUNNERS_BROKER_PORT: String(await freePort()),
		},
		'worker',
	);
	try {
		await waitUntil('a worker to start', async () => {
			if (running.hasEnded()) throw new Error('the worker has ended');
			return await fetch(`http://127.0.0.1:${port}/healthz/readiness`).then(({ ok }) => ok, () => false);
		}, { timeoutMs: 300_000, everyMs: 250 });
	} catch (error) {
		await running.end('SIGKILL');
		throw new Error(`a worker did not start:\n${await logTail(folder)}`, { cause: error });
	}
	return {
		executions: async () => (await readFile(folder.logFile, 'utf8')).split('Worker started execution').length - 1,
		kill: async () => await running.end('SIGKILL'),
		async remove() {
			await running.end('SIGTERM');
			await removeFolder(folder);
		},
	};
}
