import {
	firstContactReviewId,
	waitsForApproval,
	whatIsUnread,
} from '../../src/store/approve-first-contact';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { scopesWithoutColumns } from './gone-columns';

/**
 * Asks for the approval of a first contact, if anything waits for it. Any trigger of the policy may
 * ask, as often as it likes: it is one item, and its token is the policy's hash, so that an approval holds for
 * that version only.
 */
export async function askForApproval(
	store: Pick<SyncStore, 'load' | 'changeReviews' | 'listReviews'>,
	policy: string,
): Promise<void> {
	const loaded = await store.load({ policy });
	const published = requirePublished(loaded, policy);
	if (!waitsForApproval(published)) return;
	const gone = published.pending.length > 0 ? await scopesWithoutColumns(store, policyInForce(published).policy) : new Set();
	// What waits for its column has an item of its own, and nobody could approve it yet.
	if (published.mode !== 'first-contact' && published.pending.every((scope) => gone.has(scope))) return;
	const unread = whatIsUnread(loaded, published);
	const isAll = published.mode === 'first-contact';
	const what = isAll ? 'nothing is written' : 'nothing of what is new in the policy is decided or written';
	const state = unread.length === 0 ? 'All rows have been read' : `Not yet: ${unread.join('; ')}`;
	await store.changeReviews(policy, [
		{
			action: 'open',
			item: {
				id: firstContactReviewId(policy),
				kind: 'approval',
				policy,
				link: null,
				entity: null,
				fields: [],
				reason: `${state}. Look at the first contact report of Sync Policy: ${what} before first contact is approved`,
				token: published.hash,
				detail: { unread, pending: [...published.pending], approves: published.hash },
			},
		},
	]);
}
