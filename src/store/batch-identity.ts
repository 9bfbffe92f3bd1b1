import { equalJson } from '../core/canonical-json';
import { contestingEdits } from '../core/judge-existence';
import { ambiguousLink, emptyLink, EXISTENCE, existsIn, hasRowIn, linkId, type Key, type LinkState } from '../core/link';
import { matchKeysOfChange } from '../core/match-keys';
import { isOlderRow, isShownRecord } from '../core/older-row';
import type { Policy } from '../core/policy';
import type { Position } from '../core/position';
import type { RecordChange } from '../core/record-change';
import { depthsOf } from '../core/reference-graph';
import { isKnownRow, mayBeTakenIn, presenceOf } from '../core/row-presence';
import { speaksOf } from '../core/settle';
import { BatchKeys } from './batch-keys';
import { BatchMatches } from './batch-matches';
import type { LoadedLink, MatchKey } from './sync-store';
import { workingLink, type WorkingLink } from './working-link';

/** A link that a change concerns, how it was found, and what the change is for it. */
export interface Found {
	readonly link: WorkingLink;
	readonly how: 'known' | 'matched' | 'created' | 'ambiguous';
	readonly change: RecordChange;
}

/**
 * Finds the link of a change: by the marker's op, by the row's key (the old one on a key change),
 * by a match key that another system's record holds, else a new one.
 */
export class BatchLinks {
	readonly #byId = new Map<string, WorkingLink>();
	readonly #keys = new BatchKeys();
	readonly #matches: BatchMatches;
	/** Whether a second look at the batch would lead to other links, once some of them were committed. */
	#onlyTogether = false;
	/** By change of the transaction at hand, the link that had its old key before the transaction. */
	readonly #movers = new Map<Position, WorkingLink>();
	/** These links: the keys they have now will be others' when the transaction is over. */
	readonly #leaving = new Set<WorkingLink>();
	readonly #depths: ReadonlyMap<string, number>;

	constructor(
		readonly policy: Policy,
		loaded: readonly LoadedLink[],
	) {
		this.#matches = new BatchMatches(policy);
		this.#depths = depthsOf(policy);
		// Older generations first, so that a key leads to the newest link that has used it.
		const inOrder = [...loaded].sort((a, b) => a.state.generation - b.state.generation);
		for (const link of inOrder) this.#add(workingLink(link.state, link));
	}

