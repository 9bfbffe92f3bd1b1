import { canonicalJson, sha256Hex } from '../../src/core/canonical-json';
import type { PgSettings } from '../../src/postgres/connect';
import { openPool, type PgPool } from '../../src/postgres/open-pool';
import { builtInSettings, ownSettings } from './connection-settings';
import type { CredentialSource } from './open-store';
import { type Borrowed, ResourceCache } from './resource-cache';
import { oneOf } from './settings';

/** Credential types a system's Postgres can be reached with: this pack's, or n8n's own. */
export const CONNECT_WITH = ['bisyncPostgresApi', 'postgres'] as const;

const IDLE_MS = 5 * 60_000;
const MAX_CONNECTIONS = 5;

const pools = new ResourceCache<PgPool>({
	close: async (pool) => await pool.end(),
	idleMs: IDLE_MS,
});

/**
 * How to reach the system's database.
 *
 * @param connectWith - the value of the parameter `connectWith`
 * @throws SyncError INVALID_SETTING, naming the field of the credential
 */
export async function databaseSettings(
	context: CredentialSource,
	connectWith: unknown,
): Promise<PgSettings> {
	const type = oneOf('Connect With', connectWith, CONNECT_WITH);
	const data = await context.getCredentials(type);
	return type === 'postgres' ? builtInSettings(data) : ownSettings(data);
}

/** A pool of connections to the system's database, shared in this process. Give it back with `release`. */
export async function openDatabase(settings: PgSettings): Promise<Borrowed<PgPool>> {
	return await pools.borrow(keyOf(settings), async () => openPool(settings, MAX_CONNECTIONS));
}

/**
 * Makes `openDatabase` find this pool under these settings, until the returned function is called:
 * for running nodes in one process with a pool of one's own.
 */
export function provideDatabase(settings: PgSettings, pool: PgPool): () => void {
	return pools.provide(keyOf(settings), pool);
}

/** A hash, so that no password stays around as a key. */
function keyOf(settings: PgSettings): string {
	return sha256Hex(canonicalJson(JSON.parse(JSON.stringify(settings))));
}

/** Runs `work` with a pool of connections to the system's database. */
export async function withDatabase<T>(
	settings: PgSettings,
	work: (pool: PgPool) => Promise<T>,
): Promise<T> {
	const { value, release } = await openDatabase(settings);
	try {
		return await work(value);
	} finally {
		release();
	}
}
