import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { SyncStore } from '../../src/store/sync-store';
import { text, wholeNumber } from '../shared/settings';

const DAY_MS = 86_400_000;
/** One step of the store does not hold others up for long. */
const BATCH = 1_000;

/** Forgets items that have been closed for so many days. What waits stays, and so does the journal. */
export async function purge(context: IExecuteFunctions, store: Pick<SyncStore, 'purgeReviews'>): Promise<INodeExecutionData[]> {
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	const days = wholeNumber('Closed for Days', context.getNodeParameter('closedForDays', 0), 1);
	let purged = 0;
	for (let gone = BATCH; gone === BATCH; purged += gone) gone = await store.purgeReviews({ policy, closedForMs: days * DAY_MS, limit: BATCH });
	return [{ json: { policy, purged, closedForDays: days }, pairedItem: { item: 0 } }];
}
