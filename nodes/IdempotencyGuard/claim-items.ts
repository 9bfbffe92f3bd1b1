import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { Claim, ClaimRequest, SyncStore } from '../../src/store/sync-store';
import { filled, type InputItem, isTestItem, withFinding } from '../shared/items';
import { emptyOutputs, type Outputs } from '../shared/run-node';
import { invalid } from '../shared/settings';
import { DUPLICATE, GUARD, IN_PROGRESS, NEW } from './outputs';
import { settledKeys } from './settled-keys';

/** Which output each answer leaves by. Of equal keys in one batch the first is new, the others in progress. */
const OUTPUT_OF: Record<Claim['state'], number> = {
	new: NEW,
	duplicate: DUPLICATE,
	'in-progress': IN_PROGRESS,
};

/**
 * Claims the keys of all items in one store trip, after one that looks for writes which are past, where a policy is
 * given. Test items are let through, and nothing is claimed.
 */
export async function claimItems(
	context: IExecuteFunctions,
	store: Pick<SyncStore, 'claim' | 'load'>,
	{
		items,
		scope,
		leaseMs,
		policy,
	}: { items: readonly INodeExecutionData[]; scope: string; leaseMs: number; policy: string },
): Promise<Outputs> {
	const inputs = filled(items);
	const keys = inputs.map((input) => keyOf(context, input));
	const outputs = emptyOutputs(3);
	const isTest = inputs.some(({ item }) => isTestItem(item));
	const claims = isTest || keys.length === 0 ? [] : await claimsOf(store, { scope, keys, leaseMs }, policy);
	inputs.forEach((input, at) => {
		const key = keys[at];
		const claim = claims[at];
		const found = claim ? { key, ...claim } : { key, would: 'claim the key' };
		outputs[claim ? OUTPUT_OF[claim.state] : NEW]?.push(withFinding(input, GUARD, found));
	});
	return outputs;
}

/** What is past is a duplicate without being claimed. */
async function claimsOf(
	store: Pick<SyncStore, 'claim' | 'load'>,
	{ scope, keys, leaseMs }: ClaimRequest,
	policy: string,
): Promise<readonly Claim[]> {
	const settled = await settledKeys(store, policy, keys);
	const open = keys.filter((key) => !settled.has(key));
	const claimed = open.length === 0 ? [] : [...(await store.claim({ scope, keys: open, leaseMs }))];
	return keys.map((key) => (settled.has(key) ? { state: 'duplicate' } : (claimed.shift() ?? { state: 'in-progress' })));
}

function keyOf(context: IExecuteFunctions, { index }: InputItem): string {
	const key = context.getNodeParameter('key', index, '') as unknown;
	const text = typeof key === 'number' ? String(key) : key;
	if (typeof text === 'string' && text.trim() !== '') return text;
	throw invalid(
		'Key',
		`of item ${index} is empty: without a key it cannot be told from another item`,
	);
}
