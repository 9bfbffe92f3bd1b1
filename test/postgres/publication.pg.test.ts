import { ensurePublication, isPublished, readPublication } from '../../src/postgres/publication';
import { connect } from '../../src/postgres/connect';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

const customers = { schema: 'public', table: 'customers' };
const orders = { schema: 'sales', table: 'Orders' };

describe.each([15, 18] as const)('a publication of Postgres %i', (version) => {
	let database: TestDatabase;
	beforeEach(async () => {
		database = await openTestDatabase('publication', { version });
		await sql(`
			create table customers (id int primary key, name text, secret text);
			create schema sales; create table sales."Orders" (id int primary key)`);
	});
	afterEach(async () => await database.drop());

	const sql = async (text: string) => await database.pool.query(text);
	const ensure = async (tables = [customers, orders]) =>
		await ensurePublication(database.pool, 'our "pub"', tables);
	const read = async () => (await readPublication(database.pool, 'our "pub"'))!;

	test('is made with all it needs, and left alone afterwards', async () => {
		expect(await read()).toBeNull();
		expect(await ensure()).toEqual([
			'create publication "our ""pub""" for table "public"."customers", "sales"."Orders" with (publish_via_partition_root = true)',
		]);
		expect(await read()).toMatchObject({
			viaRoot: true,
			allTables: false,
			missingOperations: [],
			mayAlter: true,
		});
		const state = await read();
		expect([customers, orders].map((table) => isPublished(state, table))).toEqual([true, true]);
		expect(await ensure()).toEqual([]);
	});

	test('is extended, never reduced', async () => {
		await sql(`
			create table other (id int primary key);
			create publication "our ""pub""" for table other, customers with (publish = 'insert')`);
		expect(await ensure()).toEqual([
			'alter publication "our ""pub""" set (publish_via_partition_root = true)',
			`alter publication "our ""pub""" set (publish = 'insert, update, delete, truncate')`,
			'alter publication "our ""pub""" add table "sales"."Orders"',
		]);
		const { tables, missingOperations } = await read();
		expect(tables.map(({ table }) => table).sort()).toEqual(['Orders', 'customers', 'other']);
		expect(missingOperations).toEqual([]);
	});

	test('of all tables or of a schema covers what is in it', async () => {
		await sql(
			'create publication "our ""pub""" for tables in schema sales, public with (publish_via_partition_root = true)',
		);
		expect(await ensure()).toEqual([]);
		await sql(
			'drop publication "our ""pub"""; create publication "our ""pub""" for all tables with (publish_via_partition_root = true)',
		);
		expect(await ensure()).toEqual([]);
	});

	test('says which columns and rows it leaves out', async () => {
		await sql('create publication "our ""pub""" for table customers (id, name) where (id > 10)');
		const { tables } = await read();
		expect(tables).toEqual([{ ...customers, columns: ['id', 'name'], rowFilter: '(id > 10)' }]);
	});

	test('that the role may not make is refused with the statement for somebody who may', async () => {
		const role = `plain_${database.settings.database.slice(-8)}`;
		await sql(`create role ${role} login password 'secret'`);
		const client = await connect({ ...database.settings, user: role, password: 'secret' });
		await expect(ensurePublication(client, 'theirs', [customers])).rejects.toMatchObject({
			code: 'PRIVILEGE_MISSING',
			message: expect.stringContaining(
				'create publication "theirs" for table "public"."customers"',
			),
		});
		await client.end();
		await sql(`drop role ${role}`);
	});

	test('of a table that is not there is refused', async () => {
		await expect(ensure([{ schema: 'public', table: 'none' }])).rejects.toMatchObject({
			code: 'TABLE_MISSING',
		});
	});
});
