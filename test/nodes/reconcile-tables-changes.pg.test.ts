import type { IDataObject } from 'n8n-workflow';

import { ReconcileDiff } from '../../nodes/ReconcileDiff/ReconcileDiff.node';
import { untilAllSeen } from '../support/all-seen';
import { executeNode } from '../support/fake-execute';
import { replicationCredential } from '../support/fake-trigger-context';
import { seededRandom } from '../support/seeded-random';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

let [a, b] = [] as unknown as [TestDatabase, TestDatabase];
/** What n8n keeps of the node. */
let staticData: Record<string, unknown> = {};
beforeAll(async () => {
	[a, b] = await Promise.all([openTestDatabase('kept-a'), openTestDatabase('kept-b')]);
});
afterAll(async () => {
	await Promise.all([a.drop(), b.drop()]);
});
beforeEach(async () => {
	staticData = {};
	for (const { pool } of [a, b]) {
		await pool.query(`drop table if exists items; create table items (id int primary key, name text, price numeric); insert into items select n, 'name ' || n, n / 8.0 from generate_series(1, 300) n`);
	}
	await untilAllSeen(a.pool);
});

const CHANGED = { tableOptions: { onlyChanged: true } };

async function compared(parameters: Record<string, IDataObject | string> = {}): Promise<{ found: unknown; summary: IDataObject }> {
	const { outputs } = await executeNode(new ReconcileDiff(), {
		parameters: { operation: 'compareTables', connectWith: 'bisyncPostgresApi', tableA: 'items', tableB: 'items', key: 'id', ...parameters },
		credentials: { bisyncPostgresApi: { ...replicationCredential(a.settings) }, postgres: { ...b.settings, ssl: 'disable' } },
		items: [{ json: {} }],
		staticData,
	});
	const lists = outputs.slice(0, 3).map((output) => output.map(({ json }) => JSON.stringify(json)).sort());
	const { durationMs: _, ...summary } = outputs[3]?.[0]?.json ?? {};
	// As n8n keeps it.
	staticData = JSON.parse(JSON.stringify(staticData)) as typeof staticData;
	return { found: lists, summary };
}

/** Compares by changes, which is to find what comparing everything finds. */
async function comparedTwice(parameters: Record<string, IDataObject | string> = {}): Promise<IDataObject> {
	const changed = await compared({ ...CHANGED, ...parameters });
	const whole = await compared(parameters);
	const { lastWhole: _, ...rest } = changed.summary;
	expect({ found: changed.found, summary: rest }).toEqual(whole);
	return changed.summary;
}

test('after the first run, looks only at what has been written in either table, and at what differed before', async () => {
	const first = await comparedTwice();
	expect(first).toMatchObject({ equal: true, rows: { a: 300, b: 300 } });
	expect(first).not.toHaveProperty('lastWhole');
	const second = await comparedTwice();
	expect(second).toMatchObject({ equal: true, lastWhole: expect.stringMatching(/^\d{4}-/) as string });

	await a.pool.query(`update items set name = 'mine' where id = 3; insert into items values (400, 'new', 1); update items set price = 7 where id = 9`);
	await b.pool.query(`update items set name = 'theirs' where id = 5; insert into items values (401, 'other', 1); update items set price = 7 where id = 9`);
	expect(await comparedTwice()).toMatchObject({ differences: 2, onlyIn: { a: 1, b: 1 }, lastWhole: second['lastWhole'] });
	// Nobody has written these since.
	expect(await comparedTwice()).toMatchObject({ differences: 2, lastWhole: second['lastWhole'] });

	await a.pool.query(`update items set name = 'name 3' where id = 3; delete from items where id = 400`);
	await b.pool.query(`update items set name = 'name 5' where id = 5; delete from items where id = 401; delete from items where id = 77`);
	await a.pool.query('delete from items where id = 77');
	expect(await comparedTwice()).toMatchObject({ equal: true, rows: { a: 299, b: 299 }, lastWhole: second['lastWhole'] });
});

