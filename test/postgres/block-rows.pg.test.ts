import type pg from 'pg';

import { BlockRows } from '../../src/postgres/block-rows';
import { connect } from '../../src/postgres/connect';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

let db: TestDatabase;
let client: pg.Client;
beforeEach(async () => {
	db = await openTestDatabase('block-rows');
	client = await connect(db.settings);
	await db.pool.query(`alter database ${db.settings.database} set autovacuum = off`).catch(() => undefined);
	await db.pool.query(`create table kept (id int primary key, v int not null, pad text not null default repeat('x', 200)) with (autovacuum_enabled = off)`);
});
afterEach(async () => {
	await client.end();
	await db.drop();
});

/** What a first look has kept. */
interface Kept {
	readonly identity: string | null;
	readonly horizon: string;
	readonly bytes: ReadonlyMap<number, Buffer>;
}

const WIDTH = 16;

/** In a snapshot of its own, as a run does it: only ranges that have changed are read. */
async function look(before: Kept | null): Promise<Kept & { readonly read: number }> {
	await client.query('begin transaction isolation level repeatable read, read only');
	const rows = new BlockRows({ client, table: 'public.kept', numbers: ['t.id::bigint', 't.v::bigint'] });
	const [identity, horizon] = [await rows.identity(), await rows.horizon()];
	const known = before?.identity === identity ? before : null;
	const ranges = await rows.ranges(known?.horizon ?? null);
	const bytes = new Map<number, Buffer>();
	const wanted: number[] = [];
	for (const { first, rows: count, isNew } of ranges) {
		const kept = known?.bytes.get(first);
		if (!isNew && kept?.length === count * WIDTH) bytes.set(first, kept);
		else wanted.push(first);
	}
	for await (const one of rows.numbers(wanted)) bytes.set(one.first, one.bytes);
	await client.query('commit');
	return { identity, horizon, bytes, read: wanted.length };
}

function rowsOf({ bytes }: Kept): string[] {
	const rows: string[] = [];
	for (const block of bytes.values()) for (let at = 0; at < block.length; at += WIDTH) rows.push(`${block.readBigInt64BE(at)} ${block.readBigInt64BE(at + 8)}`);
	return rows.sort();
}

async function truth(): Promise<string[]> {
	const { rows } = await db.pool.query<{ row: string }>(`select id || ' ' || v as row from kept`);
	return rows.map(({ row }) => row).sort();
}

/** Numbers that are the same each time. */
function random(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		return (state >>> 8) % below;
	};
}

test('what was kept, with what has changed since, are the rows that are there: after any changes, rolled back ones, and vacuum', async () => {
	const below = random(Number(process.env['PROPERTY_SEED'] ?? 7));
	await db.pool.query('insert into kept select n, 0 from generate_series(1, 4000) n');
	let kept: Kept = await look(null);
	let [spared, all] = [0, 0];
	let next = 5_000;
	const open = await connect(db.settings);
	let isOpen = false;
	for (let turn = 0; turn < Number(process.env['PROPERTY_RUNS'] ?? 60); turn++) {
		for (let change = below(4); change >= 0; change--) {
			const [id, kind] = [1 + below(4_000), below(10)];
			const session = isOpen && below(2) === 0 ? open : db.pool;
			if (kind < 3) await session.query('update kept set v = v + 1 where id = $1', [id]).catch(() => undefined);
			else if (kind < 5) await db.pool.query('delete from kept where id = any($1) and id not in (select id from kept where id % 7 = 0)', [[id, id + 1]]).catch(() => undefined);
			else if (kind === 5) await session.query('insert into kept select n, 1 from generate_series($1::int, $1::int + 20) n', [(next += 100)]);
			else if (kind === 6) await db.pool.query('vacuum kept');
			else if (kind === 7) await db.pool.query('vacuum freeze kept').catch(() => undefined);
			else if (kind === 8 && !isOpen) {
				await open.query(`begin; set local lock_timeout = '50ms'; savepoint s; update kept set v = v - 1 where id % 7 = 0 and id between ${id} and ${id + 30}`);
				isOpen = true;
			} else if (isOpen) {
				await open.query(below(2) === 0 ? 'commit' : 'rollback');
				isOpen = false;
			}
		}
		const now = await look(kept);
		expect(rowsOf(now)).toEqual(await truth());
		spared += now.bytes.size - now.read;
		all += now.bytes.size;
		kept = now;
	}
	await open.end();
	expect(spared / all).toBeGreaterThan(0.5);
}, 60_000);

test('one changed row has the rows around it read, and no others', async () => {
	await db.pool.query('insert into kept select n, 0 from generate_series(1, 4000) n');
	const first = await look(null);
	expect(first.read).toBe(first.bytes.size);
	await db.pool.query('update kept set v = 5 where id = 17');
	expect((await look(first)).read).toBeLessThanOrEqual(2);
	await db.pool.query('delete from kept where id = 3000');
	expect((await look(first)).read).toBeLessThanOrEqual(3);
});

test('a file that is written anew is another one, although its rows have kept their transactions', async () => {
	await db.pool.query('insert into kept select n, 0 from generate_series(1, 2000) n');
	const first = await look(null);
	await db.pool.query('delete from kept where id % 100 = 1');
	await db.pool.query('vacuum full kept');
	const second = await look(first);
	expect(second.identity).not.toBe(first.identity);
	expect(rowsOf(second)).toEqual(await truth());
	await db.pool.query('truncate kept');
	expect(rowsOf(await look(second))).toEqual([]);
});

test('what cannot be looked at by its blocks says so', async () => {
	await db.pool.query('create table parted (id int) partition by range (id)');
	expect(await new BlockRows({ client, table: 'public.parted', numbers: [] }).identity()).toBeNull();
});
