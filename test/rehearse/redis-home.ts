import { randomBytes } from 'node:crypto';

import type { Redis } from 'ioredis';

import { openRedis } from '../../src/store/redis-connect';
import { RedisStore } from '../../src/store/redis-store';
import type { DueLink, LeaseRequest } from '../../src/store/sync-store';
import type { RedisServer } from '../support/redis-server';
import { redisSettings } from '../support/redis-store-home';
import { GRACE_MS, quick, type StoreHome } from './store-home';

class QuickRedisStore extends RedisStore {
	override async leaseDue(request: LeaseRequest): Promise<readonly DueLink[]> {
		return await super.leaseDue(quick(request));
	}
}

/** A store with a prefix of its own, so that scenarios share the server and nothing else. */
export async function openRedisHome(server: RedisServer): Promise<StoreHome> {
	const prefix = `rehearse_${randomBytes(4).toString('hex')}`;
	const admin = openRedis(redisSettings(server));
	// Also those of processes that died: theirs would try to connect for ever.
	const opened: QuickRedisStore[] = [];
	const connect = (port: number): QuickRedisStore => {
		const store = new QuickRedisStore(openRedis({ ...redisSettings(server), port }), { prefix, graceMs: GRACE_MS });
		opened.push(store);
		return store;
	};
	const observer = connect(server.port);
	await observer.migrate();
	let copy: readonly Dumped[] = [];
	const lose = async (): Promise<void> => {
		for (const key of await keysOf(admin, prefix)) await admin.unlink(key);
	};
	return {
		observer,
		port: server.port,
		openFor: (port) => ({
			store: connect(port),
			credential: { backend: 'redis', host: server.host, redisPort: port, redisPrefix: prefix },
		}),
		async keepCopy() {
			copy = await dumped(admin, prefix);
		},
		async goBack() {
			await lose();
			for (const { key, value } of copy) await admin.restore(key, 0, value);
		},
		lose,
		async drop() {
			await lose();
			await Promise.all(opened.map(async (store) => await store.close()));
			admin.disconnect();
		},
	};
}

interface Dumped {
	readonly key: string;
	readonly value: Buffer;
}

/** Claims are left out: they would have to lapse. */
async function dumped(admin: Redis, prefix: string): Promise<Dumped[]> {
	const keys = (await keysOf(admin, prefix)).filter((key) => !key.includes(':claims:'));
	const values = await Promise.all(keys.map(async (key) => await admin.dumpBuffer(key)));
	return keys.flatMap((key, place) => (values[place] ? [{ key, value: values[place] }] : []));
}

async function keysOf(admin: Redis, prefix: string): Promise<string[]> {
	const keys: string[] = [];
	for (let cursor = '0'; ; ) {
		const [next, found] = await admin.scan(cursor, 'MATCH', `{${prefix}[:}]*`, 'COUNT', 1_000);
		keys.push(...found);
		cursor = next;
		if (cursor === '0') return [...new Set(keys)];
	}
}
