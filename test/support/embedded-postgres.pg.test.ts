import { readFile, stat } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import pg from 'pg';

import { type PostgresServer, startPostgres } from './embedded-postgres';
import { openTestDatabase } from './test-database';
import { waitUntil } from './wait-until';

async function ask(server: PostgresServer, statement: string): Promise<unknown> {
	const client = new pg.Client(server.superuser);
	await client.connect();
	try {
		const { rows } = await client.query<{ answer: unknown }>(statement);
		return rows[0]?.answer;
	} finally {
		await client.end();
	}
}

test.each([15, 18] as const)('test databases of Postgres %i decode logically', async (version) => {
	const { pool, drop } = await openTestDatabase('decodes', { version });
	try {
		const { rows } = await pool.query('show server_version');
		expect(rows[0]).toEqual({ server_version: expect.stringMatching(`^${version}\\.`) });
		await pool.query(
			`select pg_create_logical_replication_slot('left_behind_${version}', 'pgoutput')`,
		);
	} finally {
		await drop();
	}
});

test('a killed server recovers what was committed', async () => {
	const server = await startPostgres({ version: 18 });
	try {
		await ask(server, 'create table kept as select 7 as answer');
		await server.kill();
		await server.restart();
		expect(await ask(server, 'select answer from kept')).toBe(7);
		expect(await server.log()).toContain('was not properly shut down');
	} finally {
		await server.stop();
	}
	await expect(stat(server.record.directory)).rejects.toThrow('ENOENT');
});

test('a server and its data go when their owner is killed', async () => {
	const owner = spawn('sleep', ['600']);
	await once(owner, 'spawn');
	const server = await startPostgres({ version: 15, ownerPid: owner.pid as number });
	const pid = Number.parseInt(
		await readFile(join(server.record.directory, 'data', 'postmaster.pid'), 'utf8'),
		10,
	);
	owner.kill('SIGKILL');
	await waitUntil('the data to be removed', async () => {
		return await stat(server.record.directory).then(
			() => false,
			() => true,
		);
	});
	expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('settings of the caller win', async () => {
	const server = await startPostgres({ version: 18, settings: { wal_sender_timeout: '2s' } });
	try {
		expect(await ask(server, `select current_setting('wal_sender_timeout') as answer`)).toBe('2s');
	} finally {
		await server.stop();
	}
});
