import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { ReviewChange } from '../../src/core/review';
import { reviewsById } from '../../src/store/reviews-by-id';
import type { SyncStore } from '../../src/store/sync-store';
import { filled, isTestItem, withFinding } from '../shared/items';
import { invalid, text } from '../shared/settings';
import { DEAD_LETTER, recordLetterId } from './letters';
import { recordOf } from './push-items';
import { succeeded } from './record-letters';

/** Closes what waits of records whose later versions were written, in two store trips, and hands all items on. */
export async function markSucceeded(
	context: IExecuteFunctions,
	store: Pick<SyncStore, 'changeReviews' | 'listReviews'>,
	items: readonly INodeExecutionData[],
): Promise<INodeExecutionData[]> {
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	const done = filled(items).map((input) => {
		const { record, version } = recordOf(context, input.index);
		if (record === '') throw invalid('Record', 'must name the record that was written');
		return { input, version, id: recordLetterId(policy, record) };
	});
	const known = await reviewsById(store, done.map(({ id }) => id));
	const changes: ReviewChange[] = [];
	const marked = done.map(({ input, version, id }) => {
		const letter = known.get(id);
		const { changes: own, closes } = letter ? succeeded(letter, version) : NOTHING;
		if (!isTestItem(input.item)) changes.push(...own);
		return withFinding(input, DEAD_LETTER, { state: closes ? 'superseded' : 'nothing waited', id });
	});
	if (changes.length > 0) await store.changeReviews(policy, changes);
	return marked;
}

const NOTHING = { changes: [], closes: false };
