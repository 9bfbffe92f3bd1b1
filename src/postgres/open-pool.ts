import pg from 'pg';

import { clientConfig, type PgSettings } from './connect';

export type PgPool = pg.Pool;

/** Connections that nobody uses are closed soon: a server has few, and many workflows share them. */
const IDLE_CONNECTION_MS = 30_000;

/** A pool of connections to a database. Connects when the first statement is sent. */
export function openPool(settings: PgSettings, maxConnections: number): PgPool {
	const pool = new pg.Pool({
		...clientConfig(settings),
		max: maxConnections,
		idleTimeoutMillis: IDLE_CONNECTION_MS,
		allowExitOnIdle: true,
	});
	// An idle connection that breaks emits "error", and without a listener that would end the process.
	pool.on('error', () => undefined);
	return pool;
}
