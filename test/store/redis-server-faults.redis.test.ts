import { openRedis, type RedisSettings } from '../../src/store/redis-connect';
import { RedisStore } from '../../src/store/redis-store';
import { freePort } from '../support/free-port';
import { type RedisServer, startRedis } from '../support/redis-server';
import { redisSettings } from '../support/redis-store-home';
import { commit, commitOf, link, loadLink, note, POLICY, review } from './contract/store-under-test';

let server: RedisServer;
beforeAll(async () => {
	server = await startRedis();
});
afterAll(() => server.stop());

/** The server, with these settings of it for as long as `work` takes. */
async function withSettings(settings: Readonly<Record<string, string>>, work: () => Promise<void>): Promise<void> {
	const admin = openRedis(redisSettings(server));
	const before = new Map<string, string>();
	for (const [name, value] of Object.entries(settings)) {
		before.set(name, ((await admin.config('GET', name)) as string[])[1] ?? '');
		await admin.config('SET', name, value);
	}
	try {
		await work();
	} finally {
		for (const [name, value] of before) await admin.config('SET', name, value);
		admin.disconnect();
	}
}

async function withStore(work: (store: RedisStore) => Promise<void>, changes: Partial<RedisSettings> = {}): Promise<void> {
	const store = new RedisStore(openRedis({ ...redisSettings(server), ...changes }), { prefix: `p${prefixes++}` });
	try {
		await work(store);
	} finally {
		await store.close();
	}
}
let prefixes = 0;

test('a server that forgets when its memory is full is refused, with the command that mends it', async () => {
	await withSettings({ 'maxmemory-policy': 'allkeys-lru' }, async () => {
		await withStore(async (store) => {
			await expect(store.migrate()).rejects.toMatchObject({
				code: 'STORE_UNSUITABLE',
				message: expect.stringContaining('CONFIG SET maxmemory-policy noeviction') as string,
			});
		});
	});
});

test('a replica is refused', async () => {
	const replica = await startRedis({ options: ['--replicaof', server.host, String(server.port)] });
	try {
		const store = new RedisStore(openRedis(redisSettings(replica)));
		await expect(store.migrate()).rejects.toMatchObject({ code: expect.stringMatching(/STORE_UNSUITABLE|STORE_READ_ONLY/) as string });
		await store.close();
	} finally {
		await replica.stop();
	}
});

test('when there is no memory left, a commit is refused as a whole, and what is there can be read', async () => {
	await withStore(async (store) => {
		await store.migrate();
		await commit(store, [commitOf(link('l1'))]);
		await withSettings({ maxmemory: '1' }, async () => {
			const more = [commitOf(link('l2'), { journal: [note('n')], reviews: [{ action: 'open', item: review('r') }], claims: ['m'] })];
			await expect(commit(store, more)).rejects.toMatchObject({ code: 'STORE_FULL', action: 'retry' });
			expect(await loadLink(store, 'l1')).toBeDefined();
		});
		expect(await loadLink(store, 'l2')).toBeUndefined();
		expect(await store.readJournal({ policy: POLICY, limit: 1 })).toEqual([]);
	});
});

test('nobody there, a wrong password and a missing one are told apart', async () => {
	const port = await freePort();
	await withStore(
		async (store) => {
			await expect(store.migrate()).rejects.toMatchObject({
				code: 'STORE_UNREACHABLE',
				message: expect.stringContaining(`127.0.0.1:${port} cannot be reached: connect ECONNREFUSED`) as string,
			});
		},
		{ port },
	);
	await withSettings({ requirepass: 'secret' }, async () => {
		await withStore(async (store) => await expect(store.migrate()).rejects.toMatchObject({ code: 'AUTH_FAILED' }));
		await withStore(async (store) => await expect(store.migrate()).rejects.toMatchObject({ code: 'AUTH_FAILED' }), { password: 'wrong' });
		await withStore(async (store) => await store.migrate(), { password: 'secret' });
	});
});

test('a newer layout is left alone', async () => {
	await withStore(async (store) => {
		await store.migrate();
		const admin = openRedis(redisSettings(server));
		await admin.hset(`{p${prefixes - 1}}:identity`, 'version', 99);
		admin.disconnect();
		await expect(store.migrate()).rejects.toMatchObject({ code: 'STORE_TOO_NEW' });
	});
});

test('stores with different prefixes share a server and nothing else', async () => {
	await withStore(async (one) => {
		await withStore(async (two) => {
			await Promise.all([one.migrate(), two.migrate()]);
			await commit(one, [commitOf(link('l1'))]);
			expect(await loadLink(one, 'l1').catch(() => 'lost')).toBeDefined();
			expect(await loadLink(two, 'l1')).toBeUndefined();
		});
	});
});

test('databases of one server are different stores', async () => {
	await withStore(async (store) => {
		await store.migrate();
		await commit(store, [commitOf(link('l1'))]);
		const other = new RedisStore(openRedis({ ...redisSettings(server), database: 5 }), { prefix: `p${prefixes - 1}` });
		await other.migrate();
		expect(await loadLink(other, 'l1')).toBeUndefined();
		await other.close();
	});
});
