import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import { attachPostgres, type PostgresServer } from './embedded-postgres';
import { serverUser } from './postgres-binaries';
import { configure, createPlace, endPostmaster, HOST, PASSWORD, startPostmaster, USER } from './postgres-process';
import { waitUntil } from './wait-until';

const run = promisify(execFile);

/** The physical slot by which the primary keeps its log for the standby. */
export const STANDBY_SLOT = 'the_standby';

/** A standby that follows a primary by streaming replication, and can take over. */
export interface StandbyServer extends PostgresServer {
	/** Waits until everything that the primary has written so far is here, and can be read. */
	catchUp(): Promise<void>;
	/** Copies the failover slots of the primary, which a setting of its own does all the time in real life (`sync_replication_slots`). */
	syncSlot(name: string): Promise<void>;
	/** Takes over, on a new timeline. */
	promote(): Promise<void>;
}

/** Makes a standby of a server by copying its files; the server is restarted meanwhile. */
export async function startStandby(primary: PostgresServer): Promise<StandbyServer> {
	await ask(primary, `select pg_create_physical_replication_slot('${STANDBY_SLOT}', true)`);
	const record = await createPlace(primary.version, process.pid);
	const data = join(record.directory, 'data');
	await endPostmaster(primary.record, 'SIGINT');
	await run('cp', ['-a', join(primary.record.directory, 'data'), data]);
	await run('sh', ['-c', 'rm -rf "$1"/pg_replslot/*', 'sh', data]);
	await startPostmaster(primary.record);
	await configure(record, {
		primary_conninfo: `host=${HOST} port=${primary.port} user=${USER} password=${PASSWORD} dbname=postgres`,
		primary_slot_name: STANDBY_SLOT,
		hot_standby_feedback: true,
		wal_retrieve_retry_interval: '100ms',
	});
	const signal = join(data, 'standby.signal');
	await writeFile(signal, '');
	const user = serverUser();
	if (user) await run('chown', [`${user.uid}:${user.gid}`, signal]);
	await startPostmaster(record);
	const server = attachPostgres(record);
	return {
		...server,
		async catchUp() {
			const [end] = await ask(primary, 'select pg_current_wal_flush_lsn()::text as value');
			await waitUntil(`the standby to have ${String(end)}`, async () => {
				const [isThere] = await ask(server, `select pg_last_wal_replay_lsn() >= '${String(end)}' as value`);
				return isThere === true;
			});
		},
		async syncSlot(name) {
			await waitUntil(`slot ${name} on the standby`, async () => {
				// A slot is kept once the standby has the log from its place on.
				await ask(primary, 'select pg_log_standby_snapshot()');
				await ask(server, 'select pg_sync_replication_slots()');
				const [isKept] = await ask(server, `select synced and not temporary as value from pg_replication_slots where slot_name = '${name}'`);
				return isKept === true;
			}, { everyMs: 100 });
		},
		async promote() {
			await ask(server, 'select pg_promote(true, 30)');
		},
	};
}

async function ask({ superuser }: PostgresServer, text: string): Promise<unknown[]> {
	const client = new pg.Client(superuser);
	await client.connect();
	try {
		return (await client.query<{ value?: unknown }>(text)).rows.map(({ value }) => value);
	} finally {
		await client.end();
	}
}
