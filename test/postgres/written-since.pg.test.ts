import type pg from 'pg';

import type { DigestShape } from '../../src/core/row-digest';
import { connect } from '../../src/postgres/connect';
import { RowHashes } from '../../src/postgres/row-hashes';
import { beginSnapshot } from '../../src/postgres/snapshot';
import { query } from '../../src/postgres/sql';
import { tableIdentity } from '../../src/postgres/written-since';
import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { seededRandom } from '../support/seeded-random';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

let server: PostgresServer;
let db: TestDatabase;
let client: pg.Client;
// Whatever else is open on a server holds the horizons back.
beforeAll(async () => {
	server = await startPostgres({ version: 18, settings: { autovacuum: false } });
});
afterAll(async () => {
	await server.stop();
});
beforeEach(async () => {
	db = await openTestDatabase('written-since', { server });
	client = await connect(db.settings);
	await db.pool.query(`create table kept (id int primary key, v text)`);
});
afterEach(async () => {
	await client.end();
	await db.drop();
});

const SHAPE: DigestShape = { system: 'a', entity: 'e', tag: 5n, place: 0, key: ['id'], fields: [{ name: 'v', column: 'v' }] };

/** In a snapshot of its own, as a run has one. */
async function within<T>(work: (hashes: RowHashes) => Promise<T>, table = 'kept'): Promise<T> {
	await beginSnapshot(client);
	try {
		const hashes = await RowHashes.of(client, { schema: 'public', table, key: ['id'] }, SHAPE);
		if (typeof hashes === 'string') throw new Error(hashes);
		return await work(hashes);
	} finally {
		await client.query('rollback');
	}
}

interface Look {
	readonly horizon: string;
	readonly identity: string | null;
	readonly rows: ReadonlyMap<number, string>;
}

/** All rows of a snapshot, and where the next look may begin. */
async function look(since: string | null): Promise<Look & { readonly changed: ReadonlySet<number>; readonly count: number }> {
	return await within(async (hashes) => {
		const { rows } = await client.query<{ id: number; v: string }>('select id, v from kept');
		const found = since === null ? null : await hashes.changedSince(since, 1_000);
		const keys = found ? (await hashes.keysAt(found.ids)).rows : [];
		return { horizon: await hashes.horizon(), identity: hashes.identity, rows: new Map(rows.map(({ id, v }) => [id, v])), changed: new Set(keys.map(([id]) => Number(id))), count: found?.rows ?? rows.length };
	});
}

test('a row that counts as not written since is the one that was there: after any writes, rollbacks, savepoints, vacuum, and a table written anew', async () => {
	const { below } = seededRandom(Number(process.env['PROPERTY_SEED'] ?? 3));
	await db.pool.query(`insert into kept select n, 'v' from generate_series(1, 400) n`);
	let before = await look(null);
	const open = await connect(db.settings);
	let isOpen = false;
	let [spared, next] = [0, 1_000];
	const writes: readonly ((id: number) => Promise<unknown>)[] = [
		async (id) => await db.pool.query(`update kept set v = v || 'x' where id % 7 <> 0 and id = $1`, [id]),
		async (id) => await db.pool.query('delete from kept where id % 7 <> 0 and id = $1', [id]),
		async () => await db.pool.query(`insert into kept values ($1, 'new')`, [(next += 1)]),
		async () => await db.pool.query('vacuum freeze kept'),
		async () => (isOpen ? null : await db.pool.query('vacuum full kept')),
		async (id) => await db.pool.query(`begin; update kept set v = 'never' where id % 7 <> 0 and id = ${id}; rollback`),
		async (id) => {
			if (isOpen) await open.query(below(2) === 0 ? 'commit' : 'rollback');
			else await open.query(`begin; update kept set v = v || 'a' where id % 14 = 0 and id > ${id}; savepoint s; update kept set v = v || 'b' where id % 14 = 7 and id > ${id}; ${below(2) === 0 ? 'rollback to s' : 'release s'}`);
			isOpen = !isOpen;
		},
	];
	const turns = Number(process.env['PROPERTY_RUNS'] ?? 15);
	for (let turn = 0; turn < turns; turn++) {
		for (let change = below(5); change >= 0; change--) await writes[below(writes.length)]?.(1 + below(400));
		const now = await look(before.horizon);
		const same = [...now.rows].filter(([id]) => !now.changed.has(id));
		expect(same.filter(([id, v]) => before.rows.get(id) !== v)).toEqual([]);
		expect([now.count, now.identity]).toEqual([now.rows.size, before.identity]);
		spared += same.length;
		before = now;
	}
	await open.end();
	expect(spared).toBeGreaterThan(turns * 200);
});

test('what stays the same in a row while its text becomes another one is another table', async () => {
	await db.pool.query(`create type mood as enum ('fine'); create table parted (id int, v mood) partition by range (id); create table part_1 partition of parted for values from (0) to (10)`);
	const identity = async (): Promise<string | null> => await within(async (hashes) => await Promise.resolve(hashes.identity), 'parted');
	const seen = [await identity(), await identity()];
	expect(new Set(seen).size).toBe(1);
	for (const change of [
		`alter type mood rename value 'fine' to 'good'`,
		`create table part_2 (id int, v mood); insert into part_2 values (15, 'good'); alter table parted attach partition part_2 for values from (10) to (20)`,
		`alter table parted drop column v; alter table parted add column v mood default 'good'`,
		`alter table parted rename to old; create table parted (id int, v mood)`,
	]) {
		await db.pool.query(change);
		seen.push(await identity());
	}
	expect(new Set(seen).size).toBe(5);
});

test.each([
	['a column that is computed whenever it is read', `create table other (id int, w int, v int generated always as (w * 2) virtual)`],
	['a composite type', `create type place as (street text); create table other (id int, v place)`],
	['a list of a domain over one', `create type place as (street text); create domain home as place; create table other (id int, v home[])`],
	['a name of what may be renamed', `create table other (id int, v regclass)`],
	['a partition on another server', `create extension postgres_fdw; create server far foreign data wrapper postgres_fdw; create table other (id int, v text) partition by range (id);
		create foreign table part partition of other for values from (0) to (9) server far`],
])('%s keeps a table from being told by its transactions', async (_, statement) => {
	await db.pool.query(statement);
	await beginSnapshot(client);
	const columns = ['id', 'v'];
	expect(await tableIdentity(async (text, values) => await query(client, text, values), 'public.other', columns)).toBeNull();
	expect(await tableIdentity(async (text, values) => await query(client, text, values), 'public.kept', columns)).not.toBeNull();
});

test('a horizon that this server has not come to, or that is too far behind, tells nothing', async () => {
	const written = await db.pool.query<{ xid: string }>(`insert into kept values (1, 'v') returning pg_current_xact_id()::text as xid`);
	const own = BigInt(written.rows[0]?.xid ?? 0);
	await within(async (hashes) => {
		expect(await hashes.changedSince(String(own + 1_000_000n), 9)).toBeNull();
		expect(await hashes.changedSince(String(own + 1n), 9)).toEqual({ rows: 1, ids: [] });
		expect(await hashes.changedSince(String(own), 9)).toMatchObject({ rows: 1, ids: [expect.any(String)] });
		expect(await hashes.changedSince(String(own), 0)).toBeNull();
	});
});
