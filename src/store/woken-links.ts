import type { LinkState } from '../core/link';
import type { SyncStore } from './sync-store';

/** A link that waited for what has been observed: by what an item must say of it. */
export type Woken = Pick<LinkState, 'id' | 'entity' | 'keys'>;

/** Those of the links that somebody has to look at; a store trip only where there are some. */
export async function wokenLinks(store: Pick<SyncStore, 'load'>, policy: string, ids: readonly string[]): Promise<Woken[]> {
	if (ids.length === 0) return [];
	const { links } = await store.load({ policy, links: ids });
	return links.filter(({ due }) => due).map(({ state: { id, entity, keys } }) => ({ id, entity, keys }));
}
