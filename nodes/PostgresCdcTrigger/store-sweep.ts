import { policyInForce } from '../../src/store/published-policy';
import type { DueLink, PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { Delivery } from './deliver';
import { diagnoseWaits, waitingPlaces } from './long-waits';
import type { Patience } from './patience';
import type { StoreProgress } from './progress';
import type { Chore } from './read-stream';
import type { StoreSource } from './settings';
import { sweep, sweepsIn } from '../shared/sweep';
import { MAX_UNATTEMPTED, Unwired } from './unwired';

interface SweepParts {
	readonly store: SyncStore;
	readonly source: StoreSource;
	readonly delivery: Delivery;
	readonly progress: StoreProgress;
	readonly patience: Patience;
}

/** The sweep as a chore: looks up the policy's mode first, for nothing is woken while nobody may decide. */
export class StoreSweep implements Chore {
	dueMs = performance.now();

	readonly #unwired: Unwired;

	constructor(private readonly parts: SweepParts) {
		const { store, source, progress } = parts;
		const { policy } = policyInForce(progress.published);
		this.#unwired = new Unwired(store, source.policy, [...policy.systems, ...waitingPlaces(policy)]);
	}

	async run(): Promise<void> {
		const { store, source, delivery, patience } = this.parts;
		const swept = await patience.with(async () => {
			const { mode } = await this.#published();
			if (!sweepsIn(mode)) return null;
			return await sweep(store, source, mode === 'live' ? { look: this.#look } : null);
		});
		if (swept && swept.events.length > 0) await delivery.wake(swept.events);
		// A long queue (a policy that just went live) is not worth a pause.
		this.dueMs = performance.now() + (swept?.isFull ? 0 : source.sweepMs);
	}

	readonly #look = async (links: readonly DueLink[]): Promise<void> => {
		const { store, progress } = this.parts;
		const long = links.filter(({ unattempted }) => unattempted >= MAX_UNATTEMPTED);
		const states = long.map(({ state }) => state);
		await this.#unwired.look(links, await diagnoseWaits(store, states, policyInForce(progress.published)));
	};

	async #published(): Promise<PublishedPolicy> {
		const { progress } = this.parts;
		await progress.observed();
		return progress.published;
	}
}
