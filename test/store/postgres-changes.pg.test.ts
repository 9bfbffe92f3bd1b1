import pg from 'pg';

import type { KeptComparison } from '../../src/core/kept-comparison';
import { EXISTENCE, type Key, type LinkState } from '../../src/core/link';
import { PostgresStore } from '../../src/store/postgres-store';
import type { LinkChanges } from '../../src/store/store-changes';
import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { publish, shapesOf } from './contract/digest-contract';
import { commit, commitOf, link, POLICY } from './contract/store-under-test';

let server: PostgresServer;
let db: TestDatabase;
let store: PostgresStore;
// Whatever else is open on a server holds the horizons back.
beforeAll(async () => {
	server = await startPostgres({ version: 18, settings: { autovacuum: false } });
});
afterAll(async () => {
	await server.stop();
});
beforeEach(async () => {
	db = await openTestDatabase('postgres-changes', { server });
	// What an integrator gives it: no superuser.
	await db.pool.query(`drop role if exists plain_store; create role plain_store login password 'plain'; grant create on database ${db.settings.database} to plain_store`);
	store = new PostgresStore(new pg.Pool({ ...db.settings, user: 'plain_store', password: 'plain', max: 4 }));
	await store.migrate();
	await publish(store);
});
afterEach(async () => {
	await store.close();
	await db.pool.query('drop owned by plain_store; drop role plain_store');
	await db.drop();
});

const OF = { policy: POLICY, entity: 'customer', systems: ['crm', 'billing'] };
const field = (valueIn: (system: string) => boolean | string) => ({
	merged: null,
	frozen: null,
	views: Object.fromEntries(['crm', 'billing'].map((system) => [system, { raw: valueIn(system), canon: valueIn(system), vector: {} }])),
});

function record(id: string, keys: Record<string, Key> = { crm: { id }, billing: { no: `7${id}` } }, there = ['crm', 'billing']): LinkState {
	return link(id, { keys, fields: { [EXISTENCE]: field((system) => there.includes(system)), ref: field(() => `r${id}`), name: field(() => 'n') } });
}

async function since<T>(horizon: string, work: (changes: LinkChanges) => Promise<T>, most = 9): Promise<T | null> {
	return await store.digests.changes.since({ policy: POLICY, entity: 'customer', shapes: shapesOf(), horizon, most }, work);
}

test('tells which links have been written since, their keys, and how many rows there are', async () => {
	await commit(store, [commitOf(record('a')), commitOf(record('b')), commitOf(record('c', { crm: { id: 'c' } }, ['crm']))]);
	const { horizon } = await store.digests.changes.seen();
	await since(horizon, async (changes) => {
		expect(changes).toMatchObject({ links: 3, differing: 1, rows: [3, 2], changed: [], isStale: false });
		return await Promise.resolve();
	});
	const long = 'x'.repeat(400);
	await commit(store, [commitOf(record('b'), { expectedRevision: 1 }), commitOf(record('d', { crm: { id: long } })), commitOf(link('e', { entity: 'other' }))]);
	await since(horizon, async (changes) => {
		expect(changes).toMatchObject({ links: 4, rows: [4, 2] });
		expect([...changes.changed].sort()).toEqual(['b', 'd']);
		const keys = await changes.keysOf(changes.changed);
		expect(keys.map(({ system, entity, key }) => [system, entity, Object.values(key)[0]]).sort()).toEqual([['billing', 'customer', '7b'], ['crm', 'customer', 'b'], ['crm', 'customer', long]]);
		const [crm, billing] = shapesOf();
		if (!crm || !billing) throw new Error('there are no shapes');
		const found = await changes.find(crm, keys.filter(({ system }) => system === 'crm'));
		expect(found.flatMap(({ ids }) => ids.split(' ')).sort()).toEqual(['b', 'd']);
		expect(await changes.find(billing, [{ system: 'billing', entity: 'customer', key: { no: 'nobody' } }])).toEqual([]);
	});
	expect(await since(horizon, async () => await Promise.resolve('some'), 1)).toBeNull();
	expect(BigInt((await store.digests.changes.seen()).horizon)).toBeGreaterThan(BigInt(horizon));
});

test('a key that its link has no more leads to none, also where nobody else has taken it', async () => {
	await commit(store, [commitOf(record('a'))]);
	await commit(store, [commitOf(record('a', { crm: { id: 'z' } }), { expectedRevision: 1 })]);
	const [crm] = shapesOf();
	if (!crm) throw new Error('there is no shape');
	const find = async (id: string) => await since('3', async (changes) => await changes.find(crm, [{ system: 'crm', entity: 'customer', key: { id } }]));
	expect([await find('a'), (await find('z'))?.length]).toEqual([[], 1]);
});

test('a commit that was under way when somebody looked counts as written since', async () => {
	await commit(store, [commitOf(record('a'))]);
	const open = new pg.Client(db.settings);
	await open.connect();
	await open.query('begin; select pg_current_xact_id()');
	const { horizon } = await store.digests.changes.seen();
	await open.query(`update n8n_bisync.links set written = pg_current_xact_id() where id = 'a'; commit`);
	await open.end();
	expect(await since(horizon, async ({ changed }) => await Promise.resolve(changed))).toEqual(['a']);
});

test('a link without digests makes them stale', async () => {
	await commit(store, [commitOf(record('a'))]);
	const { horizon } = await store.digests.changes.seen();
	await db.pool.query(`update n8n_bisync.links set digests = null, written = pg_current_xact_id()`);
	expect(await since(horizon, async ({ isStale }) => await Promise.resolve(isStale))).toBe(true);
});

test('keeps what a comparison leaves, by what was compared, until nothing is left', async () => {
	const { changes } = store.digests;
	const kept: KeptComparison = { seen: { crm: { identity: 'i', horizon: '9' } }, suspects: { crm: [{ id: '1' }] }, wholeAtMs: 5 };
	await changes.keep(OF, { ...kept, wholeAtMs: 4 });
	await changes.keep(OF, kept);
	expect([await changes.read(OF), await changes.read({ ...OF, systems: ['crm', 'erp'] }), await changes.read({ ...OF, entity: 'order' })]).toEqual([kept, null, null]);
	await changes.keep(OF, null);
	expect(await changes.read(OF)).toBeNull();
});
