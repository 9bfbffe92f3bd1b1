import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { maskReview } from '../../src/core/mask';
import { policyInForce } from '../../src/store/published-policy';
import type { StoredReview } from '../../src/core/review';
import type { ReviewFilter, SyncStore } from '../../src/store/sync-store';
import { oneOf, optionalText, text, wholeNumber, yesOrNo } from '../shared/settings';
import { closeSettledWrites } from '../shared/settled-writes';

export type ReadingStore = Pick<SyncStore, 'listReviews' | 'load' | 'changeReviews'>;

/** Items by the filters of the node, oldest first, sensitive values masked. */
export async function listReviews(
	context: IExecuteFunctions,
	store: ReadingStore,
): Promise<INodeExecutionData[]> {
	const found = await store.listReviews(filterOf(context));
	const reviews = await closeSettledWrites(store, found);
	const shown = await showMasked(store, reviews);
	return shown.map((review) => asItem(review, 0));
}

/**
 * The item that each input item names.
 *
 * @throws SyncError REVIEW_UNKNOWN
 */
export async function getReviews(
	context: IExecuteFunctions,
	store: ReadingStore,
	items: readonly INodeExecutionData[],
): Promise<INodeExecutionData[]> {
	const wanted = items.map((_, index) => ({
		id: text('Item ID', context.getNodeParameter('id', index)),
		reveal: yesOrNo('Reveal Sensitive Values', context.getNodeParameter('reveal', index)),
	}));
	const ids = [...new Set(wanted.map(({ id }) => id))];
	const found = await store.listReviews({ ids, limit: ids.length });
	const whole = new Map(found.map((review) => [review.id, review]));
	const shown = new Map((await showMasked(store, found)).map((review) => [review.id, review]));
	return wanted.map(({ id, reveal }, index) => {
		const review = (reveal ? whole : shown).get(id);
		if (review) return asItem(review, index);
		throw new SyncError('REVIEW_UNKNOWN', `There is no review item with the ID "${id}" in this sync store`);
	});
}

/** What List and Export are asked for. */
export function filterOf(context: IExecuteFunctions): ReviewFilter {
	const read = (name: string): unknown => context.getNodeParameter(name, 0);
	const state = oneOf('State', read('state'), [
		'any',
		'open',
		'resolved',
		'dismissed',
		'superseded',
	]);
	const kind = oneOf('Kind', read('kind'), ['any', 'approval', 'conflict', 'failure', 'identity']);
	const link = optionalText('Link', read('link'));
	return {
		policy: text('Policy', read('policy')),
		limit: wholeNumber('Limit', read('limit'), 1),
		offset: wholeNumber('Skip', read('offset'), 0),
		...(state === 'any' ? {} : { state }),
		...(kind === 'any' ? {} : { kind }),
		...(link === '' ? {} : { link }),
	};
}

/** Items with their sensitive values masked. A policy that is not published calls nothing sensitive. */
export async function showMasked(
	store: ReadingStore,
	reviews: readonly StoredReview[],
): Promise<StoredReview[]> {
	const byPolicy = new Map<string, (review: StoredReview) => StoredReview>();
	for (const name of new Set(reviews.map(({ policy }) => policy))) {
		const { policy: published } = await store.load({ policy: name });
		if (!published) continue;
		const { policy } = policyInForce(published);
		byPolicy.set(name, (review) => maskReview(review, policy));
	}
	return reviews.map((review) => byPolicy.get(review.policy)?.(review) ?? review);
}

export function asItem(review: StoredReview, index: number): INodeExecutionData {
	return { json: asJson(review), pairedItem: { item: index } };
}

export function asJson({ openedAtMs, updatedAtMs, ...review }: StoredReview): IDataObject {
	const times = { openedAt: new Date(openedAtMs).toISOString(), updatedAt: new Date(updatedAtMs).toISOString() };
	return { ...review, ...times } as unknown as IDataObject;
}
