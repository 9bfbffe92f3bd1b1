import { openSnapshot, readSnapshot } from '../../src/postgres/snapshot';
import type { SnapshotTable } from '../../src/postgres/snapshot-columns';
import { rowValues } from '../../src/postgres/source-transaction';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';

describe.each([15, 18] as const)('a first read of tables in Postgres %i', (version) => {
	let database: TestDatabase;
	beforeEach(async () => {
		database = await openTestDatabase('snapshot', { version });
	});
	afterEach(async () => await database.drop());

	const sql = async (text: string) => await database.pool.query(text);
	const table = (name: string, key: string[], columns?: string[]): SnapshotTable => ({
		schema: 'public',
		table: name,
		key,
		columns,
	});
	const pages = async (
		tables: SnapshotTable[],
		pageSize = 1_000,
		connection = database.settings,
	) => {
		const found = [];
		for await (const page of readSnapshot({ connection, tables, pageSize })) found.push(page);
		return found;
	};

	test('gives every row once, in pages ordered by key', async () => {
		await sql(
			'create table a (x int, y int, primary key (x, y)); create table b (id int primary key); create table empty (id int primary key)',
		);
		await sql(
			'insert into a select i % 7, i from generate_series(1, 100) i; insert into b select generate_series(1, 30)',
		);
		const found = await pages(
			[table('a', ['x', 'y']), table('empty', ['id']), table('b', ['id'])],
			30,
		);
		expect(found.map((page) => [page.table.table, page.rows.length])).toEqual([
			['a', 30],
			['a', 30],
			['a', 30],
			['a', 10],
			['b', 30],
		]);
		const keys = found
			.filter((page) => page.table.table === 'a')
			.flatMap(({ rows }) => rows.map(([x, y]) => [Number(x), Number(y)]));
		expect(keys).toEqual([...keys].sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
		expect(new Set(keys.map(String)).size).toBe(100);
	});

	test('loses no row whose key is null or occurs twice', async () => {
		await sql('create table loose (k int, v int)');
		await sql(
			'insert into loose select case when i % 3 = 0 then null else i / 10 end, i from generate_series(1, 50) i',
		);
		const rows = (await pages([table('loose', ['k'])], 7)).flatMap((page) => page.rows);
		expect(rows.map(([, v]) => Number(v)).sort((a, b) => a - b)).toEqual(
			Array.from({ length: 50 }, (_, i) => i + 1),
		);
	});

	test('goes on from a key, that row included, and loses none of those without a key', async () => {
		await sql(`create table loose (k int, v text)`);
		await sql(`insert into loose values (1, 'a'), (2, 'b'), (2, 'c'), (3, 'd'), (null, 'e')`);
		const session = await openSnapshot(database.settings);
		const found = [];
		for await (const page of session.pages(table('loose', ['k']), { from: ['2'] })) found.push(...page.rows);
		await session.close();
		expect(found.map(([, v]) => v).sort()).toEqual(['b', 'c', 'd', 'e']);
	});

	test('goes on within a key of several columns, in the order of their types', async () => {
		await sql(`create table a (x int, y text, primary key (x, y))`);
		await sql(`insert into a values (2, 'a'), (2, 'b'), (10, 'a'), (1, 'z')`);
		const session = await openSnapshot(database.settings);
		const found = [];
		for await (const page of session.pages(table('a', ['x', 'y']), { from: ['2', 'b'], pageSize: 1 })) {
			found.push(...page.rows);
		}
		await session.close();
		expect(found).toEqual([['2', 'b'], ['10', 'a']]);
	});

	test('finds the rows with some keys, and none with a key that its columns cannot hold', async () => {
		await sql(`create table a (x int, y text, note text, primary key (x, y))`);
		await sql(`insert into a values (1, 'a', 'n'), (2, 'it''s', 'n')`);
		const session = await openSnapshot(database.settings);
		const keys = [['1', 'a'], ['2', `it's`], ['1', 'b'], ['not a number', 'a'], ['99999999999', 'a']];
		const { columns, rows } = await session.find(table('a', ['x', 'y']), keys);
		expect(columns.map(({ name }) => name)).toEqual(['x', 'y']);
		expect(rows.map(String).sort()).toEqual(['1,a', `2,it's`]);
		expect((await session.find(table('a', ['x', 'y']), [])).rows).toEqual([]);
		await session.close();
	});

	test('estimates by the statistics of the server, over all partitions', async () => {
		await sql(`
			create table plain (id int primary key);
			create table parts (id int primary key) partition by range (id);
			create table low partition of parts for values from (0) to (100);
			create table high partition of parts for values from (100) to (200);
			insert into plain select generate_series(1, 30);
			insert into parts select generate_series(1, 150)`);
		const before = await openSnapshot(database.settings);
		expect(await before.estimate(table('plain', ['id']))).toBeNull();
		await before.close();
		await sql('analyze plain; analyze parts');
		const after = await openSnapshot(database.settings);
		expect(await after.estimate(table('plain', ['id']))).toBe(30);
		expect(await after.estimate(table('parts', ['id']))).toBe(150);
		await after.close();
	});

	test('gives the values that a change stream gives', async () => {
		await sql(`
			create domain score as int;
			create table kinds (id int primary key, at timestamptz, points score, doc jsonb, words text[], bytes bytea,
				x float8, total int generated always as (id + 1) stored, gone int);
			alter table kinds drop column gone;
			insert into kinds (id, at, points, doc, words, bytes, x)
			values (1, '2024-04-03 05:06:07+02', 9, '{"a": 1}', '{a,NULL}', '\\x00ff', 0.1::float8 * 3);
			alter database ${database.settings.database} set datestyle = 'SQL, DMY';
			alter database ${database.settings.database} set bytea_output = 'escape'`);
		const [page] = await pages([table('kinds', ['id'])]);
		expect(rowValues(page!, page!.rows[0]!)).toEqual({
			unchanged: [],
			values: {
				id: 1,
				at: '2024-04-03T03:06:07Z',
				points: '9',
				doc: { a: 1 },
				words: ['a', null],
				bytes: '\\x00ff',
				x: 0.30000000000000004,
			},
		});
	});

	test('reads partitions through their table, and not the children of an inherited one', async () => {
		await sql(`
			create table parts (id int primary key) partition by range (id);
			create table parts_low partition of parts for values from (0) to (100);
			create table base (id int primary key);
			create table child () inherits (base);
			insert into parts values (1), (2); insert into base values (1); insert into child values (2)`);
		const found = await pages([table('parts', ['id']), table('base', ['id'])]);
		expect(found.map(({ rows }) => rows)).toEqual([[['1'], ['2']], [['1']]]);
	});

	test('reads the parts of records with them, in pages of records', async () => {
		await sql(`
			create table a (x int, y text, name text, primary key (x, y));
			create table b (ax int, ay text, city text, unique (ay, ax));
			create table c (no serial, x int, y text, days int, unique (x, y));
			insert into a values (1, 'a', 'Ann'), (1, 'b', 'Bob'), (2, 'a', 'Cid');
			insert into b values (1, 'a', 'Ulm'), (1, 'b', null), (9, 'z', 'nobody’s');
			insert into c (x, y, days) values (2, 'a', 30)`);
		const parts = [
			{ name: 'b', schema: 'public', table: 'b', key: ['ax', 'ay'] },
			{ name: 'c', schema: 'public', table: 'c', key: ['x', 'y'] },
		];
		const found = await pages([{ ...table('a', ['x', 'y']), parts }], 2);
		expect(found.map(({ rows }) => rows.length)).toEqual([2, 1]);
		expect(found[0]?.columns.map(({ name }) => name)).toEqual(['x', 'y', 'name', 'b.ax', 'b.ay', 'b.city', 'c.no', 'c.x', 'c.y', 'c.days']);
		expect(found.flatMap((page) => page.rows)).toEqual([
			['1', 'a', 'Ann', '1', 'a', 'Ulm', null, null, null, null],
			['1', 'b', 'Bob', '1', 'b', null, null, null, null, null],
			['2', 'a', 'Cid', null, null, null, '1', '2', 'a', '30'],
		]);
		const session = await openSnapshot(database.settings);
		const rest = [];
		for await (const page of session.pages({ ...table('a', ['x', 'y']), parts }, { from: ['1', 'b'] })) rest.push(...page.rows.map((row) => row[2]));
		await session.close();
		expect(rest).toEqual(['Bob', 'Cid']);
	});

	test('takes names that need quoting, and the columns it is asked for', async () => {
		await sql(
			`create schema "My ""S"; create table "My ""S"."T;" ("select" int primary key, "é" text, z text)`,
		);
		await sql(`insert into "My ""S"."T;" values (1, 'a', 'b')`);
		const quoted = { schema: 'My "S', table: 'T;', key: ['select'], columns: ['é', 'select'] };
		const [page] = await pages([quoted]);
		expect(rowValues(page!, page!.rows[0]!).values).toEqual({ é: 'a', select: 1 });
	});

	test('sees no write that came after it began', async () => {
		await sql('create table t (id int primary key); insert into t select generate_series(1, 4)');
		const reading = readSnapshot({
			connection: database.settings,
			tables: [table('t', ['id'])],
			pageSize: 2,
		});
		const first = await reading.next();
		await sql('insert into t values (5); delete from t where id = 4');
		const second = await reading.next();
		expect([first.value, second.value].map((page) => page?.rows)).toEqual([
			[['1'], ['2']],
			[['3'], ['4']],
		]);
		expect((await reading.next()).done).toBe(true);
	});

	test('waits for a reader who takes more time than the role allows', async () => {
		await sql(`
			create table t (id int primary key); insert into t select generate_series(1, 4);
			alter database ${database.settings.database} set idle_in_transaction_session_timeout = '300ms'`);
		const reading = readSnapshot({
			connection: database.settings,
			tables: [table('t', ['id'])],
			pageSize: 2,
		});
		await reading.next();
		await waitUntil('twice that time to pass', async () => {
			const { rows } = await sql(`
				select 1 from pg_stat_activity where datname = current_database()
				and application_name = 'n8n-nodes-bisync' and now() - state_change > interval '600 ms'`);
			return rows.length === 1;
		});
		expect((await reading.next()).value).toMatchObject({ rows: [['3'], ['4']] });
		await reading.return();
	});

	test('ends its session when the reader stops early', async () => {
		await sql('create table t (id int primary key); insert into t select generate_series(1, 10)');
		for await (const page of readSnapshot({
			connection: database.settings,
			tables: [table('t', ['id'])],
			pageSize: 2,
		})) {
			expect(page.rows).toHaveLength(2);
			break;
		}
		const { rows } = await sql(
			`select 1 from pg_stat_activity where application_name = 'n8n-nodes-bisync' and datname = current_database()`,
		);
		expect(rows).toEqual([]);
	});

	test('says what is missing', async () => {
		await sql('create table t (id int primary key); create view v as select 1 as id');
		await expect(pages([table('none', ['id'])])).rejects.toMatchObject({
			code: 'TABLE_MISSING',
			message: 'There is no table public.none',
		});
		await expect(pages([table('v', ['id'])])).rejects.toMatchObject({ code: 'TABLE_MISSING' });
		await expect(pages([table('t', ['no'])])).rejects.toMatchObject({
			code: 'TABLE_MISSING',
			message: 'Table public.t has no column "no"',
		});
	});

	test('refuses to read a table of which it may see only some rows, or none', async () => {
		const role = `reader_${database.settings.database.slice(-8)}`;
		await sql(`
			create table t (id int primary key); insert into t values (1), (2);
			create role ${role} login password 'secret'`);
		const connection = { ...database.settings, user: role, password: 'secret' };
		await expect(pages([table('t', ['id'])], 10, connection)).rejects.toMatchObject({
			code: 'PRIVILEGE_MISSING',
		});
		await sql(
			`grant select on t to ${role}; alter table t enable row level security; create policy p on t using (id = 1)`,
		);
		await expect(pages([table('t', ['id'])], 10, connection)).rejects.toMatchObject({
			code: 'PRIVILEGE_MISSING',
		});
		await sql(`alter table t disable row level security`);
		expect(await pages([table('t', ['id'])], 10, connection)).toHaveLength(1);
		await sql(`revoke all on t from ${role}; drop role ${role}`);
	});
});
