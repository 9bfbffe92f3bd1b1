import { randomBytes } from 'node:crypto';

import pg from 'pg';

import type { ConnectionSettings, PostgresServer } from './embedded-postgres';
import type { PostgresVersion } from './postgres-binaries';
import { sharedPostgres } from './shared-postgres';
import { assertSuffixAdmits } from './test-suffix';
import { waitUntil } from './wait-until';

/** An empty database of its own for a test file or a test. */
export interface TestDatabase {
	/** The superuser's settings. */
	readonly settings: ConnectionSettings;
	readonly server: PostgresServer;
	readonly pool: pg.Pool;
	/** Ends the pool and every other session, drops the database's slots, then the database. */
	drop(): Promise<void>;
}

export interface TestDatabaseOptions {
	/** Default 18. */
	readonly version?: PostgresVersion;
	/** A server of the test's own; default: the one that all test files share. */
	readonly server?: PostgresServer;
}

/** @param name - For people who look at the server; uniqueness is taken care of. */
export async function openTestDatabase(
	name: string,
	{ version = 18, server }: TestDatabaseOptions = {},
): Promise<TestDatabase> {
	assertSuffixAdmits('pg');
	const host = server ?? (await sharedPostgres(version));
	const readable = name
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '_')
		.slice(0, 40);
	const settings = await host.createDatabase(`t_${readable}_${randomBytes(4).toString('hex')}`);
	const pool = new pg.Pool({ ...settings, max: 10 });
	// Idle sessions end when a test kills the server; without a listener that would end the run too.
	pool.on('error', () => undefined);
	return { settings, server: host, pool, drop: () => drop(host, settings.database, pool) };
}

async function drop(server: PostgresServer, database: string, pool: pg.Pool): Promise<void> {
	await pool.end();
	const client = new pg.Client(server.superuser);
	await client.connect();
	try {
		await waitUntil(`the slots of ${database} to be dropped`, () => dropSlots(client, database));
		await client.query(`drop database if exists ${pg.escapeIdentifier(database)} with (force)`);
	} finally {
		await client.end();
	}
}

/** @returns true when none is left; a slot can be dropped only after its reader's session ended. */
async function dropSlots(client: pg.Client, database: string): Promise<boolean> {
	await client.query(
		`select pg_terminate_backend(active_pid) from pg_replication_slots
		 where database = $1 and active_pid is not null`,
		[database],
	);
	await client.query(
		`select pg_drop_replication_slot(slot_name) from pg_replication_slots
		 where database = $1 and active_pid is null and not temporary`,
		[database],
	);
	const { rowCount } = await client.query(
		'select 1 from pg_replication_slots where database = $1',
		[database],
	);
	return rowCount === 0;
}
