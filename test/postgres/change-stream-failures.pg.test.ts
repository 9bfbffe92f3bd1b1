import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { openStreamLab, rowsOf, type StreamLab, take, takeOne } from '../support/stream-lab';
import { openTestDatabase } from '../support/test-database';
import { openTcpRelay } from '../support/tcp-relay';
import { waitUntil } from '../support/wait-until';

const SETUP = 'create table t (id int primary key, body text)';
const failure = (code: string, message: RegExp | string = '') =>
	expect.objectContaining({ code, message: expect.stringMatching(message) });

describe.each([15, 18] as const)('a change stream of Postgres %i', (version) => {
	let lab: StreamLab;
	beforeEach(async () => {
		lab = await openStreamLab('failures', { version, setup: SETUP });
	});
	afterEach(async () => await lab.close());

	test('is not opened while another one reads the slot, and says who does', async () => {
		const first = await lab.open();
		await expect(lab.open()).rejects.toEqual(
			failure('SLOT_BUSY', /read by process \d+ \(n8n-nodes-bisync\)/),
		);
		await first.close();
		await (await lab.open()).close();
	});

	test('is not opened when two start at the same moment', async () => {
		const results = await Promise.allSettled([lab.open(), lab.open(), lab.open()]);
		const codes = results.map((result) =>
			result.status === 'rejected' ? (result.reason as { code: string }).code : 'open',
		);
		expect(codes.sort()).toEqual(['SLOT_BUSY', 'SLOT_BUSY', 'open']);
	});

	test('never makes a slot that is missing', async () => {
		await expect(lab.open({ slot: 'no_such_slot' })).rejects.toEqual(
			failure('SLOT_MISSING', '"no_such_slot"'),
		);
		const { rows } = await lab.database.pool.query(
			`select 1 from pg_replication_slots where slot_name = 'no_such_slot'`,
		);
		expect(rows).toEqual([]);
	});

	test('refuses a slot of another kind or database', async () => {
		const physical = `physical_${lab.slot}`;
		await lab.sql(`select pg_create_physical_replication_slot('${physical}')`);
		await expect(lab.open({ slot: physical })).rejects.toEqual(
			failure('SLOT_UNUSABLE', 'physical'),
		);
		await lab.sql(`select pg_drop_replication_slot('${physical}')`);
		const other = await openTestDatabase('other', { version });
		await other.pool.query('create publication lab for all tables');
		await expect(lab.open({ connection: other.settings })).rejects.toEqual(
			failure('SLOT_UNUSABLE', `belongs to database "${lab.database.settings.database}"`),
		);
		await other.drop();
	});

	test('names the publications that are missing', async () => {
		await expect(lab.open({ publications: ['lab', 'none', 'no "such"'] })).rejects.toEqual(
			failure('PUBLICATION_MISSING', 'no publication "none", "no "such""'),
		);
	});

	test('takes publications whose names need quoting', async () => {
		await lab.sql(`create publication "it's ""odd"", so" for table t`);
		const stream = await lab.open({ publications: [`it's "odd", so`] });
		await lab.sql('insert into t values (1)');
		expect(rowsOf(await takeOne(stream))).toHaveLength(1);
	});

	// Up to Postgres 17 the server ends the stream; from 18 on it warns, and would skip the change.
	test('fails at a change that is older than its publication', async () => {
		await lab.sql('drop publication lab');
		await lab.sql('insert into t values (1)');
		await lab.sql('create publication lab for table t');
		await lab.sql('insert into t values (2)');
		const stream = await lab.open();
		await expect(take(stream, 1)).rejects.toEqual(failure('PUBLICATION_MISSING'));
		await expect(take(stream, 1)).rejects.toEqual(failure('PUBLICATION_MISSING'));
	});

	test('needs a role that may replicate', async () => {
		const role = `plain_${lab.slot}`;
		await lab.sql(`create role ${role} login password 'secret'`);
		const connection = { ...lab.database.settings, user: role, password: 'secret' };
		await expect(lab.open({ connection })).rejects.toEqual(failure('PRIVILEGE_MISSING'));
		await expect(lab.open({ connection: { ...connection, password: 'wrong' } })).rejects.toEqual(
			failure('AUTH_FAILED'),
		);
		await lab.sql(`alter role ${role} replication`);
		const stream = await lab.open({ connection });
		await lab.sql('insert into t values (1)');
		expect(rowsOf(await takeOne(stream))).toHaveLength(1);
		await stream.close();
		await lab.sql(`drop role ${role}`);
	});

	test('fails rather than the process when a transaction is too large', async () => {
		const stream = await lab.open({ maxTransactionBytes: 100_000 });
		await lab.sql('insert into t values (0)');
		await lab.sql(`insert into t select i, repeat('x', 100) from generate_series(1, 5000) i`);
		expect(rowsOf(await takeOne(stream))).toHaveLength(1);
		await expect(take(stream, 1)).rejects.toEqual(failure('TRANSACTION_TOO_LARGE'));
	});

	test('survives a consumer that is slower than wal_sender_timeout', async () => {
		const role = `slow_${lab.slot}`;
		await lab.sql(
			`create role ${role} login replication password 'secret'; alter role ${role} set wal_sender_timeout = '2s'`,
		);
		const connection = { ...lab.database.settings, user: role, password: 'secret' };
		const stream = await lab.open({ connection, maxBufferedChanges: 10 });
		for (let batch = 0; batch < 40; batch++) {
			await lab.sql(
				`insert into t select ${batch} * 1000 + i, repeat('x', 2000) from generate_series(1, 1000) i`,
			);
		}
		const first = await takeOne(stream);
		await waitUntil('reading to pause', () => stream.position.isPaused);
		const { pid } = await lab.database.pool
			.query<{
				pid: number;
			}>('select active_pid as pid from pg_replication_slots where slot_name = $1', [lab.slot])
			.then(({ rows }) => rows[0]!);
		await waitUntil('thrice the timeout to pass', async () => {
			const { rows } = await lab.database.pool.query(
				`select 1 from pg_stat_activity where pid = $1 and now() - backend_start > interval '6 s'`,
				[pid],
			);
			return rows.length === 1;
		});
		expect(stream.position.isPaused).toBe(true);
		const rest = await take(stream, 39);
		expect([first, ...rest].flatMap(rowsOf)).toHaveLength(40_000);
		stream.acknowledge(rest.at(-1)!.endLsn);
		await stream.close();
		expect((await lab.slotState()).confirmedLsn).toBe(rest.at(-1)!.endLsn);
		await lab.sql(`drop role ${role}`);
	});

	test('can be closed while reading is paused, and frees the slot', async () => {
		const stream = await lab.open({ maxBufferedChanges: 10 });
		await lab.sql(`insert into t select i, repeat('x', 2000) from generate_series(1, 20000) i`);
		await waitUntil('reading to pause', () => stream.position.isPaused);
		const reading = stream.transactions();
		await Promise.all([stream.close(), stream.close()]);
		expect(await reading.next()).toEqual({ done: true, value: undefined });
		expect((await lab.slotState()).activePid).toBeNull();
		expect(rowsOf(await takeOne(await lab.open()))).toHaveLength(20_000);
	});

	test('can be closed in the middle of a large transaction, and frees the slot', async () => {
		const stream = await lab.open();
		await lab.sql(`insert into t select i, repeat('x', 500) from generate_series(1, 100000) i`);
		const next = stream.transactions().next();
		await waitUntil(
			'the transaction to arrive in part',
			() => stream.position.bufferedChanges > 100,
		);
		await stream.close();
		expect(await next).toEqual({ done: true, value: undefined });
		expect((await lab.slotState()).activePid).toBeNull();
	});

	test('fails when the callback for idle times fails', async () => {
		const stream = await lab.open({
			onIdle: () => {
				throw new Error('the store is away');
			},
		});
		const failed = take(stream, 1);
		failed.catch(() => undefined); // It may fail before anybody waits for it.
		await lab.sql('create table other (id int)');
		await expect(failed).rejects.toEqual(failure('STREAM_FAILED', 'the store is away'));
	});

	test('ends the wait of its reader when it is closed', async () => {
		const stream = await lab.open();
		const next = stream.transactions().next();
		await stream.close();
		expect(await next).toEqual({ done: true, value: undefined });
	});

	test('goes on where a reader left the loop', async () => {
		const stream = await lab.open();
		for (const id of [1, 2, 3]) await lab.sql(`insert into t values (${id})`);
		await take(stream, 1);
		expect((await take(stream, 2)).map((transaction) => rowsOf(transaction)[0]!.new![0])).toEqual([
			'2',
			'3',
		]);
	});

	test('counts as broken when the connection falls silent', async () => {
		const relay = await openTcpRelay(lab.database.settings.port);
		const connection = { ...lab.database.settings, port: relay.port };
		const role = `silent_${lab.slot}`;
		await lab.sql(
			`create role ${role} login replication password 'secret'; alter role ${role} set wal_sender_timeout = '3s'`,
		);
		const stream = await lab.open({
			connection: { ...connection, user: role, password: 'secret' },
			silenceTimeoutMs: 4_000,
		});
		await lab.sql('insert into t values (1)');
		await takeOne(stream);
		relay.fallSilent();
		await expect(take(stream, 1)).rejects.toEqual(failure('CONNECTION_LOST', 'silent'));
		await stream.close();
		await relay.close();
		await waitUntil(
			'the server to notice too',
			async () => (await lab.slotState()).activePid === null,
		);
		await lab.sql(`drop role ${role}`);
	});

	test('reports a session that was ended on the server', async () => {
		const stream = await lab.open();
		const next = take(stream, 1);
		next.catch(() => undefined); // It may fail before anybody waits for it.
		const { activePid } = await lab.slotState();
		await lab.sql(`select pg_terminate_backend(${activePid})`);
		await expect(next).rejects.toEqual(failure('CONNECTION_LOST'));
	});
});

