import type { ICredentialDataDecryptedObject } from 'n8n-workflow';

import { canonicalJson, sha256Hex } from '../../src/core/canonical-json';
import { openPool } from '../../src/postgres/open-pool';
import { PostgresStore } from '../../src/store/postgres-store';
import { openRedis } from '../../src/store/redis-connect';
import { RedisStore } from '../../src/store/redis-store';
import type { SyncStore } from '../../src/store/sync-store';
import { type CredentialData, type StoreSettings, storeSettings } from './connection-settings';
import { type Borrowed, ResourceCache } from './resource-cache';

/** The credential type of the sync store. */
export const STORE_CREDENTIAL = 'bisyncStoreApi';

const IDLE_MS = 5 * 60_000;

/** One store per credential and process, whatever the number of nodes and workflows that use it. */
const stores = new ResourceCache<SyncStore>({
	close: async (store) => await store.close(),
	idleMs: IDLE_MS,
});

/** What gives out credentials: the context of any node. */
export interface CredentialSource {
	getCredentials(type: string): Promise<ICredentialDataDecryptedObject>;
}

/**
 * The sync store of a credential, brought up to date. Give it back with `release`;
 * never call its `close`, for others use it too.
 *
 * @throws SyncError INVALID_SETTING, STORE_UNREACHABLE, AUTH_FAILED, PRIVILEGE_MISSING, STORE_TOO_NEW, STORE_UNSUITABLE
 */
export async function openStore(credential: CredentialData): Promise<Borrowed<SyncStore>> {
	const settings = storeSettings(credential);
	return await stores.borrow(keyOf(settings), async () => {
		const store = storeOf(settings);
		let isReady = false;
		try {
			await store.migrate();
			isReady = true;
			return store;
		} finally {
			if (!isReady) await store.close();
		}
	});
}

/** A client of the store that is not connected yet. */
export function storeOf(settings: StoreSettings): SyncStore {
	if (settings.backend === 'redis') return new RedisStore(openRedis(settings.server), { prefix: settings.prefix });
	const { database, schema, maxConnections } = settings;
	return new PostgresStore(openPool(database, maxConnections), { schema });
}

/** Runs `work` with the sync store of the node's credential. */
export async function withStore<T>(
	context: CredentialSource,
	work: (store: SyncStore) => Promise<T>,
): Promise<T> {
	const { value, release } = await openStore(await context.getCredentials(STORE_CREDENTIAL));
	try {
		return await work(value);
	} finally {
		release();
	}
}

/**
 * Makes `openStore` find this store under a credential, until the returned function is called: for
 * running nodes in one process with a store of one's own.
 */
export function provideStore(credential: CredentialData, store: SyncStore): () => void {
	return stores.provide(keyOf(storeSettings(credential)), store);
}

/** A hash, so that no password stays around as a key. */
function keyOf(settings: StoreSettings): string {
	return sha256Hex(canonicalJson(JSON.parse(JSON.stringify(settings))));
}
