import type { ChangeEvent } from '../../src/core/change-event';
import { foldEvents } from '../../src/core/fold-events';
import { lookAtReads, type LookedAt } from '../../src/store/look-at-reads';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';

/** A read, and what it would be to the sync. */
export interface Look extends Omit<LookedAt, 'change'> {
	readonly event: ChangeEvent;
}

export async function lookAt(store: Pick<SyncStore, 'load'>, published: PublishedPolicy, events: readonly ChangeEvent[]): Promise<Look[]> {
	const byPlace = new Map(events.map((event) => [placeOf(event.system, event.source.position), event]));
	const looked = await lookAtReads(store, published, foldEvents(events, published.macKey));
	return looked.flatMap(({ change, ...rest }) => {
		const event = byPlace.get(placeOf(change.system, change.position));
		return event ? [{ event, ...rest }] : [];
	});
}

const placeOf = (system: string, position: string | null): string => `${system} ${position ?? ''}`;

/** Tells one record of a system from all others. */
export const recordOf = ({ system, entity, key }: Pick<ChangeEvent, 'system' | 'entity' | 'key'>): string => JSON.stringify([system, entity, key]);
