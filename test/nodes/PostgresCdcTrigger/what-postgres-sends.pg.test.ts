import type { ChangeEvent } from '../../../src/core/change-event';
import { type AloneFeed, openAloneFeed } from '../../support/alone-feed';

const SETUP = `
	create table sales (id int, region text, v text, primary key (id, region)) partition by list (region);
	create table sales_eu partition of sales for values in ('eu');
	create table sales_us partition of sales for values in ('us') partition by range (id);
	create table sales_us_low partition of sales_us for values from (0) to (100);
	create table sales_us_high partition of sales_us for values from (100) to (1000);
	insert into sales values (1, 'eu', 'a'), (2, 'us', 'b'), (102, 'us', 'c');
	create table stock (id int, region text, v text, primary key (id, region)) partition by list (region);
	create table stock_eu partition of stock for values in ('eu');
	create table stock_us partition of stock for values in ('us');
	alter table stock replica identity full; alter table stock_eu replica identity full; alter table stock_us replica identity full;
	create table totals (id int primary key, net int, gross int generated always as (net * 2) stored);
	create table keyed (id int primary key, v text, body text);
	alter table keyed alter body set storage external;
	create table whole (like keyed including all);
	alter table whole replica identity full;
	create table lines (doc int, line int, v text, primary key (doc, line));
	create table notes (id int primary key, v text);
	create table parent (id int primary key);
	create table child (id int primary key references parent);`;
const TABLES = 'sales, stock, totals, keyed, whole, lines, notes, parent, child';

type Told = [op: string, entity: string, key: unknown, before: unknown, after: unknown];

const toldOf = ({ op, entity, key, before, after }: ChangeEvent): Told => [op, entity.replace('public.', ''), key, before, after];

let feed: AloneFeed;
const told = async (text: string): Promise<Told[]> => (await feed.told(text)).map(toldOf);

