import type { INodeExecutionData } from 'n8n-workflow';

import { wakeItem } from '../../src/core/wake-item';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { withFinding } from '../shared/items';
import { ECHO_FILTER } from '../shared/observe-items';
import type { Outputs } from '../shared/run-node';
import { eventItem } from '../shared/reading-items';

/** As long as the sweep of a trigger waits before it offers a record again; it doubles each time. */
const DELAY_MS = 30_000;
const MAX_DELAY_MS = 3_600_000;

/** Gives out records that somebody has to look at, as the trigger of a system with a change stream does by itself. */
export async function offerDue(
	store: Pick<SyncStore, 'load' | 'leaseDue'>,
	{ policy, limit, items }: { policy: string; limit: number; items: readonly INodeExecutionData[] },
): Promise<Outputs> {
	const [first] = items;
	const published = requirePublished(await store.load({ policy }), policy);
	const [system = ''] = policyInForce(published).policy.systems;
	const due = await store.leaseDue({ policy, limit, delayMs: DELAY_MS, maxDelayMs: MAX_DELAY_MS });
	const output = due.map(({ state, unattempted }) => {
		const found = { link: state.id, disposition: 'wake', due: true, concurrentFields: [], unattempted };
		return withFinding({ index: 0, item: eventItem(wakeItem(state, system), first ?? { json: {} }) }, ECHO_FILTER, found);
	});
	return [output];
}
