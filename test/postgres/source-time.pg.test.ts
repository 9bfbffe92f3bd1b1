import { parseLsn } from '../../src/core/lsn';
import { readSourceTime } from '../../src/postgres/source-time';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

describe.each([15, 18] as const)('the time of a Postgres %i', (version) => {
	let database: TestDatabase;
	beforeEach(async () => {
		database = await openTestDatabase('source time', { version });
	});
	afterEach(async () => await database.drop());

	const lsn = async (): Promise<bigint> => {
		const { rows } = await database.pool.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
		return parseLsn(rows[0]?.lsn ?? '0/0');
	};

	test('comes with a place after everything that was committed before, be it not flushed yet', async () => {
		await database.pool.query('create table t (id int)');
		for (let n = 0; n < 5; n++) {
			const client = await database.pool.connect();
			await client.query('set synchronous_commit = off');
			await client.query('insert into t select generate_series(1, 100)');
			const before = await lsn();
			client.release(true);
			const time = await readSourceTime(database.settings);
			expect(time.lsn + 40n >= before).toBe(true);
			expect(time.lsn <= (await lsn())).toBe(true);
		}
	});

	test('is the server’s, a second ago', async () => {
		const { rows } = await database.pool.query<{ ms: string }>(`select (extract(epoch from clock_timestamp()) * 1000)::text as ms`);
		const { tsMs } = await readSourceTime(database.settings);
		const sinceMs = tsMs - Number(rows[0]?.ms);
		expect(sinceMs).toBeGreaterThan(-1_001);
		expect(Number.isInteger(tsMs)).toBe(true);
	});
});