describe.each([15, 18] as const)('of Postgres %i', (version) => {
	beforeAll(async () => {
		feed = await openAloneFeed({ version, setup: SETUP, tables: TABLES });
	});
	afterAll(async () => {
		expect([...feed.n8n.errors, ...feed.n8n.failures]).toEqual([]);
		await feed.close();
	});

	test('rows of partitions, and of partitions of partitions, are read and told as rows of their table', async () => {
		const read = feed.read.filter(({ entity }) => entity === 'public.sales');
		expect(read.map(toldOf)).toEqual([
			['r', 'sales', { id: '1', region: 'eu' }, null, { id: 1, region: 'eu', v: 'a' }],
			['r', 'sales', { id: '2', region: 'us' }, null, { id: 2, region: 'us', v: 'b' }],
			['r', 'sales', { id: '102', region: 'us' }, null, { id: 102, region: 'us', v: 'c' }],
		]);
		const events = await feed.told(`insert into sales values (3, 'eu', 'd'), (103, 'us', 'e');
			insert into sales_us_high values (104, 'us', 'f'); update sales set v = 'x' where id = 103; delete from sales where id = 3`);
		expect(events.map(toldOf)).toEqual([
			['c', 'sales', { id: '3', region: 'eu' }, null, { id: 3, region: 'eu', v: 'd' }],
			['c', 'sales', { id: '103', region: 'us' }, null, { id: 103, region: 'us', v: 'e' }],
			['c', 'sales', { id: '104', region: 'us' }, null, { id: 104, region: 'us', v: 'f' }],
			['u', 'sales', { id: '103', region: 'us' }, null, { id: 103, region: 'us', v: 'x' }],
			['d', 'sales', { id: '3', region: 'eu' }, { id: 3, region: 'eu' }, null],
		]);
		expect(new Set([...read, ...events].map(({ source }) => `${String(source['schema'])}.${String(source['table'])}`))).toEqual(new Set(['public.sales']));
	});

	test('a row that moves to another partition is deleted and made, one after the other in one transaction', async () => {
		const events = await feed.told(`update sales set region = 'us', v = 'moved' where id = 1`);
		expect(events.map(toldOf)).toEqual([
			['d', 'sales', { id: '1', region: 'eu' }, { id: 1, region: 'eu' }, null],
			['c', 'sales', { id: '1', region: 'us' }, null, { id: 1, region: 'us', v: 'moved' }],
		]);
		expect(new Set(events.map(({ source }) => source.txId)).size).toBe(1);
		// Between partitions of a partition, too; within one it is an update.
		expect(await told('update sales set id = 200 where id = 2')).toEqual([
			['d', 'sales', { id: '2', region: 'us' }, { id: 2, region: 'us' }, null],
			['c', 'sales', { id: '200', region: 'us' }, null, { id: 200, region: 'us', v: 'b' }],
		]);
		expect(await told('update sales set id = 201 where id = 200')).toEqual([['u', 'sales', { id: '201', region: 'us' }, { id: 200, region: 'us' }, { id: 201, region: 'us', v: 'b' }]]);
	});

	test('where table and partitions log whole old rows, they are told whole, also of a row that moves', async () => {
		const statements = [`insert into stock values (1, 'eu', 'a')`, `update stock set v = 'b'`, `update stock set region = 'us', v = 'c'`, 'update stock set id = 2', 'delete from stock'];
		expect(await told(statements.join(';'))).toEqual([
			['c', 'stock', { id: '1', region: 'eu' }, null, { id: 1, region: 'eu', v: 'a' }],
			['u', 'stock', { id: '1', region: 'eu' }, { id: 1, region: 'eu', v: 'a' }, { id: 1, region: 'eu', v: 'b' }],
			['d', 'stock', { id: '1', region: 'eu' }, { id: 1, region: 'eu', v: 'b' }, null],
			['c', 'stock', { id: '1', region: 'us' }, null, { id: 1, region: 'us', v: 'c' }],
			['u', 'stock', { id: '2', region: 'us' }, { id: 1, region: 'us', v: 'c' }, { id: 2, region: 'us', v: 'c' }],
			['d', 'stock', { id: '2', region: 'us' }, { id: 2, region: 'us', v: 'c' }, null],
		]);
	});

	test('a partition that comes later belongs to its table; what is done to a partition as a whole is not told', async () => {
		await feed.sql(`create table sales_asia partition of sales for values in ('asia')`);
		expect(await told(`insert into sales values (5, 'asia', 'g')`)).toEqual([['c', 'sales', { id: '5', region: 'asia' }, null, { id: 5, region: 'asia', v: 'g' }]]);
		expect(await told(`truncate sales_asia`)).toEqual([]);
		expect(await told(`alter table sales detach partition sales_asia; insert into sales_asia values (6, 'asia', 'h')`)).toEqual([]);
		expect(await told('drop table sales_us_high')).toEqual([]);
		expect(await told('truncate sales')).toEqual([['t', 'sales', {}, null, null]]);
	});

	test('a generated column that is not published is in no image', async () => {
		expect(await told('insert into totals (id, net) values (2, 20); update totals set net = 30; update totals set id = 3; delete from totals')).toEqual([
			['c', 'totals', { id: '2' }, null, { id: 2, net: 20 }],
			['u', 'totals', { id: '2' }, null, { id: 2, net: 30 }],
			['u', 'totals', { id: '3' }, { id: 2 }, { id: 3, net: 30 }],
			['d', 'totals', { id: '3' }, { id: 3 }, null],
		]);
	});

	test('an update of the key has the old one in before and the new one as key, with as much else as the replica identity has', async () => {
		const body = 'x'.repeat(10_000);
		const keys = (table: string): string => `insert into ${table} values (1, 'a', '${body}'); update ${table} set id = 2, v = 'b'; update ${table} set id = 3; delete from ${table}`;
		const events = await feed.told(keys('keyed'));
		expect(events.map(toldOf)).toEqual([
			['c', 'keyed', { id: '1' }, null, { id: 1, v: 'a', body }],
			['u', 'keyed', { id: '2' }, { id: 1 }, { id: 2, v: 'b' }],
			['u', 'keyed', { id: '3' }, { id: 2 }, { id: 3, v: 'b' }],
			['d', 'keyed', { id: '3' }, { id: 3 }, null],
		]);
		expect(events.map(({ unchanged }) => unchanged)).toEqual([[], ['body'], ['body'], []]);
		const whole = await feed.told(keys('whole'));
		expect(whole.map(toldOf)).toEqual([
			['c', 'whole', { id: '1' }, null, { id: 1, v: 'a', body }],
			['u', 'whole', { id: '2' }, { id: 1, v: 'a', body }, { id: 2, v: 'b', body }],
			['u', 'whole', { id: '3' }, { id: 2, v: 'b', body }, { id: 3, v: 'b', body }],
			['d', 'whole', { id: '3' }, { id: 3, v: 'b', body }, null],
		]);
		expect(whole.flatMap(({ unchanged }) => unchanged)).toEqual([]);
	});

	test('of a key of several columns the old one is told whole, also when one of them alone changes', async () => {
		await feed.told(`insert into lines values (1, 1, 'a'), (1, 2, 'b')`);
		expect(await told(`update lines set line = line + 1 where line = 2; update lines set line = 2 where line = 1`)).toEqual([
			['u', 'lines', { doc: '1', line: '3' }, { doc: 1, line: 2 }, { doc: 1, line: 3, v: 'b' }],
			['u', 'lines', { doc: '1', line: '2' }, { doc: 1, line: 1 }, { doc: 1, line: 2, v: 'a' }],
		]);
	});

	test('what was rolled back to a savepoint is not told, what came before and after it is, in order', async () => {
		const events = await feed.told(`begin; insert into notes values (1, 'a');
			savepoint outside; insert into notes values (2, 'lost'); update notes set v = 'lost' where id = 1;
			savepoint inside; delete from notes; rollback to inside; update notes set v = 'lost' where id = 2; rollback to outside;
			update notes set v = 'b'; savepoint kept; insert into notes values (3, 'c'); release kept; insert into notes values (4, 'd'); commit`);
		expect(events.map(toldOf)).toEqual([
			['c', 'notes', { id: '1' }, null, { id: 1, v: 'a' }],
			['u', 'notes', { id: '1' }, null, { id: 1, v: 'b' }],
			['c', 'notes', { id: '3' }, null, { id: 3, v: 'c' }],
			['c', 'notes', { id: '4' }, null, { id: 4, v: 'd' }],
		]);
		// One transaction: that of the whole, also for rows of a savepoint.
		expect(new Set(events.map(({ source }) => source.txId)).size).toBe(1);
		const caught = `do $$ begin insert into notes values (5, 'e');
			begin insert into notes values (6, 'lost'); insert into notes values (5, 'twice');
			exception when unique_violation then insert into notes values (7, 'f'); end; end $$`;
		expect((await told(caught)).map(([op, , key]) => [op, key])).toEqual([
			['c', { id: '5' }],
			['c', { id: '7' }],
		]);
		expect(await told(`begin; insert into notes values (8, 'lost'); savepoint s; insert into notes values (9, 'lost'); release s; rollback`)).toEqual([]);
	});

	test('TRUNCATE is an event without a key for each table, where it stands among the others', async () => {
		await feed.told('insert into parent values (1); insert into child values (1)');
		expect((await told('truncate parent cascade')).sort()).toEqual([
			['t', 'child', {}, null, null],
			['t', 'parent', {}, null, null],
		]);
		expect((await told('begin; insert into parent values (2); truncate parent, child; insert into parent values (3); commit')).map(([op, entity, key]) => [op, entity, key])).toEqual([
			['c', 'parent', { id: '2' }],
			['t', 'parent', {}],
			['t', 'child', {}],
			['c', 'parent', { id: '3' }],
		]);
	});
});

