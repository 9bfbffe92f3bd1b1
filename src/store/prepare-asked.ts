import type { LookedThrough } from './observation-run';
import type { LoadedLink, LoadRequest, MatchKey, SyncStore } from './sync-store';

/**
 * Thinks a batch through, and again with whoever holds the match keys that it would claim, until it claims none whose
 * holder it has not seen.
 *
 * @param sought - match keys and records that are known to be needed
 */
export async function prepareAsked<T extends Pick<LookedThrough, 'unasked'>>(
	store: Pick<SyncStore, 'load'>,
	{ policy, links: loaded, sought }: { policy: string; links: readonly LoadedLink[]; sought: Pick<LoadRequest, 'matches' | 'keys'> },
	prepare: (known: { links: readonly LoadedLink[]; asked: readonly MatchKey[] }) => T,
): Promise<T> {
	let links = loaded;
	let { matches = [], keys = [] } = sought;
	const asked: MatchKey[] = [];
	for (;;) {
		if (matches.length + keys.length > 0) links = distinct([...links, ...(await store.load({ policy, matches, keys })).links]);
		asked.push(...matches);
		const prepared = prepare({ links, asked });
		if (prepared.unasked.length === 0) return prepared;
		matches = prepared.unasked;
		keys = [];
	}
}

function distinct(links: readonly LoadedLink[]): LoadedLink[] {
	return [...new Map(links.map((link) => [link.state.id, link])).values()];
}
