import type { ChangeEvent } from '../../src/core/change-event';
import type { LinkState } from '../../src/core/link';
import type { PolicyMode } from '../../src/core/journal';
import type { ReviewItem } from '../../src/core/review';
import { wakeItem } from '../../src/core/wake-item';
import type { DueLink, StreamId, SyncStore } from '../../src/store/sync-store';

export type SweepStore = Pick<SyncStore, 'leaseDue' | 'changeReviews'>;

const LIMIT = 200;
/** The first delay before a link is offered again, and the longest. */
const DELAY_MS = 2_000;
const MAX_DELAY_MS = 300_000;

/** Woken so often without an attempt, a link is not late but forgotten: something is not connected. */
const MAX_UNATTEMPTED = 5;

export interface Swept {
	/** Items that say "look at this link". */
	readonly events: readonly ChangeEvent[];
	/** Whether more links wait than one sweep takes. */
	readonly isFull: boolean;
}

/** Whether due links are to be looked at: otherwise nobody may decide about them, and they stay due. */
export function sweepsIn(mode: PolicyMode): boolean {
	return mode === 'live' || mode === 'shadow';
}

/**
 * Leases due links whose time has come: after a crash, a failed write, a resolved review or a
 * published policy. Opens a review item when links are woken again and again and nobody acts.
 */
export async function sweep(store: SweepStore, { policy, system }: StreamId): Promise<Swept> {
	const links = await store.leaseDue({
		policy,
		limit: LIMIT,
		delayMs: DELAY_MS,
		maxDelayMs: MAX_DELAY_MS,
	});
	const items = unwiredItems(policy, links);
	if (items.length > 0) {
		await store.changeReviews(
			policy,
			items.map((item) => ({ action: 'open', item })),
		);
	}
	return {
		events: links.map(({ state }) => wakeItem(state, system)),
		isFull: links.length === LIMIT,
	};
}

/** What is not connected, to judge by a link that is woken in vain. */
export interface WakeDiagnosis {
	/** The system whose writes go nowhere; 'decide' when not even a decision is made. */
	readonly where: string;
	readonly reason: string;
}

/**
 * A link with an operation in flight was decided upon, so it is the write that does not happen; one
 * without was not even decided upon. Pure.
 */
export function diagnoseWake({ inFlight }: Pick<LinkState, 'inFlight'>): readonly WakeDiagnosis[] {
	const systems = Object.keys(inFlight).sort();
	if (systems.length === 0) {
		return [
			{
				where: 'decide',
				reason:
					'Output "Foreign" of Echo Filter, or "In Order" or "Concurrent" of Version Vector Check, leads nowhere: records wait for a decision, and Field Authority Merge does not see them. Connect these outputs up to Field Authority Merge, then activate the workflow again',
			},
		];
	}
	return systems.map((system) => ({
		where: system,
		reason: `Output "Write to ${system}" of Field Authority Merge leads nowhere: decided writes wait, and nobody tries them. Connect it to a Sync Write node of ${system}, then activate the workflow again`,
	}));
}

function unwiredItems(policy: string, links: readonly DueLink[]): ReviewItem[] {
	const found = new Map<string, { diagnosis: WakeDiagnosis; links: string[] }>();
	for (const { state, unattempted } of links) {
		if (unattempted < MAX_UNATTEMPTED) continue;
		for (const diagnosis of diagnoseWake(state)) {
			const entry = found.get(diagnosis.where) ?? { diagnosis, links: [] };
			entry.links.push(state.id);
			found.set(diagnosis.where, entry);
		}
	}
	return [...found.values()].map(({ diagnosis, links: ids }) => ({
		id: `unwired-${policy}-${diagnosis.where}`,
		kind: 'failure',
		policy,
		link: null,
		entity: null,
		fields: [],
		reason: diagnosis.reason,
		token: `unwired-${diagnosis.where}`,
		detail: { waiting: ids.length, examples: ids.slice(0, 5) },
	}));
}