test('a publication that has stored generated columns sends them in new and whole old rows, and never virtual ones', async () => {
	feed = await openAloneFeed({
		version: 18,
		tables: 'totals, audits, shown',
		setup: `create table totals (id int primary key, net int, gross int generated always as (net * 2) stored);
			create table audits (like totals including all); alter table audits replica identity full;
			create table shown (id int primary key, net int, gross int generated always as (net * 2) virtual);
			create publication $publication for table fence, totals, audits, shown with (publish_via_partition_root = true, publish_generated_columns = stored)`,
	});
	try {
		const edits = (table: string): string => `insert into ${table} values (2, 20); update ${table} set net = 30; update ${table} set id = 3; delete from ${table}`;
		expect(await told(edits('totals'))).toEqual([
			['c', 'totals', { id: '2' }, null, { id: 2, net: 20, gross: 40 }],
			['u', 'totals', { id: '2' }, null, { id: 2, net: 30, gross: 60 }],
			['u', 'totals', { id: '3' }, { id: 2 }, { id: 3, net: 30, gross: 60 }],
			['d', 'totals', { id: '3' }, { id: 3 }, null],
		]);
		expect(await told(edits('audits'))).toEqual([
			['c', 'audits', { id: '2' }, null, { id: 2, net: 20, gross: 40 }],
			['u', 'audits', { id: '2' }, { id: 2, net: 20, gross: 40 }, { id: 2, net: 30, gross: 60 }],
			['u', 'audits', { id: '3' }, { id: 2, net: 30, gross: 60 }, { id: 3, net: 30, gross: 60 }],
			['d', 'audits', { id: '3' }, { id: 3, net: 30, gross: 60 }, null],
		]);
		expect((await told(edits('shown'))).flatMap(([, , , before, after]) => [before, after])).toEqual([null, { id: 2, net: 20 }, null, { id: 2, net: 30 }, { id: 2 }, { id: 3, net: 30 }, { id: 3 }, null]);
	} finally {
		await feed.close();
	}
});
