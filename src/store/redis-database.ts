import type { Redis } from 'ioredis';

import { EPOCHS_BEGAN_MS } from './epoch';
import { toStoreError } from './redis-errors';
import { type PolicyPart, RedisKeys } from './redis-keys';
import { NOW, type PolicyScript, RAISE, type RedisScript, writingWhenFull } from './redis-lua';

/** What a script returns: texts, whole numbers and lists of them. */
export type Reply = string | number | null | readonly Reply[];

export interface RedisDatabaseOptions {
	/** What the names of all keys begin with. */
	readonly prefix: string;
	/** Called before each command that is sent. */
	readonly onRoundTrip?: (() => void) | undefined;
}

/**
 * Key: the identity. Arguments: the server's run, when epochs began. Every start of a server, and every failover, is a run
 * of its own, and may have cost the last writes: the numbers of operations that were lost with them are never used again.
 */
const SEEN = writingWhenFull(`${NOW}${RAISE}
local known = redis.call('HGET', KEYS[1], 'run')
if known == ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'run', ARGV[1])
if known then raiseEpoch(KEYS[1], ARGV[2]) end
return 1
`);

/** The sync store's keys in one Redis, and the one way to send commands to it. */
export class RedisDatabase {
	readonly keys: RedisKeys;
	readonly #client: Redis;
	readonly #onRoundTrip: () => void;
	/** The server's run, looked up once per connection, before anything else is sent. */
	#run: Promise<string> | null = null;
	/** Why there is no connection. */
	#trouble: Error | null = null;

	constructor(client: Redis, { prefix, onRoundTrip = () => undefined }: RedisDatabaseOptions) {
		this.#client = client;
		this.keys = new RedisKeys(prefix);
		this.#onRoundTrip = onRoundTrip;
		// Without a listener, a connection that breaks would be written to the console. Whoever needs it next is told.
		client.on('error', (error: Error) => (this.#trouble = error));
		client.on('ready', () => (this.#trouble = null));
		client.on('close', () => (this.#run = null));
	}

	/** Runs a script on keys of one policy: one atomic step. */
	async policy<T extends Reply>(policy: string, { parts, script }: PolicyScript, args: readonly (string | number)[]): Promise<T> {
		return await this.run<T>(script, parts.map((part) => this.keys.ofPolicy(policy, part)), args);
	}

	/** @throws SyncError STORE_UNREACHABLE, STORE_READ_ONLY, STORE_FULL, AUTH_FAILED, PRIVILEGE_MISSING; a mistake in the script as it is */
	async run<T extends Reply>(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<T> {
		const rest = [keys.length, ...keys, ...args];
		try {
			return await this.send<T>('evalsha', script.sha, ...rest);
		} catch (error) {
			// The server has not seen it yet, or was started anew.
			if (!isNoScript(error)) throw error;
			return await this.send<T>('eval', script.lua, ...rest);
		}
	}

	/** One command. */
	async send<T>(command: string, ...args: (string | number)[]): Promise<T> {
		await this.serverRun();
		this.#onRoundTrip();
		return await this.#call<T>(command, args);
	}

	/** Of the server that answers now: another one after each of its starts. */
	async serverRun(): Promise<string> {
		const run = (this.#run ??= this.#lookUpRun());
		try {
			return await run;
		} catch (error) {
			if (this.#run === run) this.#run = null;
			throw error;
		}
	}

	async #lookUpRun(): Promise<string> {
		const info = await this.#call<string>('info', ['server']);
		const run = /^run_id:(\w+)/m.exec(info)?.[1] ?? '';
		await this.#call('eval', [SEEN.lua, 1, this.keys.identity, run, EPOCHS_BEGAN_MS]);
		return run;
	}

	async #call<T>(command: string, args: readonly (string | number)[]): Promise<T> {
		try {
			return (await this.#client.call(command, ...args)) as T;
		} catch (error) {
			if (isNoScript(error)) throw error;
			throw toStoreError(error, { address: this.#address(), trouble: this.#trouble });
		}
	}

	keyOf(policy: string, part: PolicyPart): string {
		return this.keys.ofPolicy(policy, part);
	}

	async close(): Promise<void> {
		// Not "quit", which waits for a server that may not answer any more.
		this.#client.disconnect();
	}

	#address(): string {
		const { host, port } = this.#client.options;
		return `${host ?? 'localhost'}:${port ?? 6379}`;
	}
}

function isNoScript(error: unknown): boolean {
	return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
