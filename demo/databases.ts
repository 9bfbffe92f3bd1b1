import pg from 'pg';

import {
	type ConnectionSettings,
	type PostgresServer,
	startPostgres,
} from '../test/support/embedded-postgres';
import { readmeSql } from './readme-sql';
import { ACCOUNTS, CUSTOMERS, POPULATED_ACCOUNTS, POPULATED_CUSTOMERS } from './tables';

/** Who works in the systems: the role that owns their tables. Not the role of the sync. */
const APPLICATION = { user: 'app', password: 'app' };
/** The role of the sync, with no more rights than the README grants. */
const SYNC = { user: 'bisync', password: 'bisync' };

/** One of the two systems that are to be kept equal. */
export interface SystemDatabase {
	readonly name: 'crm' | 'billing';
	/** As the application's users work in it. */
	readonly app: pg.Pool;
	readonly appSettings: ConnectionSettings;
	/** As the sync reaches it. */
	readonly syncSettings: ConnectionSettings;
	/** As a superuser, to look behind the scenes. */
	readonly adminSettings: ConnectionSettings;
}

/** A Postgres server with both systems, the sync store and n8n's own database. */
export interface DemoDatabases {
	readonly server: PostgresServer;
	readonly crm: SystemDatabase;
	readonly billing: SystemDatabase;
	/** As the sync reaches its store. */
	readonly storeSettings: ConnectionSettings;
	readonly store: pg.Pool;
	readonly n8nSettings: ConnectionSettings;
	readonly n8n: pg.Pool;
	stop(): Promise<void>;
}

export interface TableSql {
	/** Makes the application's table. */
	readonly create: string;
	/** Rows that are there before the sync first looks. */
	readonly populate: string;
}

export interface DatabaseOptions {
	readonly crm?: TableSql;
	readonly billing?: TableSql;
}

/** Starts everything. Takes about 3 seconds. */
export async function startDatabases({
	crm = { create: CUSTOMERS, populate: POPULATED_CUSTOMERS },
	billing = { create: ACCOUNTS, populate: POPULATED_ACCOUNTS },
}: DatabaseOptions = {}): Promise<DemoDatabases> {
	const server = await startPostgres({ version: 18 });
	try {
		await runSql(
			server.superuser,
			`create role ${APPLICATION.user} login password '${APPLICATION.password}'`,
		);
		// One by one: "alter system" takes no company.
		for (const statement of readmeSql('server')
			.replaceAll('choose-one', SYNC.password)
			.split(/;$/m)) {
			await runSql(server.superuser, statement);
		}
		const systems = {
			crm: await createSystem(server, 'crm', crm),
			billing: await createSystem(server, 'billing', billing),
		};
		const storeSettings = await createStore(server);
		const n8nSettings = await server.createDatabase('n8n');
		const pools = { store: openPool(storeSettings), n8n: openPool(n8nSettings) };
		const stop = async (): Promise<void> => {
			await Promise.all(
				[systems.crm.app, systems.billing.app, pools.store, pools.n8n].map(
					async (pool) => await pool.end(),
				),
			);
			await server.stop();
		};
		return { server, ...systems, ...pools, storeSettings, n8nSettings, stop };
	} catch (error) {
		await server.stop();
		throw error;
	}
}

async function createSystem(
	server: PostgresServer,
	name: SystemDatabase['name'],
	{ create, populate }: TableSql,
): Promise<SystemDatabase> {
	const adminSettings = await server.createDatabase(name);
	await runSql(adminSettings, `alter database ${name} owner to ${APPLICATION.user}`);
	const appSettings = { ...adminSettings, ...APPLICATION };
	await runSql(appSettings, create);
	// The README shows it for the CRM; the other system has another table.
	const table = name === 'crm' ? 'public.customers' : 'public.accounts';
	await runSql(appSettings, readmeSql('system').replaceAll('public.customers', table));
	await runSql(appSettings, populate);
	const syncSettings = { ...adminSettings, ...SYNC };
	return { name, app: openPool(appSettings), appSettings, syncSettings, adminSettings };
}

async function createStore(server: PostgresServer): Promise<ConnectionSettings> {
	const admin = await server.createDatabase('sync_store');
	await runSql(admin, readmeSql('store'));
	return { ...admin, ...SYNC };
}

/** Runs statements in one session. */
export async function runSql(settings: ConnectionSettings, sql: string): Promise<void> {
	const client = new pg.Client(settings);
	await client.connect();
	try {
		await client.query(sql);
	} finally {
		await client.end();
	}
}

function openPool(settings: ConnectionSettings): pg.Pool {
	const pool = new pg.Pool({ ...settings, max: 4 });
	// A session that ends while idle, as at the end of the demo, is no reason to fail.
	pool.on('error', () => undefined);
	return pool;
}
