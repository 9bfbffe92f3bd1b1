import { isSimilar, likeness, likenessOf, type Likeness } from './likeness';
import type { LinkState } from './link';
import type { EntityPolicy } from './policy';
import { mayBeOne } from './twins';

/** Records that begin alike are compared with so many of those before them. */
const MAX_COMPARED = 200;

interface Entry {
	readonly state: LinkState;
	readonly values: Likeness['values'];
	/** Systems in which the record would be created, if nothing resembled it. */
	readonly inserts: readonly string[];
	isPaired: boolean;
}

export interface Pair {
	readonly records: readonly [LinkState, LinkState];
	readonly score: number;
	/** Of those of the two that were in no pair before: where they would have been created. */
	readonly inserts: readonly string[];
}

/** Finds the records of one entity that a person will be asked about, as they are added one by one. */
export class SimilarPairs {
	readonly #byBlock = new Map<string, Entry[]>();

	constructor(readonly entity: EntityPolicy) {}

	/** @returns the pairs that the record makes with those before it */
	add(state: LinkState, inserts: readonly string[]): Pair[] {
		const { similar } = this.entity;
		const mine = likenessOf(state, this.entity);
		if (similar === null || mine === null) return [];
		const entry: Entry = { state, values: mine.values, inserts, isPaired: false };
		const others = new Set(mine.blocks.flatMap((block) => this.#byBlock.get(block) ?? []));
		const pairs = [...others].flatMap((other): Pair[] => {
			const score = likeness(mine.values, other.values);
			if (!isSimilar(score, similar) || !mayBeOne(state, other.state, this.entity)) return [];
			return [{ records: [other.state, state], score, inserts: [other, entry].flatMap(takeInserts) }];
		});
		for (const block of mine.blocks) {
			const entries = this.#byBlock.get(block) ?? [];
			if (entries.length < MAX_COMPARED) this.#byBlock.set(block, [...entries, entry]);
		}
		return pairs;
	}
}

function takeInserts(entry: Entry): readonly string[] {
	if (entry.isPaired) return [];
	entry.isPaired = true;
	return entry.inserts;
}
