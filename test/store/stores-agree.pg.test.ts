import pg from 'pg';

import { PostgresStore } from '../../src/store/postgres-store';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { expectAgreement } from './contract/store-agreement';

let db: TestDatabase;
let schemas = 0;
beforeAll(async () => {
	db = await openTestDatabase('stores-agree');
});
afterAll(() => db.drop());

test('any sequence of commits, versions, modes and streams has the same outcome in memory and in Postgres', async () => {
	await expectAgreement(async () => {
		const postgres = new PostgresStore(new pg.Pool({ ...db.settings, max: 4 }), { schema: `s${schemas++}` });
		await postgres.migrate();
		return postgres;
	});
});
