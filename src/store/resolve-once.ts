import { SyncError } from '../core/errors';
import type { Resolution } from '../core/resolve';
import type { StoredReview } from '../core/review';
import { resolveReview, type ResolvingStore } from './resolve-review';
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
 * Carries out what was decided with a form, once however often it is sent. A decision that is refused leaves the form as it was.
 *
 * @returns the item; `sent-twice`; or why the decision was refused, see `resolveReviews`
 * @throws SyncError STORE_UNREACHABLE
 */
export async function resolveOnce(
	store: ResolvingStore & Pick<SyncStore, 'claim' | 'complete' | 'release'>,
	resolution: Resolution,
	{ scope, nonce }: SingleUse,
): Promise<StoredReview | SyncError | 'sent-twice'> {
	const [claim] = await store.claim({ scope, keys: [nonce], leaseMs: LEASE_MS });
	if (claim?.state !== 'new') return 'sent-twice';
	const held = { scope, key: nonce, token: claim.token };
	try {
		const resolved = await resolveReview(store, resolution);
		await store.complete([held], REMEMBER_MS);
		return resolved;
	} catch (error) {
		await store.release([held]);
		if (error instanceof SyncError && error.code !== 'STORE_UNREACHABLE') return error;
		throw error;
	}
}
