import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { SyncError } from '../../src/core/errors';
import { ensureLedger, ledgerSql } from '../../src/postgres/ledger';
import { ident } from '../../src/postgres/sql';
import {
	deleteOf,
	insertOf,
	policyOfColumns,
	updateOf,
	withTarget,
	type WriteTarget,
} from '../support/write-target';

const POLICY = policyOfColumns(['name', 'credit']);
const TABLE = `create table record (id int generated always as identity primary key, name text, credit int default 0);
	insert into record (name) select 'n' || n from generate_series(1, 5) n;`;
const TARGET = { ddl: TABLE, policy: POLICY };

const rename = (id: number, number = 1) =>
	updateOf(`${id}`, { name: [`n${id}`, `new${id}`] }, { number });

/** A role that may log in and nothing else, with a pool of its own; dropped after the test. */
async function withRole(
	target: WriteTarget,
	test: (role: string, pool: pg.Pool) => Promise<void>,
): Promise<void> {
	const role = `sync role ${randomBytes(4).toString('hex')}`;
	await target.rows(`create role ${ident(role)} login password 'secret'`);
	const pool = new pg.Pool({ ...target.db.settings, user: role, password: 'secret' });
	try {
		await test(role, pool);
	} finally {
		await pool.end();
		await target.rows(`drop owned by ${ident(role)}`);
		await target.rows(`drop role ${ident(role)}`);
	}
}

test('a role with grants on table and ledger alone writes everything', async () => {
	await withTarget(TARGET, async (target) => {
		await withRole(target, async (role, pool) => {
			await target.rows(ledgerSql(role));
			await target.rows(`grant select, insert, update, delete on record to ${ident(role)}`);
			const ops = [
				rename(1),
				deleteOf('2', { name: 'n2', credit: 0 }),
				insertOf('new', { name: 'New' }),
			];
			expect(new Set(Object.values(await target.outcomes(ops, { pool })))).toEqual(
				new Set(['applied']),
			);
			expect(await target.newMarkers()).toHaveLength(3);
		});
	});
});

test('without the right to make the ledger, the error holds the SQL that makes it', async () => {
	await withTarget(TARGET, async (target) => {
		await withRole(target, async (role, pool) => {
			await target.rows(`grant select, insert, update, delete on record to ${ident(role)}`);
			const [result] = await target.write([rename(1)], { pool });
			if (result?.outcome !== 'none') throw new Error('expected no outcome');
			expect(result.error).toMatchObject({ code: 'LEDGER_MISSING', action: 'stop' });
			expect(result.error.message).toContain(`"${role}" may not create`);
			expect(await target.rows('select from record where name = $1', ['n1'])).toHaveLength(1);

			await target.rows(result.error.message.slice(result.error.message.indexOf('create schema')));
			await expect(ensureLedger(pool)).resolves.toBeUndefined();
			expect(await target.outcomes([rename(1)], { pool })).toEqual({
				'link1:billing:1': 'applied',
			});
		});
	});
});

test('a ledger that the role may not write is as good as none', async () => {
	await withTarget(TARGET, async (target) => {
		await ensureLedger(target.pool);
		await withRole(target, async (role, pool) => {
			const failure = await ensureLedger(pool).then(
				() => undefined,
				(error: unknown) => error,
			);
			expect(failure).toBeInstanceOf(SyncError);
			expect(failure).toMatchObject({ code: 'LEDGER_MISSING' });
			expect((failure as SyncError).message).toContain(
				`grant select, insert, update on n8n_bisync.ledger to ${ident(role)}`,
			);
		});
	});
});

test('a role that may make a schema makes the ledger by itself, with many writers at once', async () => {
	await withTarget(TARGET, async (target) => {
		await withRole(target, async (role, pool) => {
			await target.rows(
				`grant create on database ${ident(target.db.settings.database)} to ${ident(role)}`,
			);
			await target.rows(`grant select, update on record to ${ident(role)}`);
			const all = await Promise.all(
				[1, 2, 3, 4, 5].map(async (id) => await target.write([rename(id)], { pool })),
			);
			expect(all.flat().map(({ outcome }) => outcome)).toEqual(Array(5).fill('applied'));
		});
	});
});

test('sessions that make the ledger at once do not stand in each other’s way', async () => {
	await withTarget(TARGET, async (target) => {
		for (let round = 0; round < 10; round++) {
			await target.rows('drop schema if exists n8n_bisync cascade');
			await Promise.all(Array.from({ length: 8 }, async () => await ensureLedger(target.pool)));
			expect(await target.rows('select from n8n_bisync.ledger')).toEqual([]);
		}
	});
});

test('a missing privilege on one column holds up only the operations that need it', async () => {
	await withTarget(TARGET, async (target) => {
		await withRole(target, async (role, pool) => {
			await target.rows(ledgerSql(role));
			await target.rows(`grant select, update (name) on record to ${ident(role)}`);
			const ops = [rename(1), updateOf('2', { credit: [0, 9] })];
			const [applied, denied] = await target.write(ops, { pool });
			expect(applied).toMatchObject({ outcome: 'applied' });
			expect(denied).toMatchObject({ outcome: 'none', error: { code: 'PRIVILEGE_MISSING' } });
			expect(await target.newMarkers()).toHaveLength(1);

			await target.rows(`grant update (credit) on record to ${ident(role)}`);
			expect(await target.write(ops, { pool })).toMatchObject([
				{ outcome: 'applied', recorded: true },
				{ outcome: 'applied', recorded: false },
			]);
		});
	});
});

test('row security refuses what it forbids to write, and makes stale what it hides', async () => {
	await withTarget(TARGET, async (target) => {
		await withRole(target, async (role, pool) => {
			await target.rows(ledgerSql(role));
			await target.rows(`grant select, insert, update on record to ${ident(role)}`);
			await target.rows('alter table record enable row level security');
			await target.rows(`create policy few on record using (id < 3) with check (credit < 10)`);
			const results = await target.write(
				[rename(1), updateOf('2', { credit: [0, 10] }), updateOf('3', { name: ['n3', 'x'] })],
				{ pool },
			);
			expect(results).toMatchObject([
				{ outcome: 'applied' },
				{ outcome: 'refused', error: expect.stringContaining('row-level security') },
				{ outcome: 'stale' },
			]);
		});
	});
});

test('a value for a generated column is refused', async () => {
	const policy = policyOfColumns(['id', 'name', 'credit']);
	await withTarget({ ...TARGET, policy }, async (target) => {
		const results = await target.write([
			insertOf('own id', { id: 77, name: 'x' }),
			insertOf('no id', { name: 'y' }),
		]);
		expect(results).toMatchObject([
			{ outcome: 'refused', error: expect.stringContaining('428C9') },
			{ outcome: 'applied', key: { id: '6' } },
		]);
	});
});

test('a published table without a replica identity is an obstacle, not a refusal', async () => {
	const ddl = 'create table record (id int, name text, credit int)';
	await withTarget({ ddl, policy: POLICY }, async (target) => {
		await target.rows(`insert into record values (1, 'n1')`);
		expect(await target.write([rename(1)])).toMatchObject([
			{
				outcome: 'none',
				error: { code: 'TARGET_FAILED', message: expect.stringContaining('replica identity') },
			},
		]);
	});
});
