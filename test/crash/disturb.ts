import { setTimeout as sleep } from 'node:timers/promises';

import type { Campaign } from './campaign';
import { SERVERS } from './systems';

const DISTURBANCES = ['crash', 'crash', 'cut', 'slow', 'half-open'] as const;

/** While a worker runs, and users work: a server dies, or the network between it and the worker. */
export async function disturb(campaign: Campaign): Promise<void> {
	const { random, world } = campaign;
	const name = random.oneOf(SERVERS);
	const { relay } = world[name];
	await sleep(random.below(2_000)); // At some moment or other.
	switch (random.oneOf(DISTURBANCES)) {
		case 'crash':
			await campaign.crashServer(name);
			break;
		case 'cut':
			relay.cut();
			break;
		case 'slow':
			relay.delayBy(1 + random.below(80));
			await sleep(1_000 + random.below(2_000));
			relay.delayBy(0);
			break;
		case 'half-open':
			relay.fallSilent();
			await sleep(1_000 + random.below(2_000));
			relay.cut();
			break;
	}
}
