import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { ReviewChange } from '../../src/core/review';
import type { SyncStore } from '../../src/store/sync-store';
import { filled, isTestItem, withFinding } from '../shared/items';
import { optionalText, text } from '../shared/settings';
import { DEAD_LETTER, letterOf } from './letters';

/** Keeps the items that nothing else keeps, all in one store trip, and hands them all on. */
export async function pushItems(
	context: IExecuteFunctions,
	store: Pick<SyncStore, 'changeReviews'>,
	items: readonly INodeExecutionData[],
): Promise<INodeExecutionData[]> {
	const policy = text('Policy', context.getNodeParameter('policy', 0));
	const workflow = String(context.getWorkflow().id ?? '');
	const origin = { workflow, execution: context.getExecutionId() };
	const changes: ReviewChange[] = [];
	const pushed = filled(items).map((input) => {
		const reason = (): string => reasonOf(context, input.index);
		const letter = letterOf(input.item, { policy, reason, origin });
		if (letter.kind === 'known') {
			return withFinding(input, DEAD_LETTER, { state: letter.state, ids: letter.ids });
		}
		const { id, token } = letter.review;
		if (isTestItem(input.item))
			return withFinding(input, DEAD_LETTER, { would: `be kept as ${id}` });
		changes.push({ action: 'open', item: letter.review });
		return withFinding(input, DEAD_LETTER, { state: 'open', id, token });
	});
	if (changes.length > 0) await store.changeReviews(policy, changes);
	return pushed;
}

function reasonOf(context: IExecuteFunctions, index: number): string {
	const given = context.getNodeParameter('reason', index, '') as unknown;
	const reason = typeof given === 'object' && given !== null ? JSON.stringify(given) : given;
	return optionalText('Reason', reason) || 'Sent here by the workflow';
}
