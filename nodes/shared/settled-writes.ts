import type { StoredReview } from '../../src/core/review';
import type { SyncStore } from '../../src/store/sync-store';
import { isWriteLetter } from './dead-letters';

/**
 * Leaves out, and closes, letters about writes that have an outcome by now: a write that failed
 * for want of a connection is tried again until it has one, and nobody need look at it then.
 *
 * @returns the others, in their order
 */
export async function closeSettledWrites(
	store: Pick<SyncStore, 'load' | 'changeReviews'>,
	reviews: readonly StoredReview[],
): Promise<StoredReview[]> {
	const settled = await settledWrites(store, reviews);
	for (const policy of new Set(settled.map((review) => review.policy))) {
		const over = settled.filter((review) => review.policy === policy);
		await store.changeReviews(
			policy,
			over.map(({ id }) => ({ action: 'close', id, how: 'superseded', by: 'sync' })),
		);
	}
	return reviews.filter((review) => !settled.includes(review));
}

/** Open letters about writes that have an outcome by now. */
export async function settledWrites(store: Pick<SyncStore, 'load'>, reviews: readonly StoredReview[]): Promise<StoredReview[]> {
	const settled: StoredReview[] = [];
	const open = reviews.filter((review) => review.state === 'open' && isWriteLetter(review));
	for (const policy of new Set(open.map((review) => review.policy))) {
		const mine = open.filter((review) => review.policy === policy);
		const { links } = await store.load({ policy, links: mine.flatMap((review) => letter(review).link ?? []) });
		const unsettled = new Set(links.flatMap(({ state }) => Object.values(state.inFlight).map(({ id }) => id)));
		settled.push(...mine.filter((review) => !unsettled.has(letter(review).op)));
	}
	return settled;
}

interface WriteLetter {
	readonly id: string;
	readonly op: string;
	readonly link: string | null;
}

function letter({ id, detail }: StoredReview): WriteLetter {
	const { op, link } = detail as { op?: string; link?: string | null };
	return { id, op: op ?? '', link: link ?? null };
}
