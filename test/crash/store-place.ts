import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import pg from 'pg';

import { openPool as openStorePool } from '../../src/postgres/open-pool';
import { openRedis } from '../../src/store/redis-connect';
import { PostgresStore } from '../../src/store/postgres-store';
import type { SyncStore } from '../../src/store/sync-store';
import { startPostgres } from '../support/embedded-postgres';
import { storeCredential } from '../support/fake-trigger-context';
import { startRedis } from '../support/redis-server';
import { redisClient, redisSettings } from '../support/redis-store-home';
import { openTcpRelay, type TcpRelay } from '../support/tcp-relay';
import { waitUntil } from '../support/wait-until';
import { alone } from './alone';
import { POLICY } from './systems';

export const STORE_KINDS = ['postgres', 'redis'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** The sync store on a server of its own, and the relay through which workers reach it. */
export interface StorePlace {
	readonly relay: TcpRelay;
	/** Straight to the server, as people and the checks reach it. */
	readonly store: SyncStore;
	readonly credential: Record<string, unknown>;
	/** Through the relay. */
	readonly workerCredential: Record<string, unknown>;
	/** A power cut: what was answered is there again when the server is back. */
	crash(): Promise<void>;
	/** Keeps a copy of all there is. No worker may run. */
	keepCopy(): Promise<void>;
	/** Is killed, and comes back with the copy. No worker may run. */
	goBack(): Promise<void>;
	/** Some links that are due. */
	dueLinks(): Promise<string[]>;
	/** Lets links that were woken often wait no longer. */
	hurry(): Promise<void>;
	/** The number of the last journal entry. */
	lastEntry(): Promise<string>;
}

type CloseLater = (close: () => Promise<void>) => void;

export async function openStorePlace(kind: StoreKind, settings: Record<string, string>, closeLater: CloseLater): Promise<StorePlace> {
	return kind === 'redis' ? await openRedisPlace(closeLater) : await openPostgresPlace(settings, closeLater);
}

const DUE_SHOWN = 10;

async function openPostgresPlace(config: Record<string, string>, closeLater: CloseLater): Promise<StorePlace> {
	const server = await startPostgres({ version: 18, settings: config });
	closeLater(async () => await server.stop());
	const relay = await openTcpRelay(server.port);
	closeLater(async () => await relay.close());
	const settings = await server.createDatabase('store');
	const { database } = settings;
	const pool = new pg.Pool({ ...settings, max: 6, connectionTimeoutMillis: 10_000 });
	// Servers are killed here: whoever needs a connection next gets a new one, or the error.
	pool.on('error', () => undefined);
	const store = new PostgresStore(openStorePool({ ...settings, ssl: { mode: 'disable' } }, 4));
	closeLater(async () => {
		await Promise.all([pool.end(), store.close()]);
	});
	const one = async (text: string): Promise<string> => {
		const { rows } = await pool.query<{ found: string | null }>(text);
		return rows[0]?.found ?? '';
	};
	return {
		relay,
		store,
		credential: storeCredential(settings, 'n8n_bisync'),
		workerCredential: storeCredential({ ...settings, port: relay.port }, 'n8n_bisync'),
		async crash() {
			await server.kill();
			await server.restart();
		},
		keepCopy: async () => await alone({ server, database }, `create database copy template ${database}`),
		async goBack() {
			await alone({ server, database }, `drop database ${database} with (force)`);
			await alone({ server, database }, `alter database copy rename to ${database}`);
		},
		dueLinks: async () => (await one(`select string_agg(id, ' ') as found from (select id from n8n_bisync.links where due limit ${DUE_SHOWN}) l`)).split(' ').filter(Boolean),
		async hurry() {
			await pool.query(
				`update n8n_bisync.links set wake_at = clock_timestamp()
				 where due and wakes > 1 and wake_at > clock_timestamp() + interval '1 second'`,
			);
		},
		lastEntry: async () => await one('select max(seq)::text as found from n8n_bisync.journal'),
	};
}

/** Waking early is safe for anybody, so the number of wakes is not looked at; but a link that was just committed is left alone for a while. */
const HURRY = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '(' .. now + 5000, '+inf', 'BYSCORE')) do redis.call('ZADD', KEYS[1], now, id) end`;

async function openRedisPlace(closeLater: CloseLater): Promise<StorePlace> {
	const server = await startRedis({ keeps: true });
	closeLater(async () => await server.stop());
	const relay = await openTcpRelay(server.port);
	closeLater(async () => await relay.close());
	const [store, admin] = [redisClient(server), openRedis(redisSettings(server))];
	admin.on('error', () => undefined);
	closeLater(async () => {
		admin.disconnect();
		await store.close();
	});
	const [files, copy] = [join(server.directory, 'appendonlydir'), join(server.directory, 'copy')];
	const keyOf = (part: string): string => `{n8n_bisync:${POLICY}}:${part}`;
	const start = async (): Promise<void> => {
		await server.start();
		await waitUntil('the store to answer', async () => await admin.ping().then(() => true, () => false));
	};
	const credential = (port: number) => ({ backend: 'redis', host: server.host, redisPort: port, redisPrefix: 'n8n_bisync' });
	return {
		relay,
		store,
		credential: credential(server.port),
		workerCredential: credential(relay.port),
		async crash() {
			await server.halt('kill');
			await start();
		},
		async keepCopy() {
			await server.halt('stop');
			await rm(copy, { recursive: true, force: true });
			await cp(files, copy, { recursive: true });
			await start();
		},
		async goBack() {
			await server.halt('kill');
			await rm(files, { recursive: true });
			await rename(copy, files);
			await start();
		},
		dueLinks: async () => await admin.zrange(keyOf('due'), '0', String(DUE_SHOWN - 1)),
		async hurry() {
			await admin.eval(HURRY, 1, keyOf('due'));
		},
		lastEntry: async () => (await admin.hget(keyOf('policy'), 'seq')) ?? '0',
	};
}
