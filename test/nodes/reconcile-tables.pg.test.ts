import type { IDataObject } from 'n8n-workflow';

import { ReconcileDiff } from '../../nodes/ReconcileDiff/ReconcileDiff.node';
import { executeNode } from '../support/fake-execute';
import { replicationCredential } from '../support/fake-trigger-context';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

let [a, b] = [] as unknown as [TestDatabase, TestDatabase];
beforeAll(async () => {
	[a, b] = await Promise.all([openTestDatabase('tables-a'), openTestDatabase('tables-b')]);
});
afterAll(async () => {
	await Promise.all([a.drop(), b.drop()]);
});

async function compared(parameters: Record<string, IDataObject | string> = {}): Promise<IDataObject[][]> {
	const { outputs } = await executeNode(new ReconcileDiff(), {
		parameters: { operation: 'compareTables', connectWith: 'bisyncPostgresApi', tableA: 'items', tableB: 'public.items', key: 'id', ...parameters },
		credentials: { bisyncPostgresApi: { ...replicationCredential(a.settings) }, postgres: { ...b.settings, ssl: 'disable' } },
		items: [{ json: {} }],
	});
	return outputs.map((output) => output.map(({ json }) => json));
}

const fill = (rows: number): string =>
	`drop table if exists items; create table items (id int primary key, name text, price numeric, at timestamptz, note text);
	insert into items select n, 'name ' || n, n / 8.0, timestamptz '2024-01-01' + n * interval '1 minute', case when n % 2 = 0 then '' end from generate_series(1, ${rows}) n`;

test('finds by hashes what differs between two tables, without a policy or a store', async () => {
	await a.pool.query(`${fill(3_000)}; update items set name = 'other', note = null where id = 10; delete from items where id = 20; alter table items add column own int`);
	await b.pool.query(`${fill(3_000)}; update items set price = 0 where id = 11; delete from items where id = 30`);
	const [different = [], onlyInA, onlyInB, [summary] = []] = await compared();
	const byKey = Object.fromEntries(different.map(({ key, fields }) => [(key as IDataObject)['id'], fields]));
	expect(byKey).toMatchObject({
		10: [{ field: 'name', values: { a: 'other', b: 'name 10' }, action: 'review' }, { field: 'note', values: { a: null, b: '' } }],
		11: [{ field: 'price', values: { a: '1.3750000000000000', b: '0' } }],
	});
	expect([different.length, onlyInA, onlyInB]).toMatchObject([2, [{ id: 30 }], [{ id: 20, name: 'name 20' }]]);
	expect(summary).toMatchObject({ equal: false, rows: { a: 2_999, b: 2_999 }, records: 2, differences: 3, onlyIn: { a: 1, b: 1 }, notCompared: { a: ['own'], b: [] } });
	expect(summary).not.toHaveProperty('readWhole');
});

test('says of equal tables that they are, and of rows without a key that they were compared with nothing', async () => {
	await a.pool.query(fill(100));
	await b.pool.query(fill(100));
	expect((await compared())[3]).toMatchObject([{ equal: true, differences: 0, rows: { a: 100, b: 100 } }]);
	await b.pool.query(`alter table items drop constraint items_pkey, alter column id drop not null; insert into items (id, name) values (null, 'x'), (5, 'name 5')`);
	const [different, , , [summary] = []] = await compared();
	expect(different).toMatchObject([{ duplicate: true, side: 'b', rows: [{ id: 5 }, { id: 5 }] }]);
	expect(summary).toMatchObject({ equal: false, withoutKey: { a: 0, b: 1 }, duplicates: { a: 0, b: 1 } });
});

test('reads both tables sorted where types differ, in the same order whatever their collation, and compares by codecs', async () => {
	const names = ['a', 'B', 'é', 'z', '\u{1f600}', '\uff00', '10', '9', 'a b'];
	const values = names.map((name, at) => `('${name}', ${at})`).join(', ');
	await a.pool.query(`drop table if exists items; create table items (code text collate "C" primary key, amount numeric); insert into items values ${values}`);
	await b.pool.query(`drop table if exists items; create table items (ref varchar(9) primary key, total text); insert into items values ${values};
		update items set total = total || '.00'; update items set total = '7.5' where ref = 'é'; delete from items where ref = '9'; insert into items values ('\uffee', '1')`);
	const fields = { field: [{ a: 'amount', b: 'total', codec: 'decimal(2)', owner: 'a' }] };
	const [different, onlyInA, onlyInB, [summary] = []] = await compared({ key: 'code = ref', fields });
	expect(different).toMatchObject([{ key: { code: 'é' }, fields: [{ field: 'amount', values: { a: '2.00', b: '7.50' }, action: 'update b' }], actions: ['update b'] }]);
	expect([onlyInA, onlyInB]).toMatchObject([[{ code: '9' }], [{ ref: '\uffee' }]]);
	expect(summary).toMatchObject({ readWhole: '"amount" and "total" are of different types', rows: { a: 9, b: 9 } });
});

test('tables that are large and differ in most places are read sorted, a little at a time', async () => {
	await a.pool.query(`${fill(41_000)}; analyze items`);
	await b.pool.query(`${fill(41_000)}; update items set note = 'x' where id % 8 = 0; analyze items`);
	const [different = [], , , [summary] = []] = await compared();
	expect(different).toHaveLength(5_125);
	expect(summary).toMatchObject({ readWhole: 'most of it differs', records: 5_125, rows: { a: 41_000, b: 41_000 } });
});

test.each([
	['a table that is not there', { tableA: 'gone' }, /no table public.gone/],
	['a column that is not there', { key: 'gone' }, /no column "gone"/],
	['a name of three parts', { tableB: 'a.b.c' }, /"Table B" must be the name of a table/],
])('refuses %s', async (_, parameters, message) => {
	await a.pool.query(fill(1));
	await b.pool.query(fill(1));
	await expect(compared(parameters)).rejects.toThrow(message);
});
