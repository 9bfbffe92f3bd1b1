import { randomBytes } from 'node:crypto';

import { openChangeStream } from '../../src/postgres/change-stream';
import { connectForReplication } from '../../src/postgres/connect';
import { createSlot } from '../../src/postgres/create-slot';
import { alignFailover } from '../../src/postgres/failover-slot';
import { dropSlot, identifySystem, readSlot } from '../../src/postgres/slot';
import { readSnapshot } from '../../src/postgres/snapshot';
import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { rowsOf } from '../support/stream-lab';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';

describe.each([15, 18] as const)('a slot of Postgres %i', (version) => {
	let database: TestDatabase;
	let name: string;
	beforeEach(async () => {
		database = await openTestDatabase('slot', { version });
		name = `slot_${randomBytes(6).toString('hex')}`;
	});
	afterEach(async () => await database.drop());

	test('and its snapshot meet without a gap or an overlap, while others write', async () => {
		const { pool, settings } = database;
		await pool.query('create table t (id int primary key); create publication p for table t');
		const writing = new AbortController();
		let written = 0;
		const writer = (async () => {
			while (!writing.signal.aborted) await pool.query('insert into t values ($1)', [++written]);
		})();
		await waitUntil('some rows', () => written > 50);
		const slot = await createSlot(settings, { name });
		const copied: number[] = [];
		const tables = [{ schema: 'public', table: 't', key: ['id'] }];
		for await (const { rows } of readSnapshot({
			connection: settings,
			snapshotName: slot.snapshotName,
			tables,
			pageSize: 20,
		})) {
			copied.push(...rows.map(([id]) => Number(id)));
		}
		await slot.release();
		await waitUntil('more rows', () => written > copied.length + 50);
		writing.abort();
		await writer;
		const stream = await openChangeStream({
			connection: settings,
			slot: name,
			publications: ['p'],
		});
		expect(stream.position.acknowledgedLsn).toBe(slot.consistentLsn);
		for await (const transaction of stream.transactions()) {
			copied.push(...rowsOf(transaction).map((row) => Number(row.new![0])));
			if (copied.length >= written) break;
		}
		await stream.close();
		expect(copied).toEqual(Array.from({ length: written }, (_, index) => index + 1));
	});

	test('has a state that anybody may read', async () => {
		await (await createSlot(database.settings, { name })).release();
		expect(await readSlot(database.pool, name)).toMatchObject({
			name,
			plugin: 'pgoutput',
			database: database.settings.database,
			isTemporary: false,
			activePid: null,
			activeApplication: null,
			walStatus: 'reserved',
			invalidationReason: null,
			isFailover: version >= 17 ? false : null,
			isSynced: false,
			inactiveSinceMs: version >= 17 ? expect.any(Number) : null,
			restartLsn: expect.any(BigInt),
			confirmedLsn: expect.any(BigInt),
			retainedWalBytes: expect.any(Number),
		});
		await database.pool.query('create table filler as select generate_series(1, 10000)');
		const state = await readSlot(database.pool, name);
		expect(state!.unacknowledgedWalBytes).toBeGreaterThan(100_000);
		expect(await readSlot(database.pool, 'no_such_slot')).toBeNull();
	});

	test('is dropped once, and not while it is read', async () => {
		await database.pool.query('create publication p for all tables');
		await (await createSlot(database.settings, { name })).release();
		const stream = await openChangeStream({
			connection: database.settings,
			slot: name,
			publications: ['p'],
		});
		await expect(dropSlot(database.pool, name)).rejects.toMatchObject({ code: 'SLOT_BUSY' });
		await stream.close();
		expect(await dropSlot(database.pool, name)).toBe(true);
		expect(await dropSlot(database.pool, name)).toBe(false);
	});

	test('is not made twice', async () => {
		await (await createSlot(database.settings, { name })).release();
		await expect(createSlot(database.settings, { name })).rejects.toMatchObject({
			code: 'SLOT_EXISTS',
		});
	});

	test('is kept by standbys where the server can do that, also one that is there already', async () => {
		const { settings, pool } = database;
		const making = createSlot(settings, { name, failover: true });
		if (version < 17) {
			await expect(making).rejects.toMatchObject({ code: 'INVALID_SETTING', message: expect.stringContaining('Postgres 15') });
			expect(await readSlot(pool, name)).toBeNull();
			await (await createSlot(settings, { name })).release();
			await expect(alignFailover(settings, name, true)).rejects.toMatchObject({ code: 'INVALID_SETTING' });
			expect(await alignFailover(settings, name, false)).toBe(false);
			return;
		}
		await (await making).release();
		expect(await readSlot(pool, name)).toMatchObject({ isFailover: true });
		expect(await alignFailover(settings, name, true)).toBe(false);
		expect(await alignFailover(settings, name, false)).toBe(true);
		expect(await readSlot(pool, name)).toMatchObject({ isFailover: false });
		await pool.query('create publication p for all tables');
		const stream = await openChangeStream({ connection: settings, slot: name, publications: ['p'] });
		await expect(alignFailover(settings, name, true)).rejects.toMatchObject({ code: 'SLOT_BUSY' });
		await stream.close();
		await waitUntil('the slot to be free', async () => (await readSlot(pool, name))?.activePid === null);
		expect(await alignFailover(settings, name, true)).toBe(true);
		expect(await readSlot(pool, name)).toMatchObject({ isFailover: true });
	});

	test('needs a snapshot that is still there', async () => {
		const tables = [{ schema: 'public', table: 't', key: ['id'] }];
		await database.pool.query('create table t (id int primary key)');
		const slot = await createSlot(database.settings, { name });
		await slot.release();
		const reading = readSnapshot({
			connection: database.settings,
			snapshotName: slot.snapshotName,
			tables,
		});
		await expect(reading.next()).rejects.toMatchObject({ code: 'SNAPSHOT_GONE' });
	});

	test('belongs to a server that can be told from others', async () => {
		const client = await connectForReplication(database.settings);
		const system = await identifySystem(client);
		await client.end();
		const { rows } = await database.pool.query(
			'select system_identifier::text as id from pg_control_system()',
		);
		expect(system).toMatchObject({ systemId: rows[0].id, timeline: 1, walLsn: expect.any(BigInt) });
	});
});

