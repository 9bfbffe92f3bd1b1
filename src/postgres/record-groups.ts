import { NumberList } from './number-list';

export interface GroupedItem {
	/** Counted from 0, as they were added. */
	readonly item: number;
	readonly isLastOfGroup: boolean;
}

/**
 * Sorts a long list of items into groups that share a key, directly or through others, with twelve bytes
 * of memory for each key. Pure.
 *
 * Keys are kept as hashes. Two that are equal by chance make one group of two: a little larger, and nothing else.
 */
export class RecordGroups {
	/** Of all keys, in the order in which they came. */
	readonly #hashes = new NumberList(Float64Array);
	/** By key, the item that has it. */
	readonly #items = new NumberList(Uint32Array);
	#count = 0;

	get count(): number {
		return this.#count;
	}

	/** Adds the next item. Without a key it is a group of its own. */
	add(keys: readonly string[]): void {
		const item = this.#count++;
		for (const key of keys) {
			this.#hashes.push(hashOf(key));
			this.#items.push(item);
		}
	}

	/** All items: groups in the order of their first items, and within a group as they were added. Called at the end. */
	*inOrder(): Generator<GroupedItem, void, undefined> {
		const shared = this.#sharedKeys();
		if (shared.size === 0) for (let item = 0; item < this.#count; item++) yield { item, isLastOfGroup: true };
		else yield* this.#linked(this.#parents(shared));
	}

	/** Hashes that occur more than once, each without an item yet. */
	#sharedKeys(): Map<number, number> {
		const sorted = new Float64Array(this.#hashes.length);
		for (let at = 0; at < sorted.length; at++) sorted[at] = this.#hashes.at(at);
		sorted.sort();
		const shared = new Map<number, number>();
		for (let at = 1; at < sorted.length; at++) if (sorted[at] === sorted[at - 1]) shared.set(sorted[at]!, NO_ITEM);
		return shared;
	}

	/** By item, another one of its group that came before it, or itself. */
	#parents(owners: Map<number, number>): Uint32Array {
		const parents = new Uint32Array(this.#count);
		for (let item = 0; item < parents.length; item++) parents[item] = item;
		for (let at = 0; at < this.#hashes.length; at++) {
			const hash = this.#hashes.at(at);
			const owner = owners.get(hash);
			if (owner === undefined) continue;
			if (owner === NO_ITEM) owners.set(hash, this.#items.at(at));
			else join(parents, owner, this.#items.at(at));
		}
		return parents;
	}

	*#linked(parents: Uint32Array): Generator<GroupedItem, void, undefined> {
		const next = new Uint32Array(this.#count);
		const last = new Uint32Array(this.#count);
		for (let item = 0; item < this.#count; item++) {
			const root = rootOf(parents, item);
			if (item !== root) next[last[root] ?? 0] = item;
			last[root] = item;
		}
		for (let first = 0; first < this.#count; first++) {
			if (rootOf(parents, first) !== first) continue;
			for (let item = first; ; item = next[item] ?? 0) {
				const isLastOfGroup = item === last[first];
				yield { item, isLastOfGroup };
				if (isLastOfGroup) break;
			}
		}
	}
}

const NO_ITEM = -1;

/** The first item of a group stands for it. */
function join(parents: Uint32Array, a: number, b: number): void {
	const [one, other] = [rootOf(parents, a), rootOf(parents, b)];
	parents[Math.max(one, other)] = Math.min(one, other);
}

function rootOf(parents: Uint32Array, item: number): number {
	let root = item;
	while (parents[root] !== root) root = parents[root] ?? root;
	for (let at = item; at !== root; ) {
		const above = parents[at] ?? root;
		parents[at] = root;
		at = above;
	}
	return root;
}

/** 53 bits, made of two hashes that know little of each other (FNV-1a, and a multiplicative one). */
function hashOf(key: string): number {
	let a = 0x811c9dc5;
	let b = 0x9e3779b9;
	for (let at = 0; at < key.length; at++) {
		const code = key.charCodeAt(at);
		a = Math.imul(a ^ code, 0x01000193);
		b = Math.imul(b + code, 0x85ebca6b) ^ (b >>> 13);
	}
	return (a >>> 0) * 2 ** 21 + (b >>> 11);
}
