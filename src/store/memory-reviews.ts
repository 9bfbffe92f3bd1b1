import type { ReviewChange, StoredReview } from '../core/review';
import { copyOf, type PolicyData } from './memory-data';
import type { PurgeRequest, ReviewFilter } from './sync-store';

/** The queue after the changes, made one after the other. */
export function changedReviews(
	reviews: PolicyData['reviews'],
	changes: readonly ReviewChange[],
	nowMs: number,
): PolicyData['reviews'] {
	if (changes.length === 0) return reviews;
	const next = new Map(reviews);
	for (const change of changes) {
		const id = change.action === 'open' ? change.item.id : change.id;
		const review = changedReview(next.get(id), change, nowMs);
		if (review) next.set(id, review);
	}
	return next;
}

function changedReview(
	known: StoredReview | undefined,
	change: ReviewChange,
	nowMs: number,
): StoredReview | undefined {
	const isOpen = known?.state === 'open';
	if (change.action === 'close') {
		if (!isOpen) return known;
		return { ...known, state: change.how, updatedAtMs: nowMs, closedBy: change.by };
	}
	return {
		...copyOf(change.item),
		state: 'open',
		openedAtMs: isOpen ? known.openedAtMs : nowMs,
		updatedAtMs: nowMs,
		closedBy: null,
	};
}

/** The queue without items that have been closed for long. */
export function keptReviews(reviews: PolicyData['reviews'], { closedForMs, limit, nowMs }: Omit<PurgeRequest, 'policy'> & { nowMs: number }): PolicyData['reviews'] {
	const old = [...reviews.values()].filter(({ state, updatedAtMs }) => state !== 'open' && updatedAtMs <= nowMs - closedForMs);
	const gone = new Set(old.sort((a, b) => a.openedAtMs - b.openedAtMs).slice(0, limit).map(({ id }) => id));
	return new Map([...reviews].filter(([id]) => !gone.has(id)));
}

/** Oldest first; of the same age by id. */
export function selectReviews(all: readonly StoredReview[], filter: ReviewFilter): StoredReview[] {
	const { offset = 0, limit } = filter;
	const wanted = all.filter(
		(review) =>
			(filter.policy === undefined || review.policy === filter.policy) &&
			(filter.ids === undefined || filter.ids.includes(review.id)) &&
			(filter.link === undefined || review.link === filter.link) &&
			(filter.kind === undefined || review.kind === filter.kind) &&
			(filter.state === undefined || review.state === filter.state),
	);
	wanted.sort((a, b) => a.openedAtMs - b.openedAtMs || (a.id < b.id ? -1 : 1));
	return copyOf(wanted.slice(offset, offset + limit));
}
