import { isDue } from '../core/decide';
import { reviewChanges } from '../core/draft';
import { SyncError } from '../core/errors';
import type { PolicyMode } from '../core/journal';
import { resolve, type Choice, type Resolution } from '../core/resolve';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import type { LinkCommit, LoadedLink, PublishedPolicy, StoredReview, SyncStore } from './sync-store';

export type ResolvingStore = Pick<SyncStore, 'load' | 'commit' | 'listReviews' | 'changeReviews' | 'setMode'>;

/**
 * R5: carries a person's decision into the store. It writes state and makes the link due;
 * the sweep hands it to Field Authority Merge, which alone makes operations.
 *
 * @throws SyncError REVIEW_CLOSED, REVIEW_CHANGED, INVALID_RESOLUTION; COMMIT_CONTENDED
 * @returns the item as it was resolved
 */
export async function resolveReview(store: ResolvingStore, resolution: Resolution): Promise<StoredReview> {
	const [item] = await store.listReviews({ id: resolution.review, limit: 1 });
	if (!item) throw closed(resolution.review, 'does not exist');
	if (item.state !== 'open') throw closed(item.id, `was closed by ${item.closedBy ?? 'the sync'}`);
	if (item.link === null) return await resolveWhole(store, item, resolution);
	const link = item.link;
	return await retryContended(async (isLast) => {
		const loaded = await store.load({ policy: item.policy, links: [link] });
		const published = requirePublished(loaded, item.policy);
		const [current] = loaded.links;
		if (!current) throw closed(item.id, 'belongs to a record that is gone');
		const commit = commitOf(current, resolution, published);
		const { links } = await store.commit({ policy: item.policy, links: [commit] });
		if (links[0] === 'committed') return item;
		if (!isLast) return null;
		throw new SyncError('COMMIT_CONTENDED', `The record of review item ${item.id} changes all the time`);
	});
}

function commitOf(link: LoadedLink, resolution: Resolution, published: PublishedPolicy): LinkCommit {
	const policy = policyInForce(published);
	const { state, journal } = resolve(link.state, resolution, policy);
	const closing = { policy: published.name, how: endOf(resolution.choice), by: resolution.by };
	return {
		state,
		expectedRevision: link.revision,
		due: isDue(state, policy, published.mode),
		claims: [],
		journal,
		reviews: reviewChanges(link.state, state, closing),
		stopAt: null,
	};
}

/** An item about the policy as a whole: whoever approves turns the policy on again. */
async function resolveWhole(
	store: ResolvingStore,
	item: StoredReview,
	{ choice, token, by }: Resolution,
): Promise<StoredReview> {
	if (item.token !== token) {
		throw new SyncError('REVIEW_CHANGED', `The review item ${item.id} has changed since it was looked at`);
	}
	const live: PolicyMode = 'live';
	const turnsOn = item.kind === 'approval' && choice.kind !== 'dismiss' && !keepsMode(item);
	if (turnsOn) await store.setMode(item.policy, live);
	await store.changeReviews(item.policy, [{ action: 'close', id: item.id, how: endOf(choice), by }]);
	return item;
}

/** Whoever agrees to read a system anew after a gap has not said what may be written. */
function keepsMode({ detail }: StoredReview): boolean {
	return typeof detail === 'object' && detail !== null && 'keepsMode' in detail && detail['keepsMode'] === true;
}

function endOf(choice: Choice): 'resolved' | 'dismissed' {
	return choice.kind === 'dismiss' ? 'dismissed' : 'resolved';
}

function closed(id: string, how: string): SyncError {
	return new SyncError('REVIEW_CLOSED', `The review item ${id} ${how}`);
}