describe.each([15, 18] as const)('on a server of its own, Postgres %i, a slot', (version) => {
	let server: PostgresServer;
	let database: TestDatabase;
	const start = async (settings: Record<string, string> = {}) => {
		server = await startPostgres({ version, settings });
		database = await openTestDatabase('slot', { version, server });
	};
	afterEach(async () => {
		await database.drop();
		await server.stop();
	});

	test('that cannot be made because a transaction stays open names that transaction, and leaves nothing behind', async () => {
		await start();
		const holder = await database.pool.connect();
		await holder.query(`set application_name = 'forgotten'`);
		await holder.query('begin; create table open_one (id int)');
		await expect(
			createSlot(database.settings, { name: 'blocked', timeoutMs: 500 }),
		).rejects.toMatchObject({
			code: 'SLOT_BLOCKED',
			message: expect.stringMatching(/waits for process \d+ \(forgotten, open for \d+ s\)/),
		});
		await waitUntil(
			'the half-made slot to go',
			async () => (await readSlot(database.pool, 'blocked')) === null,
		);
		await holder.query('rollback');
		holder.release();
		await (await createSlot(database.settings, { name: 'blocked' })).release();
	});

	test('is not made when all are taken', async () => {
		await start({ max_replication_slots: '1' });
		await (await createSlot(database.settings, { name: 'only' })).release();
		await expect(createSlot(database.settings, { name: 'more' })).rejects.toMatchObject({
			code: 'SLOT_LIMIT',
		});
		await dropSlot(database.pool, 'only');
	});

	test('is not made where the log holds too little', async () => {
		await start({ wal_level: 'replica' });
		await expect(createSlot(database.settings, { name: 'any' })).rejects.toMatchObject({
			code: 'STREAM_FAILED',
			message: expect.stringContaining('wal_level'),
		});
	});
});