	/**
	 * Ends the batch: match keys that one link gave up are there for the others that it met.
	 *
	 * @returns whether its links must be committed together
	 */
	finish(met: Iterable<string>): boolean {
		const links = [...met].flatMap((id) => this.#byId.get(id) ?? []);
		const released = links.filter(({ releases }) => releases.size > 0);
		for (const link of released.length > 0 ? links : []) this.#claim(link);
		return this.#onlyTogether || released.length > 0;
	}

	/**
	 * The systems in which the link's key leads to another link by now: its row there is gone, and the key in use again.
	 * Also where nobody has moved it: a link that is not in this batch may have it.
	 */
	yields({ state, loaded }: WorkingLink): string[] {
		const { entity, keys } = state;
		return Object.keys(keys).filter((system) => {
			const key = keys[system] ?? {};
			if (this.byKey(system, entity, key)?.state.id !== state.id) return true;
			return !existsIn(state, system) && loaded !== null && equalJson({ ...loaded.state.keys[system] }, { ...key });
		});
	}

	byId(id: string): WorkingLink | undefined {
		return this.#byId.get(id);
	}

	/** The link whose row in `system` has this key now, not one that has had it. */
	byKey(system: string, entity: string, key: Key): WorkingLink | undefined {
		return this.#keys.holder(system, entity, key);
	}

	/** The same, or the last link of this batch that has had the key. */
	whoHad(system: string, entity: string, key: Key): WorkingLink | undefined {
		return this.#keys.last(system, entity, key);
	}

	/**
	 * Looks up the old keys of one transaction's changes before any of them is observed: two rows
	 * that swap their keys would otherwise lead to the same link.
	 */
	startTransaction(changes: readonly RecordChange[]): void {
		this.#movers.clear();
		this.#leaving.clear();
		for (const change of changes) {
			const { system, entity, previousKey } = change;
			const link = previousKey ? this.byKey(system, entity, previousKey) : undefined;
			if (!link) continue;
			this.#movers.set(change.position, link);
			this.#leaving.add(link);
		}
	}

	/**
	 * The transaction's changes in the order to be observed in: what links give up is there for new
	 * records, and parents for their children.
	 */
	inOrder(changes: readonly RecordChange[]): readonly RecordChange[] {
		const depth = ({ entity }: RecordChange): number => this.#depths.get(entity) ?? 0;
		const sorted = [...changes].sort((a, b) => depth(a) - depth(b));
		const known = new Set(sorted.filter((change) => this.own(change) !== undefined));
		return [...known, ...sorted.filter((change) => !known.has(change))];
	}

	/** Match keys that the record's link does not hold: somebody else may, and has to be loaded too. */
	unknownMatches(changes: readonly RecordChange[]): MatchKey[] {
		return changes.flatMap((change) => {
			const own = this.own(change);
			const wanted = this.#matchKeysOf(change);
			const keys = wanted.filter((match) => !own?.loaded?.matches.includes(match));
			return keys.map((match) => ({ entity: change.entity, match }));
		});
	}

	/**
	 * What the change means, and for which links: mostly one. None when it is of no consequence (a
	 * delete of what never was), and two when a write of ours went to a row that had come to its key.
	 */
	find(change: RecordChange): readonly Found[] {
		const written = this.#misdirected(change);
		if (written) {
			const { marker: _ours, ...row } = change;
			const nothing = { ...change, exists: null, columns: {}, unchanged: [], misdirected: true } as const;
			return [
				{ link: written.meant, how: 'known', change: nothing },
				{ link: written.hit, how: 'known', change: { ...row, marker: null } },
			];
		}
		const found = this.#find(change);
		return found === null ? [] : [{ ...found, change }];
	}

	/** A link of its own for the change's record, whatever else is known of its key. */
	create(change: RecordChange): Found {
		return { link: this.#create(change, emptyLink), how: 'created', change };
	}

	/** The link that has the change's record, or would take it in; undefined: none does. */
	seek(change: RecordChange): WorkingLink | undefined {
		const sought = this.#seek(change);
		return typeof sought === 'object' && sought !== null ? sought.link : undefined;
	}

	#find(change: RecordChange): Omit<Found, 'change'> | null {
		const sought = this.#seek(change);
		if (sought === 'created') return { link: this.#create(change, emptyLink), how: sought };
		return sought === 'ambiguous' ? { link: this.#create(change, ambiguousLink), how: sought } : sought;
	}

	#seek(change: RecordChange): { link: WorkingLink; how: 'known' | 'matched' } | 'created' | 'ambiguous' | null {
		const own = this.own(change);
		if (own) return { link: own, how: 'known' };
		const entity = this.policy.entities.get(change.entity);
		if (entity === undefined || change.key === null || !mayBeTakenIn(entity, change)) return null;
		for (const match of this.#matchKeysOf(change)) {
			const holder = this.#matches.holder({ entity: change.entity, match });
			if (holder === undefined || this.#isDying(holder, change)) continue;
			return isFreeFor(holder, change) ? { link: holder, how: 'matched' } : 'ambiguous';
		}
		return 'created';
	}

	/** Keeps keys and match keys true to what a change has made of its link. */
	update({ link, change }: Pick<Found, 'link' | 'change'>, state: LinkState): void {
		const { system, entity, key, exists } = change;
		const before = link.state.keys[system];
		const holder = key === null ? undefined : this.whoHad(system, entity, key);
		link.state = state;
		this.#keys.lead(link, system, this.#leaving);
		this.#claim(link);
		if (key === null || exists === null) return;
		const moved = before !== undefined && !equalJson({ ...before }, { ...key });
		const leadsHere = exists === false || this.byKey(system, entity, key) === link;
		if (moved || !leadsHere || (holder ?? link) !== link) this.#onlyTogether = true;
	}

	/** None of an archived row: it is no record, and whether it was there first must not matter. */
	#matchKeysOf(change: RecordChange): readonly string[] {
		const entity = this.policy.entities.get(change.entity);
		if (!entity || !mayBeTakenIn(entity, change)) return [];
		return presenceOf(emptyLink('', entity.name, 1), change, entity) === 'archived' ? [] : matchKeysOfChange(entity, change);
	}

	#claim(link: WorkingLink): void {
		if (this.#matches.claim(link)) this.#onlyTogether = true;
	}

	/** The link of the record itself, not of one that had its key before. */
	own(change: RecordChange): WorkingLink | undefined {
		const known = this.#known(change);
		return known && !this.#isSuccessor(known, change) && !this.#isTakenOver(known, change) ? known : undefined;
	}

	#known(change: RecordChange): WorkingLink | undefined {
		const { marker, system, entity } = change;
		const marked = marker ? this.#byId.get(marker.link) : undefined;
		const op = marked?.state.inFlight[system];
		if (marker && op && speaksOf(marker, op, change)) return marked;
		const mover = this.#movers.get(change.position);
		if (mover) return mover;
		for (const key of [change.previousKey, change.key]) {
			const link = key ? this.byKey(system, entity, key) : undefined;
			if (link && !this.#leaving.has(link)) return link;
		}
		// A row goes by its own key: a copied marker must not put it into somebody else's link.
		return change.exists === null ? marked : undefined;
	}

	/** The link whose operation was applied, and the one whose row has come to the operation's key meanwhile. */
	#misdirected(change: RecordChange): { meant: WorkingLink; hit: WorkingLink } | null {
		const { marker, system, entity, exists } = change;
		const meant = marker ? this.#byId.get(marker.link) : undefined;
		const op = meant?.state.inFlight[system];
		if (!marker || !meant || !op?.key || exists === null || !speaksOf(marker, op, change)) return null;
		const hit = this.byKey(system, entity, op.key);
		return hit === undefined || hit === meant ? null : { meant, hit };
	}

	/** A row that appears under the key of a record that is gone is another record; not one that an older copy still has. */
	#isSuccessor({ state }: WorkingLink, change: RecordChange): boolean {
		const rules = this.policy.entities.get(change.entity);
		if (rules && isOlderRow(state, change) && isShownRecord(change, rules)) return false;
		const seen = state.seen[change.system];
		const isNew = seen === undefined || change.position > seen;
		const gone = state.keys[change.system] !== undefined && !isKnownRow(state, change);
		const ours = change.marker !== null && state.inFlight[change.system]?.id === change.marker.op;
		return change.exists === true && isNew && gone && !ours;
	}

