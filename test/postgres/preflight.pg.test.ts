import { createSlot } from '../../src/postgres/create-slot';
import { preflight } from '../../src/postgres/preflight';
import { ensurePublication } from '../../src/postgres/publication';
import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

const NAMES = ['good', 'keyed', 'bare', 'loose', 'hidden', 'parts', 'v', 'none'];
const tables = NAMES.map((table) => ({ schema: 'public', table, key: ['id'], columns: ['v'] }));

const SETUP = `
	create table good (id int primary key, v text); alter table good replica identity full;
	create table keyed (id int primary key, v text);
	create table bare (id int, v text generated always as ('x') stored);
	create unlogged table loose (id int primary key);
	create table hidden (id int primary key, v text); alter table hidden enable row level security;
	create table parts (id int primary key, v text) partition by range (id);
	create table parts_low partition of parts for values from (0) to (9);
	create table parts_high partition of parts for values from (9) to (99);
	alter table parts_low replica identity full;
	alter table parts_high replica identity nothing;
	create view v as select 1 as id`;

describe.each([15, 18] as const)('the preflight of Postgres %i', (version) => {
	let database: TestDatabase;
	let role: string;
	beforeEach(async () => {
		database = await openTestDatabase('preflight', { version });
		role = `role_${database.settings.database.slice(-8)}`;
		await sql(`${SETUP}; create role ${role} login password 'secret'`);
	});
	afterEach(async () => {
		await sql(`drop owned by ${role} cascade; drop role ${role}`);
		await database.drop();
	});

	const sql = async (text: string) => await database.pool.query(text);
	const look = async (more: object = {}) => {
		const connection = { ...database.settings, user: role, password: 'secret' };
		const slot = `slot_${role}`;
		return await preflight({ connection, publication: 'p', slot, tables, ...more });
	};

	test('reports every problem of a plain role at once', async () => {
		const problems = await look();
		const found = problems.map(({ severity, code, message }) =>
			`${severity} ${code} ${/"public"."(\w+)"/.exec(message)?.[1] ?? ''}`.trim(),
		);
		expect(found).toEqual([
			'error REPLICATION_DENIED',
			'error SELECT_DENIED good',
			'error SELECT_DENIED keyed',
			'error COLUMN_GENERATED bare',
			'error SELECT_DENIED bare',
			'error KEY_NOT_UNIQUE bare',
			'error IDENTITY_NOTHING bare',
			'error TABLE_NOT_LOGGED loose',
			'error COLUMN_MISSING loose',
			'error SELECT_DENIED loose',
			'error SELECT_DENIED hidden',
			'error ROWS_HIDDEN hidden',
			'error SELECT_DENIED parts',
			'error IDENTITY_NOTHING parts',
			'error TABLE_MISSING v',
			'error TABLE_MISSING none',
			'error PUBLICATION_MISSING',
			'warning WAL_KEPT_WITHOUT_LIMIT',
			'warning IDENTITY_KEY_ONLY keyed',
			'warning KEY_NULLABLE bare',
			'warning IDENTITY_KEY_ONLY loose',
			'warning IDENTITY_KEY_ONLY hidden',
		]);
		expect(
			problems.find(({ code, message }) => code === 'IDENTITY_NOTHING' && message.includes('parts'))
				?.fix,
		).toBe('alter table "public"."parts_high" replica identity full; alter table "public"."parts" replica identity full;');
	});

	test('is satisfied once its own fixes have been run', async () => {
		const wanted = tables.filter(({ table }) =>
			['good', 'keyed', 'hidden', 'parts'].includes(table),
		);
		for (const { code, fix } of await look({ tables: wanted })) {
			if (code !== 'WAL_KEPT_WITHOUT_LIMIT') await sql(fix);
		}
		const left = await look({ tables: wanted, requireFull: true });
		expect(left.map(({ code }) => code)).toEqual(['WAL_KEPT_WITHOUT_LIMIT']);
	});

	test('finds the generated columns that make updates fail, and its fixes end that', async () => {
		await sql(`create table stored (id int primary key, v text, g text generated always as (v || '!') stored);
			alter table stored replica identity full; insert into stored values (1, 'a')`);
		if (version === 18) {
			await sql(`create table virtual (id int primary key, v text, g text generated always as (v || '!') virtual);
				alter table virtual replica identity full; insert into virtual values (1, 'a')`);
		}
		const names = version === 18 ? ['stored', 'virtual'] : ['stored'];
		const wanted = names.map((table) => ({ schema: 'public', table, key: ['id'], columns: ['v'] }));
		const asOwner = { connection: database.settings, tables: wanted };
		const edit = async () => await Promise.all(names.map(async (name) => await sql(`update ${name} set v = 'b'`)));
		const codes = async () => (await look(asOwner)).map(({ code }) => code).filter((code) => code !== 'WAL_KEPT_WITHOUT_LIMIT');
		expect(await codes()).toEqual(names.flatMap(() => (version === 18 ? ['IDENTITY_UNPUBLISHED'] : [])));
		await ensurePublication(database.pool, 'p', wanted);
		if (version === 18) await expect(edit()).rejects.toMatchObject({ code: '42P10' });
		for (const { code, fix } of await look(asOwner)) if (code === 'IDENTITY_UNPUBLISHED') await sql(fix);
		await edit();
		expect(await codes()).toEqual(version === 18 ? ['IDENTITY_KEY_ONLY'] : []);
	});

	test('knows that a missing grant keeps our own writes from being marked', async () => {
		const { rows } = await sql(
			`select oid::regprocedure::text as f from pg_proc where proname = 'pg_logical_emit_message' and proargtypes[2] = 'text'::regtype`,
		);
		await sql(`revoke execute on function ${rows[0].f} from public`);
		const denied = (await look()).find(({ code }) => code === 'MESSAGE_DENIED');
		expect(denied?.fix).toBe(`grant execute on function ${rows[0].f} to "${role}";`);
		await sql(denied!.fix);
		expect((await look()).some(({ code }) => code === 'MESSAGE_DENIED')).toBe(false);
		await sql(`grant execute on function ${rows[0].f} to public`);
	});

	test('sees a slot that is older than the publication', async () => {
		const slot = `slot_${role}`;
		const wanted = tables.filter(({ table }) => table === 'good');
		const asOwner = { connection: database.settings, slot, tables: wanted };
		expect((await look(asOwner)).map(({ code }) => code)).toEqual(['WAL_KEPT_WITHOUT_LIMIT']);
		await (await createSlot(database.settings, { name: slot })).release();
		expect((await look(asOwner)).map(({ code }) => code)).toEqual([
			'PUBLICATION_MISSING',
			'WAL_KEPT_WITHOUT_LIMIT',
		]);
		await ensurePublication(database.pool, 'p', wanted);
		expect((await look(asOwner)).map(({ code }) => code)).toEqual(['WAL_KEPT_WITHOUT_LIMIT']);
	});

	test('cannot even begin without a session', async () => {
		const connection = { ...database.settings, user: role, password: 'wrong' };
		await expect(look({ connection })).rejects.toMatchObject({ code: 'AUTH_FAILED' });
	});
});

describe.each([15, 18] as const)('a server of its own, Postgres %i,', (version) => {
	let server: PostgresServer;
	afterEach(async () => await server.stop());

	test('that was never prepared for replication is told what to change', async () => {
		server = await startPostgres({
			version,
			settings: { wal_level: 'replica', max_replication_slots: 0, max_slot_wal_keep_size: '1GB' },
		});
		const problems = await preflight({
			connection: server.superuser,
			publication: 'p',
			slot: 's',
			tables: [],
		});
		expect(problems.map(({ code }) => code)).toEqual(['WAL_LEVEL', 'SLOTS_EXHAUSTED']);
	});
});
