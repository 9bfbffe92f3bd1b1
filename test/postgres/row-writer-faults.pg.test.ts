import pg from 'pg';

import type { SyncError } from '../../src/core/errors';
import type { WriteResult } from '../../src/postgres/row-writer';
import { freePort } from '../support/free-port';
import { waitUntil } from '../support/wait-until';
import {
	insertOf,
	policyOfColumns,
	updateOf,
	withTarget,
	type WriteTarget,
} from '../support/write-target';

const POLICY = policyOfColumns(['name', 'credit']);
const TABLE = `create table record (id int primary key, name text unique, credit int default 0);
	insert into record (id, name) select n, 'n' || n from generate_series(1, 20) n;`;
const TARGET = { ddl: TABLE, policy: POLICY };

const rename = (id: number, number = 1) =>
	updateOf(`${id}`, { name: [`n${id}`, `new${id}`] }, { number });
const nameOf = async (target: WriteTarget, id: number) =>
	await target.rows('select name from record where id = $1', [id]);

function errorOf(result: WriteResult | undefined): SyncError {
	if (result?.outcome !== 'none') throw new Error(`expected no outcome, not ${result?.outcome}`);
	return result.error;
}

/** A user's open transaction; ended by `test`, or rolled back after it. */
async function asUser(
	target: WriteTarget,
	test: (user: pg.PoolClient) => Promise<void>,
): Promise<void> {
	const user = await target.pool.connect();
	try {
		await user.query('begin');
		await test(user);
	} finally {
		await user.query('rollback');
		user.release();
	}
}

/** The process id of the session that waits for a lock. */
async function waiter(target: WriteTarget): Promise<number> {
	return await waitUntil('a session to wait for a lock', async () => {
		const rows = await target.rows(`select pid from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock'`);
		return (rows[0] as { pid: number } | undefined)?.pid;
	});
}

test('a compare-and-set waits for a user’s transaction and comes out stale', async () => {
	await withTarget(TARGET, async (target) => {
		await asUser(target, async (user) => {
			await user.query(`update record set name = 'edited' where id = 1`);
			const writing = target.write([rename(1), rename(2)]);
			await waiter(target);
			await user.query('commit');
			const [first, second] = await writing;
			expect(first).toMatchObject({ outcome: 'stale', recorded: false });
			expect(second).toMatchObject({ outcome: 'applied' });
		});
		expect(await nameOf(target, 1)).toEqual([{ name: 'edited' }]);
		expect((await target.newMarkers()).map(({ outcome }) => outcome)).toEqual(['stale', 'applied']);
	});
});

test('of two executors with the same operations exactly one writes', async () => {
	await withTarget(TARGET, async (target) => {
		await target.rows('create table written (id int)');
		await target.rows(`create function note() returns trigger language plpgsql as $$ begin
			insert into written values (new.id); return new; end $$`);
		await target.rows(
			'create trigger note after insert or update on record for each row execute function note()',
		);
		const ops = [
			...Array.from({ length: 20 }, (_, index) => rename(index + 1)),
			insertOf('new', { credit: 1 }),
		];
		const policy = policyOfColumns(['name', 'credit'], { insert: { id: 100 } });
		const all = await Promise.all(Array.from({ length: 5 }, () => target.write(ops, { policy })));
		for (const index of ops.keys()) {
			const results = all.map((results) => results[index]);
			expect(results.map((result) => result?.outcome)).toEqual(Array(5).fill('applied'));
			expect(
				results.filter((result) => result?.outcome === 'applied' && !result.recorded),
			).toHaveLength(1);
		}
		expect(await target.rows('select id from written group by id having count(*) > 1')).toEqual([]);
		expect(await target.rows('select from written')).toHaveLength(21);
		expect(await target.newMarkers()).toHaveLength(21);
	});
});

test('a locked row gets no outcome, and holds up no other row', async () => {
	await withTarget(TARGET, async (target) => {
		const ops = [rename(1), rename(2), rename(99)];
		await asUser(target, async (user) => {
			await user.query('select from record where id = 1 for update');
			const [locked, free, absent] = await target.write(ops, { lockTimeoutMs: 50 });
			expect(errorOf(locked)).toMatchObject({ code: 'TARGET_BUSY', action: 'retry' });
			expect(free).toMatchObject({ outcome: 'applied' });
			expect(absent).toMatchObject({ outcome: 'stale' });
		});
		expect((await target.newMarkers()).map(({ op }) => op).sort()).toEqual([
			ops[1]?.id,
			ops[2]?.id,
		]);
		expect(
			(await target.write(ops)).map((result) => 'recorded' in result && result.recorded),
		).toEqual([false, true, true]);
		expect(await nameOf(target, 1)).toEqual([{ name: 'new1' }]);
		expect((await target.newMarkers()).map(({ op }) => op)).toEqual([ops[0]?.id]);
	});
});

test('a lock that is not on the row itself leaves its group without an outcome', async () => {
	await withTarget(TARGET, async (target) => {
		await asUser(target, async (user) => {
			await user.query(`insert into record values (50, 'new1')`);
			const other = updateOf('3', { credit: [0, 1] });
			const [waiting, applied] = await target.write([rename(1), other], { lockTimeoutMs: 50 });
			expect(errorOf(waiting)).toMatchObject({ code: 'TARGET_BUSY' });
			expect(applied).toMatchObject({ outcome: 'applied' });
		});
		expect(await target.outcomes([rename(1)])).toEqual({ 'link1:billing:1': 'applied' });
	});
});

