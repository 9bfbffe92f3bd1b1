import type { World } from './world';

/** The states of one search, numbered in the order in which they were found, and how they follow on each other. */
export class StateGraph {
	transitions = 0;
	readonly #ids = new Map<string, number>();
	/** Kept until the state is looked at: after that only its number matters. */
	readonly #worlds: (World | null)[] = [];
	readonly #parents: number[] = [];
	/** Which of the parent's transitions led here. */
	readonly #by: number[] = [];
	readonly #quiescent: number[] = [];
	/** Edges that are no faults, as pairs. */
	readonly #from: number[] = [];
	readonly #to: number[] = [];

	constructor(key: string, world: World) {
		this.#enter(key, { world, from: -1, by: -1 });
	}

	get size(): number {
		return this.#worlds.length;
	}

	add(edge: { key: string; world: World; from: number; by: number; fault: boolean }): void {
		this.transitions += 1;
		const to = this.#ids.get(edge.key) ?? this.#enter(edge.key, edge);
		if (edge.fault) return;
		this.#from.push(edge.from);
		this.#to.push(to);
	}

	/** The world of a state, which is forgotten here. */
	takeWorld(id: number): World {
		const world = this.#worlds[id];
		if (!world) throw new Error(`state ${id} has been looked at before`);
		this.#worlds[id] = null;
		return world;
	}

	markQuiescent(id: number): void {
		this.#quiescent.push(id);
	}

	/** The transitions to take, one after the other, to get from the first state to this one. */
	wayTo(id: number): number[] {
		const way: number[] = [];
		for (let at = id; at > 0; at = this.#parents[at] ?? 0) way.unshift(this.#by[at] ?? 0);
		return way;
	}

	/** A state from which no quiescent one can be reached, as deep in the trap as can be; null when there is none. */
	trapped(): number | null {
		const back = adjacency(this.size, this.#to, this.#from);
		const settles = reachable(back, this.size, this.#quiescent);
		const first = settles.indexOf(0);
		if (first < 0) return null;
		const forth = adjacency(this.size, this.#from, this.#to);
		let trap = membersOf(reachable(forth, this.size, [first]));
		for (;;) {
			const deeper = membersOf(reachable(forth, this.size, [trap.at(-1) ?? first]));
			if (deeper.length === trap.length) return trap[0] ?? first;
			trap = deeper;
		}
	}

	#enter(key: string, { world, from, by }: { world: World; from: number; by: number }): number {
		const id = this.#worlds.push(world) - 1;
		this.#ids.set(key, id);
		this.#parents.push(from);
		this.#by.push(by);
		return id;
	}
}

/** For each state, where its neighbours stand in one long list. */
interface Adjacency {
	readonly start: Uint32Array;
	readonly neighbours: Uint32Array;
}

function adjacency(size: number, from: readonly number[], to: readonly number[]): Adjacency {
	const start = new Uint32Array(size + 1);
	for (const id of from) start[id + 1] = (start[id + 1] ?? 0) + 1;
	for (let id = 0; id < size; id += 1) start[id + 1] = (start[id + 1] ?? 0) + (start[id] ?? 0);
	const next = start.slice();
	const neighbours = new Uint32Array(from.length);
	from.forEach((id, edge) => {
		const place = next[id] ?? 0;
		neighbours[place] = to[edge] ?? 0;
		next[id] = place + 1;
	});
	return { start, neighbours };
}

/** 1 for each state that can be reached, 0 for the others. */
function reachable({ start, neighbours }: Adjacency, size: number, seeds: readonly number[]): Uint8Array {
	const seen = new Uint8Array(size);
	const open = [...seeds];
	for (const id of open) seen[id] = 1;
	for (let id = open.pop(); id !== undefined; id = open.pop()) {
		for (let at = start[id] ?? 0; at < (start[id + 1] ?? 0); at += 1) {
			const neighbour = neighbours[at] ?? 0;
			if (seen[neighbour]) continue;
			seen[neighbour] = 1;
			open.push(neighbour);
		}
	}
	return seen;
}

function membersOf(seen: Uint8Array): number[] {
	return [...seen.keys()].filter((id) => seen[id] === 1);
}
