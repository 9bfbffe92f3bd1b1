import { SyncError } from '../core/errors';
import type { SyncStore } from './sync-store';

/** For how long a form that was used is remembered: longer than one is good for. */
const REMEMBER_MS = 24 * 3_600_000;
const LEASE_MS = 60_000;

export interface SingleUse {
	/** Keeps forms of different places apart. */
	readonly scope: string;
	readonly nonce: string;
}

/**
 * Carries out what was decided with a form, once however often it is sent. What is refused leaves the form as it was.
 *
 * @returns what `work` does; `sent-twice`; or the error by which it was refused
 * @throws SyncError STORE_UNREACHABLE
 */
export async function once<T>(store: Pick<SyncStore, 'claim' | 'complete' | 'release'>, { scope, nonce }: SingleUse, work: () => Promise<T>): Promise<T | SyncError | 'sent-twice'> {
	const [claim] = await store.claim({ scope, keys: [nonce], leaseMs: LEASE_MS });
	if (claim?.state !== 'new') return 'sent-twice';
	const held = { scope, key: nonce, token: claim.token };
	try {
		const done = await work();
		await store.complete([held], REMEMBER_MS);
		return done;
	} catch (error) {
		await store.release([held]);
		if (error instanceof SyncError && error.code !== 'STORE_UNREACHABLE') return error;
		throw error;
	}
}