test('an executor that holds the same operation makes a second one give up in time', async () => {
	await withTarget(TARGET, async (target) => {
		await target.write([rename(1)]);
		await asUser(target, async (user) => {
			await user.query('select from n8n_bisync.ledger for update');
			const [result] = await target.write([rename(1, 2)], { lockTimeoutMs: 50 });
			expect(errorOf(result)).toMatchObject({ code: 'TARGET_BUSY' });
		});
	});
});

test('a session that is killed in the middle leaves no outcome, and the next attempt writes once', async () => {
	await withTarget(TARGET, async (target) => {
		const ops = [rename(1), rename(2)];
		await asUser(target, async (user) => {
			await user.query('select from record where id = 2 for update');
			const writing = target.write(ops);
			await target.rows('select pg_terminate_backend($1)', [await waiter(target)]);
			for (const result of await writing)
				expect(errorOf(result)).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
		});
		expect(await nameOf(target, 1)).toEqual([{ name: 'n1' }]);
		const results = await target.write(ops);
		expect(results).toMatchObject(Array(2).fill({ outcome: 'applied', recorded: false }));
		expect(await target.newMarkers()).toHaveLength(2);
	});
});

test('a commit whose answer is lost is found by the next attempt', async () => {
	await withTarget(TARGET, async (target) => {
		await target.rows(`create function hold() returns trigger language plpgsql as $$ begin
			perform pg_advisory_xact_lock(1); return null; end $$`);
		await target.rows(`create constraint trigger hold after update on record deferrable initially deferred
			for each row execute function hold()`);
		const pool = new pg.Pool({ ...target.db.settings, max: 1 });
		const sockets: { destroy(): void }[] = [];
		pool.on('acquire', (client) =>
			sockets.push(
				(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream,
			),
		);
		try {
			await asUser(target, async (user) => {
				await user.query('select pg_advisory_xact_lock(1)');
				const writing = target.write([rename(1)], { pool, lockTimeoutMs: 60_000 });
				await waiter(target);
				sockets.at(-1)?.destroy();
				expect(errorOf((await writing)[0])).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
			});
			// The server knows nothing of the lost client, and finishes its commit.
			await waitUntil('the commit', async () =>
				(await nameOf(target, 1)).some((row) => JSON.stringify(row).includes('new1')),
			);
			expect(await target.newMarkers()).toHaveLength(1);
			expect(await target.write([rename(1)], { pool })).toMatchObject([
				{ outcome: 'applied', recorded: true },
			]);
			expect(await target.newMarkers()).toEqual([]);
		} finally {
			await pool.end();
		}
	});
});

test('a deadlock with a user is tried again', async () => {
	await withTarget(TARGET, async (target) => {
		await asUser(target, async (user) => {
			await user.query(`set local deadlock_timeout = '60s'`);
			await user.query('update record set credit = credit where id = 2');
			const writing = target.write([rename(1), updateOf('2', { credit: [0, 5] })]);
			await waiter(target);
			await user.query('update record set credit = credit where id = 1');
			await user.query('commit');
			expect(await writing).toMatchObject(Array(2).fill({ outcome: 'applied', recorded: false }));
		});
		expect(await target.newMarkers()).toHaveLength(2);
	});
});

test('a statement that takes too long leaves its group without an outcome', async () => {
	await withTarget(TARGET, async (target) => {
		await target.rows(`create function stall() returns trigger language plpgsql as $$ begin
			perform pg_sleep(60); return new; end $$`);
		await target.rows(
			'create trigger stall before update of credit on record for each row execute function stall()',
		);
		const ops = [rename(1), updateOf('2', { credit: [0, 5] })];
		const [applied, slow] = await target.write(ops, { statementTimeoutMs: 200 });
		expect(applied).toMatchObject({ outcome: 'applied' });
		expect(errorOf(slow)).toMatchObject({ code: 'TARGET_BUSY' });
		expect(await target.newMarkers()).toHaveLength(1);
	});
});

test('a server that is not there leaves everything without an outcome', async () => {
	await withTarget(TARGET, async (target) => {
		const pool = new pg.Pool({ ...target.db.settings, port: await freePort() });
		try {
			const results = await target.write([rename(1), insertOf('new', { name: 'x' })], { pool });
			for (const result of results)
				expect(errorOf(result)).toMatchObject({ code: 'DATABASE_UNREACHABLE' });
		} finally {
			await pool.end();
		}
	});
});

test('what does not fit policy or table is left alone, and holds up nothing else', async () => {
	const policy = policyOfColumns(['name', 'credit', 'gone']);
	await withTarget({ ddl: TABLE, policy }, async (target) => {
		const { fields: _, ...rest } = rename(5);
		const results = await target.write([
			rename(1),
			updateOf('2', { gone: [null, 'x'] }),
			updateOf('3', { unknown: [null, 'x'] }),
			{ ...rename(4), entity: 'nothing' },
			{ ...rest, fields: {} },
			{ ...rename(6), key: { other: '6' } },
			{ ...rename(7), fields: { name: { next: 'blind', canon: null, vector: {} } } },
		]);
		expect(results[0]).toMatchObject({ outcome: 'applied' });
		expect(errorOf(results[1])).toMatchObject({
			code: 'TABLE_MISSING',
			message: expect.stringContaining('"gone"'),
		});
		for (const result of results.slice(2))
			expect(errorOf(result)).toMatchObject({ code: 'OPERATION_INVALID' });
	});
});
