import { matchKeysOfLink } from '../core/match-keys';
import type { PolicyInForce } from '../core/observe';
import { type Known, recordsSought, type Referred, referredOf, withReferencesFound } from '../core/references';
import type { KnownOfLink } from './decide-step';
import { matchText } from './identity-text';
import type { LoadedLink, MatchKey, RecordKey, SyncStore } from './sync-store';

/**
 * What decisions about these links have to know of the links that they refer to, by link id. No store trip
 * where no reference is in motion; a second one where a record has been found that was sought in vain before,
 * for its finder may turn out to be a record that is known already.
 */
export async function loadReferred(
	store: Pick<SyncStore, 'load'>,
	links: readonly LoadedLink[],
	inForce: PolicyInForce,
): Promise<ReadonlyMap<string, KnownOfLink>> {
	const { policy } = inForce;
	const wanted = links.flatMap((link): Wanted[] => {
		const entity = policy.entities.get(link.state.entity);
		const sought = entity && recordsSought(link.state, { policy, entity });
		return sought && sought.links.length + sought.keys.length > 0 ? [{ link, ...sought }] : [];
	});
	if (wanted.length === 0) return new Map();
	const loaded = await store.load({
		policy: policy.name,
		links: [...new Set(wanted.flatMap((one) => one.links))],
		keys: wanted.flatMap((one) => one.keys),
	});
	const referred = loaded.links.map(({ state }) => referredOf(state));
	const known = new Map(wanted.map((one): [string, Known] => [one.link.state.id, { referred: among(referred, one) }]));
	return await withMatches(store, { wanted, known, inForce });
}

interface Wanted {
	readonly link: LoadedLink;
	readonly links: readonly string[];
	readonly keys: readonly RecordKey[];
}

/** Of all that was loaded, what one link asked for. */
function among(all: readonly Referred[], { links, keys }: Wanted): Referred[] {
	return all.filter(
		({ link, entity, keys: has }) =>
			links.includes(link) ||
			keys.some(({ system, entity: of, key }) => of === entity && has[system] === Object.values(key)[0]),
	);
}

/** Looks up who holds the match keys that links have now that their references are known. */
async function withMatches(
	store: Pick<SyncStore, 'load'>,
	{ wanted, known, inForce }: { wanted: readonly Wanted[]; known: Map<string, Known>; inForce: PolicyInForce },
): Promise<ReadonlyMap<string, KnownOfLink>> {
	const { policy } = inForce;
	const claimed = wanted.flatMap(({ link }): (MatchKey & { readonly id: string })[] => {
		const { id, entity } = link.state;
		const found = withReferencesFound(link.state, policy, known.get(id) ?? {});
		if (found === link.state) return [];
		const matches = [...matchKeysOfLink(policy, found)].filter((match) => !link.matches.includes(match));
		return matches.map((match) => ({ id, entity, match }));
	});
	if (claimed.length === 0) return known;
	const { links } = await store.load({ policy: policy.name, matches: claimed.map(({ entity, match }) => ({ entity, match })) });
	const holders = new Map<string, string>();
	for (const { state, matches } of links) for (const match of matches) holders.set(matchText({ ...state, match }), state.id);
	const result = new Map<string, KnownOfLink>(known);
	for (const { id, entity, match } of claimed) {
		const before = result.get(id) ?? {};
		const text = matchText({ entity, match });
		const holder = holders.get(text) ?? id;
		holders.set(text, holder); // Of two in this batch, the second finds it taken.
		const claims = [...(before.claims ?? []), ...(holder === id ? [match] : [])];
		result.set(id, { ...before, claims, ...(holder === id ? {} : { isTaken: true as const }) });
	}
	return result;
}
