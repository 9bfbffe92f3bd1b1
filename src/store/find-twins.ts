import { isSimilar, lacksRow, likeness, likenessOf, type Likeness } from '../core/likeness';
import type { LinkState } from '../core/link';
import type { PolicyInForce } from '../core/observe';
import type { EntityPolicy } from '../core/policy';
import { type Twin, twinsOf } from '../core/twins';
import type { Alike, LoadedLink, PublishedPolicy, SyncStore } from './sync-store';

/** Of those that resemble a record, so many are read whole. */
const MAX_READ = 20;

/** Says who resembles a record that is being decided about. */
export interface TwinFinder {
	/** Nothing where the policy does not ask, or the record is in all systems. */
	of(state: LinkState): { readonly twins?: readonly Twin[] };
	/** What a decision of this batch has made of a link: whoever is decided about next sees that it asks. */
	note(state: LinkState): void;
}

const NOBODY: TwinFinder = { of: () => ({}), note: () => undefined };

/**
 * Looks for records that resemble those of these links. No store trip where no policy asks for it, or all are in
 * every system; else one, and a second one where somebody was found.
 */
export async function findTwins(
	store: Pick<SyncStore, 'load' | 'findAlike'>,
	links: readonly LoadedLink[],
	{ policy: inForce, published }: { readonly policy: PolicyInForce; readonly published: PublishedPolicy },
): Promise<TwinFinder> {
	if (published.mode !== 'live' && published.mode !== 'shadow') return NOBODY;
	const { policy } = inForce;
	const lone = links.flatMap(({ state }): Lone[] => {
		const entity = policy.entities.get(state.entity);
		return entity?.similar && lacksRow(state, entity) ? [{ state, entity, mine: likenessOf(state, entity) }] : [];
	});
	if (lone.length === 0) return NOBODY;
	const blocks = [...new Set(lone.flatMap(({ mine }) => mine?.blocks ?? []))];
	const byBlock = grouped(blocks.length > 0 ? await store.findAlike(policy.name, blocks) : []);
	const wanted = new Map(lone.map((one) => [one.state.id, closest(one, (one.mine?.blocks ?? []).flatMap((block) => byBlock.get(block) ?? []))]));
	const ids = [...new Set([...wanted.values()].flat())];
	const states = new Map((ids.length > 0 ? (await store.load({ policy: policy.name, links: ids })).links : []).map(({ state }) => [state.id, state]));
	return {
		of: (state) => {
			const one = lone.find((other) => other.state.id === state.id);
			if (!one) return {};
			const others = (wanted.get(state.id) ?? []).flatMap((id) => states.get(id) ?? []);
			return { twins: twinsOf(state, others, one.entity) };
		},
		note: (state) => {
			if (states.has(state.id)) states.set(state.id, state);
		},
	};
}

interface Lone {
	readonly state: LinkState;
	readonly entity: EntityPolicy;
	/** Null: there is no text to go by, and so nobody resembles it. */
	readonly mine: Likeness | null;
}

/** Of an entity that asks for no resemblance nobody is found: its links go by no block. */
function closest({ state, entity, mine }: Lone, found: readonly Alike[]): string[] {
	const { similar } = entity;
	const scored = found.map(({ link, values }) => ({ link, score: likeness(mine?.values ?? [], values) }));
	const alike = scored.filter(({ link, score }) => link !== state.id && similar !== null && isSimilar(score, similar));
	alike.sort((a, b) => b.score - a.score || (a.link < b.link ? -1 : 1));
	return [...new Set(alike.map(({ link }) => link))].slice(0, MAX_READ);
}

function grouped(found: readonly Alike[]): Map<string, Alike[]> {
	const groups = new Map<string, Alike[]>();
	for (const one of found) {
		const group = groups.get(one.block);
		if (group) group.push(one);
		else groups.set(one.block, [one]);
	}
	return groups;
}
