import type { ChangeEvent } from '../../src/core/change-event';
import { SWEEP_DELAYS } from '../../src/core/due-age';
import type { PolicyMode } from '../../src/core/journal';
import { wakeItem } from '../../src/core/wake-item';
import type { DueLink, SyncStore } from '../../src/store/sync-store';
import type { StreamId } from '../../src/store/stream-record';

const LIMIT = 200;

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
 * published policy.
 *
 * @param unwired - null where nothing is written: an operation that waits for the switch is no sign of a missing wire
 */
export async function sweep(
	store: Pick<SyncStore, 'leaseDue'>,
	{ policy, system }: StreamId,
	unwired: { readonly look: (links: readonly DueLink[]) => Promise<void> } | null,
): Promise<Swept> {
	const links = await store.leaseDue({
		policy,
		limit: LIMIT,
		...SWEEP_DELAYS,
	});
	await unwired?.look(links);
	return {
		events: links.map(({ state }) => wakeItem(state, system)),
		isFull: links.length === LIMIT,
	};
}
