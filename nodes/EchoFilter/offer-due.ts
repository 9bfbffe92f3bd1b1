import type { INodeExecutionData } from 'n8n-workflow';

import { wakeFinding, wokenLink } from '../../src/core/wake-item';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { sweep, sweepsIn } from '../shared/sweep';
import { withFinding } from '../shared/items';
import { ECHO_FILTER } from '../shared/observe-items';
import { eventItem } from '../shared/reading-items';
import type { Outputs } from '../shared/run-node';

/** Gives out records that somebody has to look at, as the trigger of a system with a change stream does by itself. */
export async function offerDue(
	store: Pick<SyncStore, 'load' | 'leaseDue'>,
	policy: string,
	items: readonly INodeExecutionData[],
): Promise<Outputs> {
	const [item = { json: {} }] = items;
	const published = requirePublished(await store.load({ policy }), policy);
	const [system = ''] = policyInForce(published).policy.systems;
	if (!sweepsIn(published.mode)) return [[]];
	const { events } = await sweep(store, { policy, system }, null);
	const output = events.map((event) => {
		return withFinding({ index: 0, item: eventItem(event, item) }, ECHO_FILTER, wakeFinding(wokenLink(event) ?? ''));
	});
	return [output];
}
