import type { ChangeEvent } from './change-event';
import type { LinkState } from './link';

/**
 * The item by which a trigger says "look at this link": it stands in no stream, changes nothing,
 * and may be lost or repeated. The store is the queue.
 */
export function wakeItem({ id, entity, keys }: Pick<LinkState, 'id' | 'entity' | 'keys'>, system: string): ChangeEvent {
	return {
		changeId: `wake:${id}`,
		system,
		entity,
		op: 'w',
		key: { ...keys[system] },
		before: null,
		after: null,
		unchanged: [],
		source: { connector: 'sync-store', position: null, prev: null, tsMs: 0, txId: null, snapshot: false },
		marker: null,
		bisync: { wake: { link: id } },
	};
}

/** What a node in front of the canvas' deciding nodes says of a link that is to be looked at: `due` until somebody has decided. */
export interface WakeFinding {
	readonly link: string;
	readonly disposition: 'wake';
	readonly due: boolean;
	readonly concurrentFields: readonly string[];
}

export function wakeFinding(link: string, due = true, concurrentFields: readonly string[] = []): WakeFinding {
	return { link, disposition: 'wake', due, concurrentFields };
}

/** The link that a wake item speaks of; null for every other item. */
export function wokenLink({ op, bisync }: ChangeEvent): string | null {
	if (op !== 'w') return null;
	const { wake } = bisync;
	const link = typeof wake === 'object' && wake !== null && !Array.isArray(wake) ? wake['link'] : null;
	return typeof link === 'string' ? link : null;
}
