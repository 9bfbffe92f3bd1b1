import { equalJson, type Json } from '../core/canonical-json';
import { ambiguousLink, emptyLink, existsIn, linkId, type Key, type LinkState } from '../core/link';
import { matchKeys, readFields } from '../core/mapping';
import type { Policy } from '../core/policy';
import type { RecordChange } from '../core/record-change';
import { speaksOf } from '../core/settle';
import { keyText, matchText } from './identity-text';
import type { LoadedLink, MatchKey } from './sync-store';

/** A link as this batch sees it: what was loaded, and what the batch has made of it since. */
export interface WorkingLink {
	state: LinkState;
	readonly loaded: LoadedLink | null;
	/** Match keys that it takes, and that it gives up, in this batch. */
	readonly claims: Set<string>;
	readonly releases: Set<string>;
}

/**
 * Finds the link of a change: by the marker's op, by the row's key (the old one on a key change),
 * by a match key that another system's record holds, else a new one.
 */
export class BatchLinks {
	readonly #byId = new Map<string, WorkingLink>();
	readonly #byKey = new Map<string, WorkingLink>();
	readonly #byMatch = new Map<string, WorkingLink>();
	/** By change of the transaction at hand, the link that had its old key before the transaction. */
	readonly #movers = new Map<RecordChange, WorkingLink>();

	constructor(
		readonly policy: Policy,
		loaded: readonly LoadedLink[],
	) {
		// Older generations first, so that a key leads to the newest link that has used it.
		const inOrder = [...loaded].sort((a, b) => a.state.generation - b.state.generation);
		for (const link of inOrder) this.#add(workingLink(link.state, link));
	}

	byId(id: string): WorkingLink | undefined {
		return this.#byId.get(id);
	}

	/** The link whose row in `system` has this key now, not one that has had it. */
	byKey(system: string, entity: string, key: Key): WorkingLink | undefined {
		const link = this.#byKey.get(keyText({ system, entity, key }));
		return link && equalJson({ ...link.state.keys[system] }, { ...key }) ? link : undefined;
	}

	/** The same, or the last link of this batch that has had the key. */
	whoHad(system: string, entity: string, key: Key): WorkingLink | undefined {
		return this.#byKey.get(keyText({ system, entity, key }));
	}

	/**
	 * Looks up the old keys of one transaction's changes before any of them is observed: two rows
	 * that swap their keys would otherwise lead to the same link.
	 */
	startTransaction(changes: readonly RecordChange[]): void {
		this.#movers.clear();
		for (const change of changes) {
			const { system, entity, previousKey } = change;
			const link = previousKey ? this.byKey(system, entity, previousKey) : undefined;
			if (link) this.#movers.set(change, link);
		}
	}

	/**
	 * Match keys that the record's link does not hold: somebody else may, and has to be loaded too.
	 * Also those of a link that is merely met: it claims what is free, and its commit would lose for
	 * ever against a holder that nobody sees.
	 */
	unknownMatches(changes: readonly RecordChange[]): MatchKey[] {
		return changes.flatMap((change) => {
			const known = this.#known(change);
			const own = known && !this.#isSuccessor(known, change) ? known : undefined;
			const wanted = change.exists === true ? this.#matchKeysOf(change) : [];
			const standing = own ? matchesNow(this.policy, own.state) : [];
			const keys = [...wanted, ...standing].filter((match) => !own?.loaded?.matches.includes(match));
			return keys.map((match) => ({ entity: change.entity, match }));
		});
	}

