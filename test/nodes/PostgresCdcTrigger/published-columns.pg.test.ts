import type { ChangeEvent } from '../../../src/core/change-event';
import { openAloneFeed } from '../../support/alone-feed';

const shown = ({ op, key, before, after }: ChangeEvent) => [op, key, before, after];

test('rows that are read have the generated columns that the publication has', async () => {
	const feed = await openAloneFeed({ version: 18, tables: 'totals', setup: `create table totals (id int primary key, net int, gross int generated always as (net * 2) stored); insert into totals values (1, 10);
		create publication $publication for table fence, totals with (publish_via_partition_root = true, publish_generated_columns = stored)` });
	try {
		expect(feed.read.map(shown)).toEqual([['r', { id: '1' }, null, { id: 1, net: 10, gross: 20 }]]);
	} finally {
		await feed.close();
	}
});

test('rows that are read have no column that the publication leaves out', async () => {
	const feed = await openAloneFeed({ version: 18, tables: 'people', setup: `create table people (id int primary key, name text, salary int); insert into people values (1, 'a', 10);
		create publication $publication for table fence, people (id, name) with (publish_via_partition_root = true)` });
	try {
		expect((await feed.told(`insert into people values (2, 'b', 20)`)).map(shown)).toEqual([['c', { id: '2' }, null, { id: 2, name: 'b' }]]);
		expect(feed.read.map(shown)).toEqual([['r', { id: '1' }, null, { id: 1, name: 'a' }]]);
	} finally {
		await feed.close();
	}
});

describe.each([15, 18] as const)('Postgres %i', (version) => {
	test('what the log does not have of an old row is not told as null', async () => {
		const feed = await openAloneFeed({ version, tables: 'stock', setup: `create table stock (id int, region text, v text, primary key (id, region)) partition by list (region);
			create table stock_eu partition of stock for values in ('eu'); alter table stock replica identity full; alter table stock_eu replica identity full` });
		try {
			await feed.sql(`create table stock_asia partition of stock for values in ('asia')`);
			const events = await feed.told(`insert into stock values (1, 'asia', 'a'); update stock set id = 2; delete from stock`);
			expect(events.map(shown)).toEqual([
				['c', { id: '1', region: 'asia' }, null, { id: 1, region: 'asia', v: 'a' }],
				['u', { id: '2', region: 'asia' }, { id: 1, region: 'asia' }, { id: 2, region: 'asia', v: 'a' }],
				['d', { id: '2', region: 'asia' }, { id: 2, region: 'asia' }, null],
			]);
		} finally {
			await feed.close();
		}
	});
});
