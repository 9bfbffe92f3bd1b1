import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { ReviewChange, ReviewItem, StoredReview } from '../../src/core/review';
import { reviewsById } from '../../src/store/reviews-by-id';
import type { SyncStore } from '../../src/store/sync-store';
import { filled, type InputItem, isTestItem, withFinding } from '../shared/items';
import { optionalText, text } from '../shared/settings';
import { DEAD_LETTER, letterOf, type Pushed } from './letters';
import { detailOf, type OfRecord, parked } from './record-letters';

type PushingStore = Pick<SyncStore, 'changeReviews' | 'listReviews'>;

/** Keeps the items that nothing else keeps, and hands them all on. One store trip; two where items name their records. */
export async function pushItems(
	context: IExecuteFunctions,
	store: PushingStore,
	items: readonly INodeExecutionData[],
): Promise<INodeExecutionData[]> {
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	const workflow = String(context.getWorkflow().id ?? '');
	const origin = { workflow, execution: context.getExecutionId() };
	const pushed = filled(items).map((input) => {
		const reason = (): string => reasonOf(context, input.index);
		const ofRecord = (): OfRecord => recordOf(context, input.index);
		return { input, letter: letterOf(input.item, { policy, reason, ofRecord, origin }) };
	});
	const ofRecords = pushed.flatMap(({ letter }) => (letter.kind === 'letter' && detailOf(letter.review) ? [letter.review.id] : []));
	const known = await reviewsById(store, ofRecords);
	const changes: ReviewChange[] = [];
	const kept = pushed.map(({ input, letter }) => keep(input, letter, { known, changes }));
	if (changes.length > 0) await store.changeReviews(policy, changes);
	return kept;
}

/** What the items say of the record that they are about. */
export function recordOf(context: IExecuteFunctions, index: number): OfRecord {
	const read = (name: string): string => {
		const given = context.getNodeParameter(name, index, '') as unknown;
		return typeof given === 'number' || typeof given === 'string' ? String(given).trim() : '';
	};
	return { record: read('record'), version: read('recordVersion') };
}

function keep(
	input: InputItem,
	letter: Pushed,
	{ known, changes }: { known: Map<string, StoredReview>; changes: ReviewChange[] },
): INodeExecutionData {
	if (letter.kind === 'known') {
		return withFinding(input, DEAD_LETTER, { state: letter.state, ids: letter.ids });
	}
	const { id, token } = letter.review;
	if (isTestItem(input.item)) return withFinding(input, DEAD_LETTER, { would: `be kept as ${id}` });
	const item = parked(known.get(id), letter.review);
	if (item === null) return withFinding(input, DEAD_LETTER, { state: 'superseded', id });
	known.set(id, open(item));
	changes.push({ action: 'open', item });
	return withFinding(input, DEAD_LETTER, { state: 'open', id, token });
}

/** As the store will have it when the next item of the same record is looked at. */
function open(item: ReviewItem): StoredReview {
	return { ...item, state: 'open', openedAtMs: 0, updatedAtMs: 0, closedBy: null };
}

function reasonOf(context: IExecuteFunctions, index: number): string {
	const given = context.getNodeParameter('reason', index, '') as unknown;
	const reason = typeof given === 'object' && given !== null ? JSON.stringify(given) : given;
	return optionalText('Reason', reason) || 'Sent here by the workflow';
}
