import { SyncError } from '../core/errors';
import { retryContended } from './retry-contended';
import type { SyncStore } from './sync-store';

/** Who looked at values that are masked, and at which. */
export interface Revealed {
	readonly policy: string;
	readonly link: string;
	readonly fields: readonly string[];
	readonly by: string;
	/** The item because of which they were looked at. */
	readonly review: string;
}

/**
 * Notes in a record's journal that somebody looks at masked values, before they do. Nothing else of the record changes.
 *
 * @throws SyncError RECORD_UNKNOWN, COMMIT_CONTENDED, STORE_UNREACHABLE
 */
export async function noteRevealed(store: Pick<SyncStore, 'load' | 'commit'>, { policy, link, fields, by, review }: Revealed): Promise<void> {
	await retryContended(async (isLast) => {
		const [found] = (await store.load({ policy, links: [link] })).links;
		if (!found) throw new SyncError('RECORD_UNKNOWN', 'The record of this item is gone');
		const entry = { kind: 'revealed' as const, detail: { by, review, fields: [...fields] } };
		const { state, revision: expectedRevision, due } = found;
		const { links } = await store.commit({ policy, links: [{ state, expectedRevision, due, claims: [], journal: [entry], reviews: [], stopAt: null }] });
		if (links[0] === 'committed') return true;
		if (isLast) throw new SyncError('COMMIT_CONTENDED', 'The record changes all the time: look again');
		return null;
	});
}
