import pg from 'pg';

import { PostgresStore, type PostgresStoreOptions } from '../../src/store/postgres-store';
import { freePort } from '../support/free-port';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { commit, commitOf, link, loadLink, POLICY } from './contract/store-under-test';

let db: TestDatabase;
beforeAll(async () => {
	db = await openTestDatabase('postgres-migrations');
});
afterAll(() => db.drop());

const open = (options: PostgresStoreOptions = {}, settings: pg.PoolConfig = {}) =>
	new PostgresStore(new pg.Pool({ ...db.settings, max: 2, ...settings }), options);

test.each([1, 2, 3, 4])(
	'many processes may migrate at once, and again, without touching what is there (%d)',
	async (n) => {
		const stores = Array.from({ length: 8 }, () => open({ schema: `at once ${n}` }));
		await Promise.all(stores.map((store) => store.migrate()));
		const [store] = stores as [PostgresStore];
		await commit(store, [commitOf(link('l1'))]);
		await Promise.all(stores.map((each) => each.migrate()));
		expect(await loadLink(store, 'l1')).toBeDefined();
		await Promise.all(stores.map((each) => each.close()));
	},
);

test('two stores in one database are strangers: other ids, other secrets, other links', async () => {
	const stores = [open({ schema: 'first' }), open({ schema: 'second' })] as const;
	const request = { name: POLICY, document: {}, hash: 'h', by: 'x', initialMode: 'live' as const };
	const published = [];
	for (const store of stores) {
		await store.migrate();
		published.push(await store.publishPolicy(request));
	}
	const [first, second] = published;
	expect(first?.storeId).not.toBe(second?.storeId);
	expect(first?.macKey).not.toBe(second?.macKey);
	await commit(stores[0], [commitOf(link('l1'))]);
	expect(await loadLink(stores[1], 'l1')).toBeUndefined();
	await Promise.all(stores.map((store) => store.close()));
});

test('a schema that is newer than the code is refused, and left as it is', async () => {
	const store = open({ schema: 'newer' });
	await store.migrate();
	await db.pool.query('insert into newer.migrations (number) values (99)');
	await expect(store.migrate()).rejects.toMatchObject({
		code: 'STORE_TOO_NEW',
		action: 'stop',
		message: expect.stringMatching(/"newer" has version 99, but .* knows \d+$/) as string,
	});
	await store.close();
});

test('a migration that fails leaves nothing behind', async () => {
	await db.pool.query('create schema broken');
	await db.pool.query('create view broken.reviews as select 1 as one');
	const store = open({ schema: 'broken' });
	await expect(store.migrate()).rejects.toThrow(/already exists/);
	const { rows } = await db.pool.query(
		`select relname from pg_class where relnamespace = 'broken'::regnamespace and relkind in ('r', 'v')`,
	);
	expect(rows).toEqual([{ relname: 'reviews' }]);
	await db.pool.query('drop view broken.reviews');
	await store.migrate();
	await store.close();
});

test('a role that may not create the schema gets told what it lacks; in a schema of its own it needs no more', async () => {
	const role = `plain_${db.settings.database}`;
	await db.pool.query(`create role ${role} login password 'secret'`);
	const asRole = { user: role, password: 'secret' };
	const refused = open({ schema: 'not mine' }, asRole);
	await expect(refused.migrate()).rejects.toMatchObject({
		code: 'PRIVILEGE_MISSING',
		message: expect.stringContaining('sync store on 127.0.0.1') as string,
	});
	await db.pool.query(`create schema mine authorization ${role}`);
	const store = open({ schema: 'mine' }, asRole);
	await store.migrate();
	expect(await commit(store, [commitOf(link('l1'))])).toEqual(['committed']);
	await Promise.all([refused.close(), store.close()]);
	await db.pool.query(`drop schema mine cascade`);
	await db.pool.query(`drop role ${role}`);
});

test('a store that cannot be reached says where it was looked for, and that trying again can help', async () => {
	const port = await freePort();
	const store = open({}, { port });
	const unreachable = {
		code: 'STORE_UNREACHABLE',
		action: 'retry',
		message: expect.stringContaining(`the sync store on 127.0.0.1:${port}`) as string,
	};
	await expect(store.load({ policy: POLICY })).rejects.toMatchObject(unreachable);
	await expect(store.migrate()).rejects.toMatchObject(unreachable);
	await store.close();
});

test('a store whose sessions are ended goes on with new ones', async () => {
	const store = open({ schema: 'cut' }, { application_name: 'bisync-cut' });
	await store.migrate();
	await commit(store, [commitOf(link('l1'))]);
	await db.pool.query(
		`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bisync-cut'`,
	);
	const answer = await loadLink(store, 'l1').catch((error: unknown) => error);
	if (answer instanceof Error) expect(answer).toMatchObject({ code: 'STORE_UNREACHABLE' });
	expect(await loadLink(store, 'l1')).toBeDefined();
	await store.close();
});

test('closing twice is closing once', async () => {
	const store = open({ schema: 'closed' });
	await store.close();
	await expect(store.close()).resolves.toBeUndefined();
});
