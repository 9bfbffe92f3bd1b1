import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import { reviewsAsCsv } from '../../src/core/reviews-csv';
import type { StoredReview } from '../../src/core/review';
import { oneOf } from '../shared/settings';
import { asJson, filterOf, type ReadingStore, showMasked } from './read-queue';

const PAGE = 500;
const FORMATS = ['csv', 'json'] as const;
const MIME: Readonly<Record<(typeof FORMATS)[number], string>> = { csv: 'text/csv', json: 'application/json' };

/** Items by the filters of the node as one file, sensitive values masked. */
export async function exportReviews(context: IExecuteFunctions, store: ReadingStore): Promise<INodeExecutionData[]> {
	const format = oneOf('Format', context.getNodeParameter('format', 0), FORMATS);
	const { limit, offset = 0, ...filter } = filterOf(context);
	const reviews: StoredReview[] = [];
	while (reviews.length < limit) {
		const page = await store.listReviews({ ...filter, limit: Math.min(PAGE, limit - reviews.length), offset: offset + reviews.length });
		reviews.push(...(await showMasked(store, page)));
		if (page.length < PAGE) break;
	}
	const text = format === 'csv' ? reviewsAsCsv(reviews) : JSON.stringify(reviews.map(asJson), null, 2);
	const name = `reviews-${filter.policy ?? 'all'}.${format}`;
	const data = await context.helpers.prepareBinaryData(Buffer.from(text, 'utf8'), name, MIME[format]);
	return [{ json: { policy: filter.policy ?? null, items: reviews.length, isCut: reviews.length === limit, file: name }, binary: { data }, pairedItem: { item: 0 } }];
}
