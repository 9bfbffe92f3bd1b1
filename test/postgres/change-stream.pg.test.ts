import { oldRowValues, rowValues } from '../../src/postgres/source-transaction';
import { openStreamLab, rowsOf, type StreamLab, take, takeOne } from '../support/stream-lab';

describe.each([15, 18] as const)('the change stream of Postgres %i', (version) => {
	let lab: StreamLab;
	const start = async (setup: string) => {
		lab = await openStreamLab('change stream', { version, setup });
		return lab;
	};
	afterEach(async () => await lab.close());

	test('gives each column type its exact value', async () => {
		await start(`
			create type mood as enum ('glad', 'sad');
			create domain score as int;
			create table kinds (
				id int primary key, flag bool, small int2, big int8, price numeric(30,10), nan numeric, single float4,
				double float8, infinite float8, doc jsonb, exact jsonb, raw json, day date, moment timestamp,
				instant timestamptz, forever timestamptz, ancient date, clock time, span interval, bytes bytea,
				ident uuid, feeling mood, points score, padded char(4), words text[], grid int4[], bigs int8[],
				bounded int4[], nothing text, blank text, total int generated always as (id + 1) stored)`);
		const stream = await lab.open();
		await lab.sql(`insert into kinds values (
			1, true, -7, 9007199254740993, 12345678901234567890.0123456789, 'NaN', 0.1, 0.1, '-Infinity',
			'{"b": [1, 2.5], "a": null}', '{"n": 9007199254740993}', '{"z":1,  "a":2}', '2024-01-31', '2024-01-31 10:00:00.123456',
			'2024-01-31 10:00:00+02', 'infinity', '0044-03-15 BC', '23:59:59.5', '1 year 2 days', '\\xdeadbeef',
			'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'sad', 9, 'ab', '{a,"b c",NULL,"NULL"}', '{{1,2},{3,4}}',
			'{9007199254740993}', '[2:3]={1,2}', null, '')`);
		const [row] = rowsOf(await takeOne(stream));
		expect(rowValues(row!.relation, row!.new!)).toEqual({
			unchanged: [],
			values: {
				id: 1,
				flag: true,
				small: -7,
				big: '9007199254740993',
				price: '12345678901234567890.0123456789',
				nan: 'NaN',
				single: 0.1,
				double: 0.1,
				infinite: '-Infinity',
				doc: { b: [1, 2.5], a: null },
				exact: '{"n": 9007199254740993}',
				raw: { z: 1, a: 2 },
				day: '2024-01-31',
				moment: '2024-01-31T10:00:00.123456',
				instant: '2024-01-31T08:00:00Z',
				forever: 'infinity',
				ancient: '0044-03-15 BC',
				clock: '23:59:59.5',
				span: '1 year 2 days',
				bytes: '\\xdeadbeef',
				ident: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
				feeling: 'sad',
				points: '9',
				padded: 'ab  ',
				words: ['a', 'b c', null, 'NULL'],
				grid: [
					[1, 2],
					[3, 4],
				],
				bigs: ['9007199254740993'],
				bounded: '[2:3]={1,2}',
				nothing: null,
				blank: '',
			},
		});
	});

	test('is not changed by output settings of the role', async () => {
		await start(
			'create table moments (id int primary key, at timestamptz, span interval, bytes bytea, x float8)',
		);
		const role = `reader_${lab.slot}`;
		await lab.sql(`
			create role ${role} login replication password 'secret';
			alter role ${role} set datestyle = 'SQL, DMY'; alter role ${role} set timezone = 'Asia/Tokyo';
			alter role ${role} set intervalstyle = 'iso_8601'; alter role ${role} set bytea_output = 'escape';
			alter role ${role} set extra_float_digits = -5; alter role ${role} set statement_timeout = '1ms'`);
		const connection = { ...lab.database.settings, user: role, password: 'secret' };
		const stream = await lab.open({ connection });
		await lab.sql(
			`insert into moments values (1, '2024-04-03 05:06:07+00', '1 day', '\\x00ff', 0.1::float8 * 3)`,
		);
		const [row] = rowsOf(await takeOne(stream));
		expect(row!.new).toEqual([
			'1',
			'2024-04-03 05:06:07+00',
			'1 day',
			'\\x00ff',
			'0.30000000000000004',
		]);
		await stream.close();
		await lab.sql(`drop role ${role}`);
	});

	test('tells a large value that did not change from null', async () => {
		await start(`
			create table notes (id int primary key, n int, body text);
			alter table notes alter body set storage external;
			create table whole (like notes including all);
			alter table whole replica identity full;
			insert into notes values (1, 0, repeat('x', 10000));
			insert into whole select * from notes`);
		const stream = await lab.open();
		await lab.sql('update notes set n = 1; update whole set n = 1; update notes set body = null');
		const [notes, whole, emptied] = rowsOf(await takeOne(stream));
		expect(rowValues(notes!.relation, notes!.new!)).toEqual({
			values: { id: 1, n: 1 },
			unchanged: ['body'],
		});
		expect(rowValues(whole!.relation, whole!.new!)).toEqual({
			values: { id: 1, n: 1, body: 'x'.repeat(10_000) },
			unchanged: [],
		});
		expect(rowValues(emptied!.relation, emptied!.new!).values).toEqual({ id: 1, n: 1, body: null });
	});

	test('shows as much of the old row as the replica identity has', async () => {
		await start(`
			create table keyed (id int primary key, v text);
			create table whole (id int primary key, v text);
			alter table whole replica identity full;
			insert into keyed values (1, 'a'); insert into whole values (1, 'a')`);
		const stream = await lab.open();
		await lab.sql(`
			update keyed set v = 'b'; update keyed set id = 2; delete from keyed;
			update whole set v = 'b'; delete from whole`);
		const rows = rowsOf(await takeOne(stream));
		expect(
			rows.map((row) => [row.op, row.oldIsKeyOnly, oldRowValues(row)?.values ?? null]),
		).toEqual([
			['u', false, null],
			['u', true, { id: 1 }],
			['d', true, { id: 2 }],
			['u', false, { id: 1, v: 'a' }],
			['d', false, { id: 1, v: 'b' }],
		]);
	});

	test('follows a table whose shape changes on the way', async () => {
		await start('create table shapes (id int primary key, old_name text)');
		const stream = await lab.open();
		await lab.sql(`insert into shapes values (1, 'a')`);
		await lab.sql(`
			insert into shapes values (2, 'b');
			alter table shapes add column extra text default 'dflt';
			alter table shapes rename column old_name to new_name;
			insert into shapes values (3, 'c')`);
		const [first, second] = await take(stream, 2);
		expect(first!.changes).toMatchObject([
			{
				kind: 'relation',
				previous: null,
				relation: { name: 'shapes', columns: [{ name: 'id' }, { name: 'old_name' }] },
			},
			{ kind: 'row' },
		]);
		const values = rowsOf(second!).map((row) => rowValues(row.relation, row.new!).values);
		expect(values).toEqual([
			{ id: 2, old_name: 'b' },
			{ id: 3, new_name: 'c', extra: 'dflt' },
		]);
		expect(second!.changes.find(({ kind }) => kind === 'relation')).toMatchObject({
			previous: { columns: [{ name: 'id' }, { name: 'old_name' }] },
			relation: { columns: [{ name: 'id' }, { name: 'new_name' }, { name: 'extra' }] },
		});
	});

	test('carries messages of committed transactions, where they stand, and no others', async () => {
		await start('create table t (id int primary key)');
		const stream = await lab.open();
		const emit = (text: string, transactional = true) =>
			`select pg_logical_emit_message(${transactional}, 'bisync:test', '${text}')`;
		await lab.sql(`begin; ${emit('rolled back')}; insert into t values (1); rollback`);
		await lab.sql(`begin; ${emit('not transactional', false)}; rollback`);
		await lab.sql(emit('no row at all'));
		await lab.sql(`
			begin; insert into t values (2);
			savepoint s; ${emit('savepoint rolled back')}; rollback to s;
			insert into t values (3); ${emit('größer')}; commit`);
		const [alone, mixed] = await take(stream, 2);
		expect(alone!.changes).toMatchObject([
			{ kind: 'message', prefix: 'bisync:test', content: 'no row at all' },
		]);
		expect(
			mixed!.changes.map((change) => (change.kind === 'message' ? change.content : change.kind)),
		).toEqual(['relation', 'row', 'row', 'größer']);
	});

	test('leaves no trace of the application name, so that it can tag nothing', async () => {
		await start('create table t (id int primary key)');
		const stream = await lab.open();
		await lab.sql(`set application_name = 'tagged_writer'; insert into t values (1)`);
		const transaction = await takeOne(stream);
		const text = JSON.stringify(transaction, (_, value: unknown) =>
			typeof value === 'bigint' ? '' : value,
		);
		expect(text).not.toContain('tagged_writer');
	});

	test('reports a truncate once for each table', async () => {
		await start(
			'create table parent (id int primary key); create table child (id int primary key references parent)',
		);
		const stream = await lab.open();
		await lab.sql('insert into parent values (1)');
		await lab.sql('truncate parent cascade');
		const [, truncate] = await take(stream, 2);
		const names = rowsOf(truncate!).map(({ op, relation }) => `${op} ${relation.name}`);
		expect(names.sort()).toEqual(['t child', 't parent']);
	});

	test('gives transactions in commit order, each whole', async () => {
		await start('create table t (id int primary key)');
		const stream = await lab.open();
		const early = await lab.database.pool.connect();
		await early.query('begin');
		await early.query('insert into t values (1)');
		await lab.sql('insert into t values (2)');
		await early.query('insert into t values (3)');
		await early.query('commit');
		early.release();
		const [first, second] = await take(stream, 2);
		expect(rowsOf(first!).map((row) => row.new)).toEqual([['2']]);
		expect(rowsOf(second!).map((row) => row.new)).toEqual([['1'], ['3']]);
		expect(first!.commitLsn < second!.commitLsn).toBe(true);
		expect(first!.endLsn <= second!.commitLsn).toBe(true);
		const positions = rowsOf(second!).map(({ lsn }) => lsn);
		expect(positions[0]! < positions[1]!).toBe(true);
		expect(Math.abs(second!.commitTsMs - Date.now())).toBeLessThan(60_000);
	});

	test('hands on a transaction of 50,000 rows whole, far beyond what it buffers', async () => {
		await start('create table t (id int primary key, body text)');
		const stream = await lab.open({ maxBufferedChanges: 100 });
		await lab.sql(`insert into t select i, 'row ' || i from generate_series(1, 50000) i`);
		await lab.sql(`insert into t values (0, 'after')`);
		const [big, after] = await take(stream, 2);
		const rows = rowsOf(big!);
		expect(rows).toHaveLength(50_000);
		expect(rows.every((row, index) => row.new![1] === `row ${index + 1}`)).toBe(true);
		expect(rowsOf(after!)[0]!.new).toEqual(['0', 'after']);
	});

	test('sends a partitioned table as one', async () => {
		await start(`
			create table parts (id int primary key, v text) partition by range (id);
			create table parts_low partition of parts for values from (0) to (100);
			create table parts_high partition of parts for values from (100) to (200);
			create publication lab for table parts with (publish_via_partition_root = true)`);
		const stream = await lab.open();
		await lab.sql(`insert into parts values (1, 'a'), (150, 'b')`);
		const rows = rowsOf(await takeOne(stream));
		expect(rows.map(({ relation, new: row }) => [relation.name, row])).toEqual([
			['parts', ['1', 'a']],
			['parts', ['150', 'b']],
		]);
	});

	test('names the origin of a transaction that was replicated to the server', async () => {
		await start('create table t (id int primary key)');
		const stream = await lab.open();
		const origin = `origin_${lab.slot}`;
		const client = await lab.database.pool.connect();
		await client.query(`select pg_replication_origin_create('${origin}')`);
		await client.query(`select pg_replication_origin_session_setup('${origin}')`);
		await client.query('insert into t values (1)');
		await client.query('select pg_replication_origin_session_reset()');
		await client.query(`select pg_replication_origin_drop('${origin}')`);
		client.release();
		expect((await takeOne(stream)).origin).toBe(origin);
	});
});
