import type pg from 'pg';

import { parseLsn } from '../../src/core/lsn';
import { query } from '../../src/postgres/sql';
import { type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { drain, openStreamLab, rowsOf, type StreamLab, take, takeOne } from '../support/stream-lab';
import { waitUntil } from '../support/wait-until';

const SETUP = 'create table t (id int primary key)';

describe.each([15, 18] as const)('acknowledging to Postgres %i', (version) => {
	let lab: StreamLab;
	beforeEach(async () => {
		lab = await openStreamLab('acknowledge', { version, setup: SETUP });
	});
	afterEach(async () => await lab.close());

	const confirmed = async () => (await lab.slotState()).confirmedLsn!;
	const ids = async (count: number) => {
		const stream = await lab.open();
		const transactions = await take(stream, count);
		await stream.close();
		return transactions.map((transaction) => Number(rowsOf(transaction)[0]!.new![0]));
	};

	test('what was not acknowledged comes again after a restart, whole and in order', async () => {
		const stream = await lab.open();
		for (const id of [1, 2, 3]) await lab.sql(`insert into t values (${id})`);
		const [first] = await take(stream, 3);
		stream.acknowledge(first!.endLsn);
		await stream.close();
		expect(await confirmed()).toBe(first!.endLsn);
		expect(await ids(2)).toEqual([2, 3]);
		expect(await ids(2)).toEqual([2, 3]);
	});

	test('an acknowledgement reaches the server while the stream runs', async () => {
		const stream = await lab.open();
		await lab.sql('insert into t values (1)');
		const { endLsn } = await takeOne(stream);
		expect(stream.position.acknowledgedLsn < endLsn).toBe(true);
		stream.acknowledge(endLsn);
		await waitUntil('the acknowledgement', async () => (await confirmed()) === endLsn);
		expect(stream.position).toMatchObject({
			acknowledgedLsn: endLsn,
			bufferedChanges: 0,
			isPaused: false,
		});
	});

	test('a position that was never handed out is refused', async () => {
		const stream = await lab.open();
		await lab.sql('insert into t values (1)');
		const { endLsn } = await takeOne(stream);
		expect(() => stream.acknowledge(endLsn + 1n)).toThrow(
			expect.objectContaining({ code: 'ACK_OUT_OF_RANGE' }),
		);
	});

	test('an idle slot moves forward when the caller says so, past what does not concern it', async () => {
		await lab.sql('drop publication lab; create publication lab for table t');
		await lab.sql('create table other (id int)');
		const idle: bigint[] = [];
		const stream = await lab.open({ onIdle: (walEnd) => idle.push(walEnd) });
		const before = await confirmed();
		await lab.sql('insert into other select generate_series(1, 10000)');
		const [now] = await query<{ lsn: string }>(
			lab.database.pool,
			'select pg_current_wal_lsn() as lsn',
		);
		await waitUntil(
			'the server to move on',
			() => stream.position.receivedLsn >= parseLsn(now!.lsn),
		);
		expect(idle).toEqual([]); // Nobody reads yet, so nobody could answer.
		const draining = drain(stream);
		await lab.sql('insert into other values (0)');
		await waitUntil('the stream to fall idle', () => (idle.at(-1) ?? 0n) >= parseLsn(now!.lsn));
		expect(await confirmed()).toBe(before);
		stream.acknowledge(idle.at(-1)!);
		await waitUntil('the slot to move', async () => (await confirmed()) > before);
		await stream.close();
		await draining;
	});

	test('a stream with an unacknowledged transaction is not idle, and its slot stays', async () => {
		const idle: bigint[] = [];
		const stream = await lab.open({ onIdle: (walEnd) => idle.push(walEnd) });
		await lab.sql('insert into t values (1)');
		const { endLsn, commitLsn } = await takeOne(stream);
		await lab.sql('create table other (id int)');
		await waitUntil('the server to move on', () => stream.position.receivedLsn > endLsn);
		expect(idle.every((walEnd) => walEnd <= commitLsn)).toBe(true);
		stream.acknowledge(endLsn);
		await waitUntil('the stream to fall idle', () => (idle.at(-1) ?? 0n) > endLsn);
		expect((await confirmed()) <= endLsn).toBe(true);
	});

	test('a start position skips whole transactions that ended before it', async () => {
		for (const id of [1, 2]) await lab.sql(`insert into t values (${id})`);
		const stream = await lab.open();
		const [first] = await take(stream, 2);
		await stream.close();
		const later = await lab.open({ startLsn: first!.endLsn });
		expect(rowsOf(await takeOne(later))[0]!.new).toEqual(['2']);
	});

	test('a temporary copy reads the same changes and leaves the slot where it is', async () => {
		const main = await lab.open();
		await lab.sql('insert into t values (1)');
		const before = await confirmed();
		const copy = await lab.open({ temporaryCopy: true });
		const transaction = await takeOne(copy);
		expect(rowsOf(transaction)[0]!.new).toEqual(['1']);
		copy.acknowledge(transaction.endLsn);
		await copy.close();
		expect(await confirmed()).toBe(before);
		expect((await takeOne(main)).endLsn).toBe(transaction.endLsn);
		const { rows } = await lab.database.pool.query(
			'select 1 from pg_replication_slots where slot_name like $1',
			[`${lab.slot}_copy%`],
		);
		expect(rows).toEqual([]);
	});
});

// Each of these leaves a transaction open, which keeps others from making slots.
describe.each([15, 18] as const)('with a server of its own, Postgres %i,', (version) => {
	let server: PostgresServer;
	let lab: StreamLab;
	beforeEach(async () => {
		server = await startPostgres({ version });
		lab = await openStreamLab('acknowledge', { version, server, setup: SETUP });
	});
	afterEach(async () => {
		await lab.close();
		await server.stop();
	});

	/** Acknowledges up to where the log ends, in the middle of the writer's transaction. */
	async function acknowledgeAll(writer: pg.ClientBase): Promise<bigint> {
		const stream = await lab.open({ onIdle: (walEnd) => stream.acknowledge(walEnd) });
		const draining = drain(stream);
		await writer.query('begin');
		await writer.query('insert into t select coalesce(max(id), 0) + 1 from t');
		// What this writes to the log makes the server flush, and send, all that stands before it.
		await lab.sql('create table if not exists other (id int); insert into other values (1)');
		const [end] = await query<{ lsn: string }>(
			lab.database.pool,
			'select pg_current_wal_insert_lsn() as lsn',
		);
		await waitUntil('the acknowledgement', async () => {
			return (await lab.slotState()).confirmedLsn! >= parseLsn(end!.lsn);
		});
		await stream.close();
		await draining;
		return (await lab.slotState()).confirmedLsn!;
	}

	// A reader that acknowledges one byte more than this loses the transaction for ever.
	test('a transaction whose commit record starts at the acknowledged position is not lost', async () => {
		await waitUntil('a commit right at the acknowledged position', async () => {
			const writer = await lab.database.pool.connect();
			const acknowledged = await acknowledgeAll(writer).finally(async () => {
				await writer.query('commit');
				writer.release();
			});
			const stream = await lab.open();
			const { commitLsn } = await takeOne(stream);
			await stream.close();
			expect(commitLsn >= acknowledged).toBe(true);
			return commitLsn === acknowledged;
		});
	});
});