describe.each([15, 18] as const)('with a server of its own, Postgres %i,', (version) => {
	let server: PostgresServer;
	let lab: StreamLab;
	const start = async (settings: Record<string, string>) => {
		server = await startPostgres({ version, settings });
		lab = await openStreamLab('own server', { version, server, setup: SETUP });
	};
	afterEach(async () => {
		await lab.close();
		await server.stop();
	});

	test('a stream ends when the server shuts down, without holding it up, and goes on afterwards', async () => {
		await start({});
		const stream = await lab.open({
			onIdle: (walEnd, isUrgent) => {
				if (isUrgent) stream.acknowledge(walEnd);
			},
		});
		await lab.sql('insert into t values (1)');
		stream.acknowledge((await takeOne(stream)).endLsn);
		const next = take(stream, 1);
		next.catch(() => undefined);
		await server.restart(); // Fails if the server has to wait for us.
		await expect(next).rejects.toEqual(failure('CONNECTION_LOST'));
		await lab.sql('insert into t values (2)');
		// Up to Postgres 16 a shutdown may forget the last acknowledgement, so the first one may come again.
		const seen: unknown[] = [];
		for await (const transaction of (await lab.open()).transactions()) {
			seen.push(rowsOf(transaction)[0]!.new![0]);
			if (seen.includes('2')) break;
		}
		expect(seen.filter((id) => id !== '1')).toEqual(['2']);
	});

	test('nothing is lost when the server is killed', async () => {
		await start({});
		const stream = await lab.open();
		await lab.sql('insert into t values (1)');
		const next = take(stream, 2);
		next.catch(() => undefined);
		await server.kill();
		await expect(next).rejects.toEqual(failure('CONNECTION_LOST'));
		await expect(lab.open()).rejects.toEqual(failure('DATABASE_UNREACHABLE'));
		await server.restart();
		expect(rowsOf(await takeOne(await lab.open()))[0]!.new![0]).toBe('1');
	});

	test('a slot that fell behind too far is reported as lost, never replaced', async () => {
		await start({
			max_slot_wal_keep_size: '1MB',
			max_wal_size: '32MB',
			min_wal_size: '32MB',
			wal_keep_size: '0',
		});
		await lab.sql('insert into t values (1)');
		await waitUntil('the slot to be lost', async () => {
			await lab.sql(
				`insert into t select (random() * 2e9)::int, repeat('x', 1000) from generate_series(1, 20000) on conflict do nothing`,
			);
			await lab.sql('select pg_switch_wal()');
			await lab.sql('checkpoint');
			return (await lab.slotState()).walStatus === 'lost';
		});
		await expect(lab.open()).rejects.toEqual(failure('SLOT_LOST'));
		expect(await lab.slotState()).toMatchObject({ walStatus: 'lost', activePid: null });
	});
});
