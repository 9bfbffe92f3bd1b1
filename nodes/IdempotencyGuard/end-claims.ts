import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { HeldClaim, SyncStore } from '../../src/store/sync-store';
import { filled, findingOf, type InputItem, isTestItem, withFinding } from '../shared/items';
import type { Outputs } from '../shared/run-node';
import { invalid } from '../shared/settings';
import { GUARD } from './outputs';

interface Ending {
	readonly items: readonly INodeExecutionData[];
	readonly scope: string;
	/** How long a completed key is remembered; null gives the claims back instead. */
	readonly retainMs: number | null;
}

/** Completes or releases the claims that the items carry, in one store trip. */
export async function endClaims(
	context: Pick<IExecuteFunctions, 'addExecutionHints'>,
	store: Pick<SyncStore, 'complete' | 'release'>,
	{ items, scope, retainMs }: Ending,
): Promise<Outputs> {
	const inputs = filled(items);
	if (inputs.some(({ item }) => isTestItem(item))) {
		const would = retainMs === null ? 'release the key' : 'complete the key';
		return [
			inputs.map((input) => withFinding(input, GUARD, { ...findingOf(input.item, GUARD), would })),
		];
	}
	const held = inputs.map((input) => heldClaim(input, scope));
	const ended =
		retainMs === null ? await store.release(held) : await store.complete(held, retainMs);
	if (ended.includes(false)) context.addExecutionHints({ message: LOST, type: 'warning' });
	const state = retainMs === null ? 'released' : 'completed';
	return [
		inputs.map((input, at) => {
			const { key, token } = held[at] ?? {};
			return withFinding(input, GUARD, { key, token, state: ended[at] ? state : 'lost' });
		}),
	];
}

const LOST =
	'Some leases were over before the work was done, so somebody else may have done it too. Raise Lease (Seconds) of the node that claims.';

function heldClaim({ item, index }: InputItem, scope: string): HeldClaim {
	const guard = findingOf(item, GUARD);
	const { key, token } = guard ?? {};
	if (typeof key === 'string' && typeof token === 'number') return { scope, key, token };
	throw invalid(
		'Operation',
		`needs the claim that an earlier Idempotency Guard left on the item (bisync.guard), which item ${index} does not have. Keep it on the way, with Include Other Fields in an Edit Fields node`,
	);
}
