import type { StoredReview } from '../core/review';
import type { SyncStore } from './sync-store';

/** Review items by their ids; one store trip, none where there are no ids. */
export async function reviewsById(store: Pick<SyncStore, 'listReviews'>, given: readonly string[]): Promise<Map<string, StoredReview>> {
	const ids = [...new Set(given)];
	const found = ids.length > 0 ? await store.listReviews({ ids, limit: ids.length }) : [];
	return new Map(found.map((review) => [review.id, review]));
}