test('a row that is gone from one table has everything compared, also where as many others are gone from the other one', async () => {
	await compared(CHANGED);
	await a.pool.query('delete from items where id = 20');
	await b.pool.query('delete from items where id = 30');
	const found = await comparedTwice();
	expect(found).toMatchObject({ equal: false, onlyIn: { a: 1, b: 1 } });
	expect(found).not.toHaveProperty('lastWhole');
	expect(await comparedTwice()).toMatchObject({ onlyIn: { a: 1, b: 1 }, lastWhole: expect.any(String) as string });
});

test('rows without a key are compared with nothing, and keep nobody from looking at changes alone', async () => {
	for (const { pool } of [a, b]) await pool.query('alter table items drop constraint items_pkey, alter column id drop not null');
	await a.pool.query(`insert into items values (null, 'x', 1), (null, 'y', 1), (7, 'again', 1)`);
	expect(await comparedTwice()).toMatchObject({ withoutKey: { a: 2, b: 0 }, duplicates: { a: 1, b: 0 } });
	await a.pool.query(`insert into items values (null, 'z', 1)`);
	await b.pool.query(`update items set name = 'x' where id = 8`);
	expect(await comparedTwice()).toMatchObject({ withoutKey: { a: 3, b: 0 }, duplicates: { a: 1, b: 0 }, records: 1, lastWhole: expect.any(String) as string });
});

test.each([
	['another table of that name', async () => await b.pool.query('alter table items rename to old; create table items as select * from old; alter table items add primary key (id); drop table old'), {}],
	['another key', async () => await Promise.resolve(), { key: 'id, name' }],
	['other fields', async () => await Promise.resolve(), { fields: { field: [{ a: 'price' }] } }],
	['a run long ago', async () => await Promise.resolve((staticData['compared'] = { ...(staticData['compared'] as object), wholeAtMs: Date.now() - 8 * 24 * 60 * 60 * 1_000 })), {}],
	['more differences than n8n should keep', async () => await a.pool.query(`insert into items select n, 'new' from generate_series(1000, 12000) n`).then(async () => await compared(CHANGED)), {}],
])('after %s, everything is compared', async (_, change, parameters) => {
	await compared(CHANGED);
	expect((await compared(CHANGED)).summary).toHaveProperty('lastWhole');
	await change();
	const summary = await comparedTwice(parameters);
	expect(summary).not.toHaveProperty('lastWhole');
});

test('whatever is written in either table, it finds what comparing everything finds', async () => {
	const { below } = seededRandom(Number(process.env['PROPERTY_SEED'] ?? 11));
	const rounds = Number(process.env['PROPERTY_RUNS'] ?? 12);
	const open = await a.pool.connect();
	let [isOpen, byChanges] = [false, 0];
	await compared(CHANGED);
	try {
		for (let round = 0; round < rounds; round++) {
			for (let change = below(5); change >= 0; change--) {
				const id = 1 + below(300);
				const { pool } = below(2) === 0 ? a : b;
				const kind = below(8);
				if (kind <= 2) await pool.query(`update items set name = 'round ${round % 3}' where id between ${id} and ${id + 2} and id % 9 <> 0`);
				else if (kind === 3) await pool.query(`insert into items values (${1_000 + below(20)}, 'new') on conflict (id) do update set price = 3`);
				else if (kind === 4) await pool.query(`begin; update items set name = 'never' where id = ${id} and id % 9 <> 0; rollback`);
				else if (kind === 5) await pool.query('vacuum freeze items');
				else if (kind === 6 && below(3) === 0) await pool.query(`delete from items where id = ${id} and id % 9 <> 0`);
				else {
					await open.query(isOpen ? 'commit' : `begin; update items set name = 'open ${round % 2}' where id % 9 = 0 and id > ${id}`);
					isOpen = !isOpen;
				}
			}
			if ((await comparedTwice())['lastWhole'] !== undefined) byChanges += 1;
		}
	} finally {
		if (isOpen) await open.query('rollback');
		open.release();
	}
	expect(byChanges).toBeGreaterThanOrEqual(rounds / 3);
}, 180_000);
