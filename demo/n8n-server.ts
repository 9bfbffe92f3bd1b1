import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ConnectionSettings } from '../test/support/embedded-postgres';
import { freePort } from '../test/support/free-port';
import { waitUntil } from '../test/support/wait-until';
import {
	logTail,
	type N8nFolder,
	type N8nProcess,
	prepareFolder,
	removeFolder,
	spawnN8n,
} from './n8n-process';
import type { Say } from './progress';

/** A real n8n with a folder, a database and ports of its own. */
export interface N8nServer {
	readonly url: string;
	readonly folder: N8nFolder;
	/** The process that runs now. */
	readonly pid: number;
	/** Starts n8n and waits until it answers; also again after `kill` or `stop`: same folder, same port. */
	start(): Promise<void>;
	/** SIGKILL, like a power cut. */
	kill(): Promise<void>;
	/** SIGTERM: lets running executions finish. */
	stop(): Promise<void>;
	/** Stops n8n and removes its folder. */
	remove(): Promise<void>;
}

export interface N8nOptions {
	/** An empty database for n8n's own tables. */
	readonly database: ConnectionSettings;
	readonly say: Say;
	/** More variables for n8n's process. */
	readonly variables?: Readonly<Record<string, string>>;
}

const HEARTBEAT_MS = 10_000;
const START_TIMEOUT_MS = 300_000;

/** Features that talk to servers outside or to language models; the demo is to stay on this machine. */
const DISABLED_MODULES = 'instance-ai,agents,chat-hub,mcp-registry,insights,workflow-builder';

/** Prepares the folder and chooses the ports; nothing runs before `start`. */
export async function createN8n({ database, say, variables = {} }: N8nOptions): Promise<N8nServer> {
	const folder = await prepareFolder(
		join(tmpdir(), `bisync-n8n-${randomBytes(4).toString('hex')}`),
	);
	const port = await freePort();
	const environment = {
		...commonVariables(database),
		N8N_HOST: '127.0.0.1',
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_PORT: String(port),
		N8N_RUNNERS_BROKER_PORT: String(await freePort()),
		N8N_ENCRYPTION_KEY: randomBytes(16).toString('hex'),
		...variables,
	};
	return new RealN8n(folder, `http://127.0.0.1:${port}`, environment, say);
}

/** What every process of an n8n has to be told. */
export function commonVariables(database: ConnectionSettings): Record<string, string> {
	return { ...quiet(), ...databaseVariables(database) };
}

/** No traffic to the outside, no banners, and cookies that work without TLS. */
function quiet(): Record<string, string> {
	return {
		NODE_ENV: 'production',
		N8N_SECURE_COOKIE: 'false',
		N8N_DIAGNOSTICS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
		N8N_TEMPLATES_ENABLED: 'false',
		N8N_DYNAMIC_BANNERS_ENABLED: 'false',
		N8N_HIRING_BANNER_ENABLED: 'false',
		N8N_PERSONALIZATION_ENABLED: 'false',
		N8N_LICENSE_AUTO_RENEW_ENABLED: 'false',
		N8N_DISABLED_MODULES: DISABLED_MODULES,
		N8N_PYTHON_ENABLED: 'false',
		N8N_LOG_LEVEL: 'info',
		N8N_GRACEFUL_SHUTDOWN_TIMEOUT: '15',
	};
}

function databaseVariables(database: ConnectionSettings): Record<string, string> {
	return {
		DB_TYPE: 'postgresdb',
		DB_POSTGRESDB_HOST: database.host,
		DB_POSTGRESDB_PORT: String(database.port),
		DB_POSTGRESDB_USER: database.user,
		DB_POSTGRESDB_PASSWORD: database.password,
		DB_POSTGRESDB_DATABASE: database.database,
	};
}

class RealN8n implements N8nServer {
	#process: N8nProcess | null = null;

	constructor(
		readonly folder: N8nFolder,
		readonly url: string,
		private readonly environment: Readonly<Record<string, string>>,
		private readonly say: Say,
	) {}

	get pid(): number {
		if (this.#process === null) throw new Error('n8n does not run');
		return this.#process.pid;
	}

	async start(): Promise<void> {
		const started = performance.now();
		const seconds = () => Math.round((performance.now() - started) / 1_000);
		const running = await spawnN8n(this.folder, this.environment);
		this.#process = running;
		const heartbeat = setInterval(
			() => this.say(`  … n8n is starting, ${seconds()} s`),
			HEARTBEAT_MS,
		);
		try {
			await waitUntil('n8n to start', async () => await this.#isReady(running), {
				timeoutMs: START_TIMEOUT_MS,
				everyMs: 250,
			});
		} catch (error) {
			await running.end('SIGKILL');
			throw new Error(`n8n did not start:\n${await logTail(this.folder)}`, { cause: error });
		} finally {
			clearInterval(heartbeat);
		}
		this.say(`  n8n is ready after ${seconds()} s: ${this.url}`);
	}

	async #isReady(running: N8nProcess): Promise<boolean> {
		if (running.hasEnded()) throw new Error('n8n has ended');
		try {
			const { status } = await fetch(`${this.url}/healthz/readiness`);
			// The address answers before the paths of the editor do.
			return status === 200 && (await fetch(`${this.url}/rest/settings`)).status === 200;
		} catch {
			return false; // not listening yet
		}
	}

	async kill(): Promise<void> {
		await this.#process?.end('SIGKILL');
	}

	async stop(): Promise<void> {
		await this.#process?.end('SIGTERM');
	}

	async remove(): Promise<void> {
		await this.stop();
		await removeFolder(this.folder);
	}
}
