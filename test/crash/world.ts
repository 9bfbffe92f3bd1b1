import pg from 'pg';

import {
	type ConnectionSettings,
	type PostgresServer,
	startPostgres,
} from '../support/embedded-postgres';
import { openTcpRelay, type TcpRelay } from '../support/tcp-relay';
import { openStorePlace, type StoreKind, type StorePlace } from './store-place';
import { initialRows, type System, SYSTEMS, TABLES } from './systems';

/** A server of its own, so that it can die alone, and the relay through which workers reach it. */
export interface Place {
	readonly server: PostgresServer;
	readonly relay: TcpRelay;
	/** Straight to the server, as users and the checks reach it. */
	readonly settings: ConnectionSettings;
	readonly pool: pg.Pool;
	/** Through the relay. */
	readonly workerSettings: ConnectionSettings;
}

/** Two systems and the sync store. */
export type World = Readonly<Record<System, Place>> & { readonly store: StorePlace };

export interface WorldOptions {
	/** Rows of the large table. */
	readonly items: number;
	/** Where the sync keeps its state. */
	readonly storeKind: StoreKind;
}

/** The two systems run different versions of Postgres. */
const VERSIONS = { crm: 18, billing: 15 } as const;

/**
 * Users and workers die with open sessions, and servers with them: nobody waits long for somebody
 * who is gone.
 */
const SETTINGS = { wal_sender_timeout: '10s', max_slot_wal_keep_size: '2GB' };

/** Starts everything. @param closeLater - gets what is to be called at the end, in reverse order */
export async function startWorld(
	{ items, storeKind }: WorldOptions,
	closeLater: (close: () => Promise<void>) => void,
): Promise<World> {
	const open = async (name: System): Promise<[System, Place]> => {
		const server = await startPostgres({ version: VERSIONS[name], settings: SETTINGS });
		closeLater(async () => await server.stop());
		const relay = await openTcpRelay(server.port);
		closeLater(async () => await relay.close());
		const settings = await server.createDatabase(name);
		const pool = openPool(settings);
		closeLater(async () => await pool.end());
		return [name, { server, relay, settings, pool, workerSettings: { ...settings, port: relay.port } }];
	};
	const [store, ...places] = await Promise.all([openStorePlace(storeKind, SETTINGS, closeLater), ...SYSTEMS.map(open)]);
	const world = { ...(Object.fromEntries(places) as Record<System, Place>), store };
	for (const system of SYSTEMS) {
		await world[system].pool.query(TABLES[system]);
		await world[system].pool.query(initialRows(system, items));
	}
	return world;
}

function openPool(settings: ConnectionSettings): pg.Pool {
	const pool = new pg.Pool({ ...settings, max: 6, connectionTimeoutMillis: 10_000 });
	// Servers are killed here: whoever needs a connection next gets a new one, or the error.
	pool.on('error', () => undefined);
	return pool;
}
