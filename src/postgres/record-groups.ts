/**
 * Sorts a long list of items into groups that share a key, directly or through others, with some forty bytes
 * of memory for each. Pure.
 *
 * Keys are kept as hashes. Two that are equal by chance make one group of two: a little larger, and nothing else.
 */
export class RecordGroups {
	/** By item, another one of its group, or itself. */
	#parent = new Uint32Array(FIRST_SIZE);
	/** Open addressing: by slot the two hashes of a key, and the item that had it first, plus one. */
	#places = new Uint32Array(2 * FIRST_SIZE);
	#hashes = new Uint32Array(2 * FIRST_SIZE);
	#owners = new Uint32Array(2 * FIRST_SIZE);
	#keyCount = 0;
	#count = 0;
	/** Whether each item is a group of its own, so far. */
	#isPlain = true;

	get count(): number {
		return this.#count;
	}

	/** Adds the next item. Without a key it is a group of its own. */
	add(keys: readonly string[]): void {
		const item = this.#count++;
		if (item >= this.#parent.length) this.#parent = longer(this.#parent);
		this.#parent[item] = item;
		for (const key of keys) {
			const owner = this.#ownerOf(key, item);
			if (owner !== item) this.#join(item, owner);
		}
	}

	/** All items: groups in the order of their first items, and within a group as they were added. Called at the end. */
	*inOrder(): Generator<{ readonly item: number; readonly isLastOfGroup: boolean }, void, undefined> {
		if (this.#isPlain) for (let item = 0; item < this.#count; item++) yield { item, isLastOfGroup: true };
		else yield* this.#linked();
	}

	*#linked(): Generator<{ readonly item: number; readonly isLastOfGroup: boolean }, void, undefined> {
		const next = new Uint32Array(this.#count);
		const last = new Uint32Array(this.#count);
		const isFirst = (item: number): boolean => this.#root(item) === item;
		for (let item = 0; item < this.#count; item++) {
			const root = this.#root(item);
			if (item !== root) next[last[root] ?? 0] = item;
			last[root] = item;
		}
		for (let first = 0; first < this.#count; first++) {
			if (!isFirst(first)) continue;
			for (let item = first; ; item = next[item] ?? 0) {
				const isLastOfGroup = item === last[first];
				yield { item, isLastOfGroup };
				if (isLastOfGroup) break;
			}
		}
	}

	#ownerOf(key: string, item: number): number {
		if (2 * this.#keyCount >= this.#owners.length) this.#grow();
		const [place, mark] = hashesOf(key);
		const size = this.#owners.length;
		for (let slot = place % size; ; slot = (slot + 1) % size) {
			const owner = this.#owners[slot] ?? 0;
			if (owner === 0) {
				this.#hashes[slot] = mark;
				this.#places[slot] = place;
				this.#owners[slot] = item + 1;
				this.#keyCount++;
				return item;
			}
			if (this.#hashes[slot] === mark && this.#places[slot] === place) return owner - 1;
		}
	}

	#grow(): void {
		const [hashes, places, owners] = [this.#hashes, this.#places, this.#owners];
		const size = 2 * owners.length;
		this.#hashes = new Uint32Array(size);
		this.#places = new Uint32Array(size);
		this.#owners = new Uint32Array(size);
		owners.forEach((owner, at) => {
			if (owner === 0) return;
			let slot = (places[at] ?? 0) % size;
			while (this.#owners[slot] !== 0) slot = (slot + 1) % size;
			this.#owners[slot] = owner;
			this.#hashes[slot] = hashes[at] ?? 0;
			this.#places[slot] = places[at] ?? 0;
		});
	}

	/** The first item of a group stands for it. */
	#join(a: number, b: number): void {
		this.#isPlain = false;
		const [one, other] = [this.#root(a), this.#root(b)];
		this.#parent[Math.max(one, other)] = Math.min(one, other);
	}

	#root(item: number): number {
		let root = item;
		while (this.#parent[root] !== root) root = this.#parent[root] ?? root;
		for (let at = item; at !== root; ) {
			const above = this.#parent[at] ?? root;
			this.#parent[at] = root;
			at = above;
		}
		return root;
	}
}

const FIRST_SIZE = 1_024;

function longer(list: Uint32Array): Uint32Array<ArrayBuffer> {
	const copy = new Uint32Array(2 * list.length);
	copy.set(list);
	return copy;
}

/** Two hashes of 32 bits that know little of each other (FNV-1a, and a multiplicative one). */
function hashesOf(key: string): [number, number] {
	let a = 0x811c9dc5;
	let b = 0x9e3779b9;
	for (let at = 0; at < key.length; at++) {
		const code = key.charCodeAt(at);
		a = Math.imul(a ^ code, 0x01000193);
		b = Math.imul(b + code, 0x85ebca6b) ^ (b >>> 13);
	}
	return [a >>> 0, b >>> 0];
}
