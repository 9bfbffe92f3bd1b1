import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import type { PostgresServer } from './embedded-postgres';
import { serverUser } from './postgres-binaries';
import { endPostmaster, startPostmaster } from './postgres-process';
import { waitUntil } from './wait-until';

const run = promisify(execFile);
const dataOf = ({ record }: PostgresServer): string => join(record.directory, 'data');
const copyOf = ({ record }: PostgresServer): string => join(record.directory, 'copy');

/** Keeps a copy of a server's files, as a backup does. Its sessions are cut. */
export async function keepCopy(server: PostgresServer): Promise<void> {
	await endPostmaster(server.record, 'SIGINT');
	await run('cp', ['-a', dataOf(server), copyOf(server)]);
	await startPostmaster(server.record);
}

/**
 * Puts the copy in place of what the server has by now. Its sessions are cut.
 *
 * @param asStandby - on a new timeline, as a standby that takes over or a recovery to a point in time does
 */
export async function putBack(server: PostgresServer, { asStandby = false } = {}): Promise<void> {
	await endPostmaster(server.record, 'SIGINT');
	await rm(dataOf(server), { recursive: true, force: true });
	await run('cp', ['-a', copyOf(server), dataOf(server)]);
	if (asStandby) await leadTheWay(server);
	await startPostmaster(server.record);
	await waitUntil('the recovery to end', async () => await isWritable(server));
}

async function isWritable({ superuser }: PostgresServer): Promise<boolean> {
	const client = new pg.Client(superuser);
	await client.connect();
	try {
		const { rows } = await client.query<{ recovers: boolean }>('select pg_is_in_recovery() as recovers');
		return rows[0]?.recovers === false;
	} finally {
		await client.end();
	}
}

/** An archive without anything in it: recovery ends at the end of the copy's own log, on a new timeline. */
async function leadTheWay(server: PostgresServer): Promise<void> {
	const data = dataOf(server);
	const signal = join(data, 'recovery.signal');
	await writeFile(signal, '');
	const user = serverUser();
	if (user) await run('chown', [`${user.uid}:${user.gid}`, signal]);
	await run('sh', ['-c', `echo "restore_command = 'false'" >> "$1"`, 'sh', join(data, 'postgresql.conf')]);
}
