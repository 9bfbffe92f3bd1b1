import pg from 'pg';

import type { PostgresVersion } from './postgres-binaries';
import {
	createServer,
	endPostmaster,
	HOST,
	PASSWORD,
	readLog,
	removeServer,
	type ServerRecord,
	type ServerSettings,
	startPostmaster,
	USER,
} from './postgres-process';

/** Settings as `pg` takes them. */
export interface ConnectionSettings {
	readonly host: string;
	readonly port: number;
	readonly user: string;
	readonly password: string;
	readonly database: string;
}

export interface StartOptions {
	readonly version: PostgresVersion;
	/** Lines of postgresql.conf, over {@link DEFAULTS}. */
	readonly settings?: ServerSettings;
	/** The server never outlives this process; default: the current one. */
	readonly ownerPid?: number;
}

/** A real Postgres server with a data folder of its own. */
export interface PostgresServer {
	readonly version: PostgresVersion;
	readonly host: string;
	readonly port: number;
	/** The superuser, connected to the database `postgres`. */
	readonly superuser: ConnectionSettings;
	readonly record: ServerRecord;
	/** @returns the superuser's settings for the new database. */
	createDatabase(name: string): Promise<ConnectionSettings>;
	/** SIGKILL to the postmaster, like a power cut; {@link PostgresServer.restart} then recovers. */
	kill(): Promise<void>;
	/** Stops the server (fast shutdown) if it runs, and starts it: same port, same data. */
	restart(): Promise<void>;
	/** Stops the server for good and removes its data. */
	stop(): Promise<void>;
	/** @returns what the server logged so far. */
	log(): Promise<string>;
}

/** Durability is off: a killed process loses nothing by it (a killed machine would), and it is slow. */
const DEFAULTS: ServerSettings = {
	wal_level: 'logical',
	fsync: false,
	full_page_writes: false,
	max_connections: 200,
	max_replication_slots: 50,
	max_wal_senders: 50,
	listen_addresses: HOST,
	unix_socket_directories: '',
	timezone: 'UTC',
};

/** Starts a server of its own on a free port, as root too. Takes about 2 seconds. */
export async function startPostgres(options: StartOptions): Promise<PostgresServer> {
	const settings = { ...DEFAULTS, ...options.settings };
	const record = await createServer(options.version, settings, options.ownerPid ?? process.pid);
	try {
		await startPostmaster(record);
	} catch (error) {
		await removeServer(record);
		throw error;
	}
	return attachPostgres(record);
}

/** The server that some process of this machine started. */
export function attachPostgres(record: ServerRecord): PostgresServer {
	const { port, version } = record;
	const superuser = { host: HOST, port, user: USER, password: PASSWORD, database: 'postgres' };
	return {
		version,
		host: HOST,
		port,
		superuser,
		record,
		async createDatabase(name) {
			await asSuperuser(superuser, `create database ${pg.escapeIdentifier(name)}`);
			return { ...superuser, database: name };
		},
		kill: () => endPostmaster(record, 'SIGKILL'),
		async restart() {
			await endPostmaster(record, 'SIGINT');
			await startPostmaster(record);
		},
		stop: () => removeServer(record),
		log: () => readLog(record),
	};
}

async function asSuperuser(settings: ConnectionSettings, statement: string): Promise<void> {
	const client = new pg.Client(settings);
	await client.connect();
	try {
		await client.query(statement);
	} finally {
		await client.end();
	}
}