	/**
	 * Whether an archived row comes back of which nobody else has anything, while another link waits for a
	 * record of this system with its match values: it is that one's, as a new row would be.
	 */
	#isTakenOver(known: WorkingLink, change: RecordChange): boolean {
		const { state } = known;
		const { system, entity } = change;
		const isAlive = Object.values(state.fields[EXISTENCE]?.views ?? {}).some(({ canon }) => canon === true);
		if (isAlive || !hasRowIn(state, system) || Object.keys(state.inFlight).length > 0) return false;
		const rules = this.policy.entities.get(entity);
		if (!rules || presenceOf(state, change, rules) !== 'record') return false;
		return this.#matchKeysOf(change).some((match) => {
			const holder = this.#matches.holder({ entity, match });
			return holder !== undefined && holder !== known && isFreeFor(holder, change);
		});
	}

	/**
	 * Whether the record was deleted in this system and the delete stands, or will: what comes
	 * afterwards with the same values is another record, and nothing of the old one may reach it. A delete
	 * that is disputed is answered by the record's coming back.
	 */
	#isDying({ state }: WorkingLink, { system, entity: name, position }: RecordChange): boolean {
		const entity = this.policy.entities.get(name);
		const { merged = null, views = {}, frozen = null } = state.fields[EXISTENCE] ?? {};
		const view = views[system];
		if (!entity || view === undefined || view.canon === true || position <= (state.seen[system] ?? '')) return false;
		if (frozen !== null || view.accepted) return false;
		return merged?.canon === false || contestingEdits(state, system, entity).length === 0;
	}

	#create(change: RecordChange, make: typeof emptyLink): WorkingLink {
		const { system, entity } = change;
		const key = change.key ?? {};
		const holder = this.whoHad(system, entity, key);
		if (holder) this.#onlyTogether = true;
		const generation = (holder?.state.generation ?? 0) + 1;
		const first = { policy: this.policy.name, entity, system, key, generation };
		const id = linkId({ ...first, position: change.firstPosition });
		const link = workingLink(make(id, entity, generation), null);
		this.#add(link);
		return link;
	}

	#add(link: WorkingLink): void {
		this.#byId.set(link.state.id, link);
		this.#matches.add(link);
		for (const system of Object.keys(link.state.keys)) this.#keys.lead(link, system, this.#leaving);
	}

}

/**
 * Whether the link may take the record in. Not when a later event of the same transaction has been
 * folded into it already, such as the delete of the record it had: this one would look like a duplicate.
 */
function isFreeFor({ state }: WorkingLink, { system, position }: RecordChange): boolean {
	const seen = state.seen[system];
	return !existsIn(state, system) && (seen === undefined || seen < position);
}