	/** @returns the link, and how it was found; null when the change is of no consequence (a delete of what never was). */
	find(change: RecordChange): { link: WorkingLink; how: 'known' | 'matched' | 'created' | 'ambiguous' } | null {
		const known = this.#known(change);
		if (known && !this.#isSuccessor(known, change)) return { link: known, how: 'known' };
		if (change.exists !== true || change.key === null) return null;
		for (const match of this.#matchKeysOf(change)) {
			const holder = this.#byMatch.get(matchText({ entity: change.entity, match }));
			if (holder === undefined) continue;
			if (!existsIn(holder.state, change.system)) return { link: holder, how: 'matched' };
			return { link: this.#create(change, known?.state.generation, ambiguousLink), how: 'ambiguous' };
		}
		return { link: this.#create(change, known?.state.generation, emptyLink), how: 'created' };
	}

	/** Keeps keys and match keys true to a link's new state. */
	update(link: WorkingLink, state: LinkState): void {
		link.state = state;
		this.#index(link);
		this.#claimMatches(link);
	}

	#matchKeysOf(change: RecordChange): readonly string[] {
		const entity = this.policy.entities.get(change.entity);
		if (!entity) return [];
		const canon = new Map<string, Json>();
		for (const [name, reading] of readFields(entity, change.system, change.columns, change.unchanged)) {
			if (reading.state === 'value') canon.set(name, reading.canon);
		}
		return matchKeys(entity, canon);
	}

	/**
	 * A link holds the match keys that its records have now. One that another link holds stays
	 * there: the record is linked already, and a match key only ever makes links.
	 */
	#claimMatches(link: WorkingLink): void {
		const now = matchesNow(this.policy, link.state);
		for (const match of now) {
			const text = matchText({ entity: link.state.entity, match });
			const holder = this.#byMatch.get(text) ?? link;
			if (holder !== link) continue;
			this.#byMatch.set(text, link);
			link.releases.delete(match);
			if (!link.loaded?.matches.includes(match)) link.claims.add(match);
		}
		for (const match of [...link.claims, ...(link.loaded?.matches ?? [])]) {
			if (now.has(match)) continue;
			this.#byMatch.delete(matchText({ entity: link.state.entity, match }));
			link.claims.delete(match);
			if (link.loaded?.matches.includes(match)) link.releases.add(match);
		}
	}

	#known(change: RecordChange): WorkingLink | undefined {
		const { marker, system, entity } = change;
		const marked = marker ? this.#byId.get(marker.link) : undefined;
		const op = marked?.state.inFlight[system];
		if (marker && op && speaksOf(marker, op, change)) return marked;
		const mover = this.#movers.get(change);
		if (mover) return mover;
		for (const key of [change.previousKey, change.key]) {
			const link = key ? this.byKey(system, entity, key) : undefined;
			if (link) return link;
		}
		// A row goes by its own key: a copied marker must not put it into somebody else's link.
		return change.exists === null ? marked : undefined;
	}

	/** A row that appears under the key of a record that is gone is another record. */
	#isSuccessor({ state }: WorkingLink, change: RecordChange): boolean {
		const seen = state.seen[change.system];
		const isNew = seen === undefined || change.position > seen;
		const gone = state.keys[change.system] !== undefined && !existsIn(state, change.system);
		const ours = change.marker !== null && state.inFlight[change.system]?.id === change.marker.op;
		return change.exists === true && isNew && gone && !ours;
	}

	#create(change: RecordChange, previous: number | undefined, make: typeof emptyLink): WorkingLink {
		const { system, entity, key } = change;
		const generation = (previous ?? 0) + 1;
		const first = { policy: this.policy.name, entity, system, key: key ?? {}, generation };
		const id = linkId({ ...first, position: change.firstPosition });
		const link = workingLink(make(id, entity, generation), null);
		this.#add(link);
		return link;
	}

	#add(link: WorkingLink): void {
		this.#byId.set(link.state.id, link);
		for (const match of link.loaded?.matches ?? []) {
			this.#byMatch.set(matchText({ entity: link.state.entity, match }), link);
		}
		this.#index(link);
	}

	#index(link: WorkingLink): void {
		for (const [system, key] of Object.entries(link.state.keys)) {
			this.#byKey.set(keyText({ system, entity: link.state.entity, key }), link);
		}
	}
}

function workingLink(state: LinkState, loaded: LoadedLink | null): WorkingLink {
	return { state, loaded, claims: new Set(), releases: new Set() };
}

/** The match keys of the records that a link has or is about to have, system by system. */
function matchesNow(policy: Policy, state: LinkState): Set<string> {
	const entity = policy.entities.get(state.entity);
	const matches = new Set<string>();
	if (!entity) return matches;
	for (const system of policy.systems.filter((name) => existsIn(state, name))) {
		const views = Object.entries(state.fields).map(([name, { views }]) => [name, views[system]] as const);
		const canon = new Map(views.flatMap(([name, view]) => (view ? [[name, view.canon] as const] : [])));
		for (const match of matchKeys(entity, canon)) matches.add(match);
	}
	// Until its outcome is known, our new row may be there: whoever comes with its values is the same record.
	for (const { kind, fields } of Object.values(state.inFlight)) {
		if (kind !== 'insert') continue;
		const canon = new Map(Object.entries(fields).map(([name, field]) => [name, field.canon]));
		for (const match of matchKeys(entity, canon)) matches.add(match);
	}
	return matches;
}
