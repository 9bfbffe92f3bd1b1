import { transitionsFrom } from './actions';
import { Model } from './model';
import { isQuiescent, wrongAtRest } from './quiescence';
import type { Setup } from './setup';
import type { World } from './world';

export interface SearchResult {
	readonly setup: string;
	readonly states: number;
	readonly transitions: number;
	readonly seconds: number;
	/** `OK`: every state was looked at. `BOUND`: none was wrong among those looked at. */
	readonly verdict: 'OK' | 'BOUND' | 'VIOLATION' | 'STUCK' | 'LIVELOCK';
	/** What is wrong, in words. */
	readonly problem: string | null;
	/** How it comes about, shortest way. */
	readonly timeline: readonly string[];
}

interface Node {
	/** Null once its successors are known: it is only needed for them. */
	world: World | null;
	readonly parent: number;
	readonly by: number;
}

/** The states of one search, numbered in the order in which they were found. */
class Graph {
	readonly nodes: Node[] = [];
	readonly quiescent: number[] = [];
	/** Edges that are no faults, as pairs (from, to). */
	readonly from: number[] = [];
	readonly to: number[] = [];
	transitions = 0;
	readonly #ids = new Map<string, number>();

	add(key: string, node: Node): { id: number; isNew: boolean } {
		const known = this.#ids.get(key);
		if (known !== undefined) return { id: known, isNew: false };
		const id = this.nodes.push(node) - 1;
		this.#ids.set(key, id);
		return { id, isNew: true };
	}
}

/**
 * Looks at every state that a setup can reach, breadth first, and checks that no step does
 * anything forbidden, that every quiescent state keeps the invariants, and that from every state a
 * quiescent one can be reached without counting on a fault.
 */
export function search(setup: Setup, maxStates = 1_000_000): SearchResult {
	const started = performance.now();
	const model = new Model(setup);
	const graph = new Graph();
	const first = model.start();
	graph.add(model.worlds.key(first), { world: first, parent: -1, by: -1 });
	const found = explore(model, graph, maxStates) ?? unsettled(graph, maxStates);
	const all = graph.nodes.length >= maxStates ? 'BOUND' : 'OK';
	return {
		setup: setup.name,
		states: graph.nodes.length,
		transitions: graph.transitions,
		seconds: (performance.now() - started) / 1000,
		verdict: found?.verdict ?? all,
		problem: found?.problem ?? null,
		timeline: found ? timelineTo(setup, graph, found.at) : [],
	};
}

interface Finding {
	readonly verdict: 'VIOLATION' | 'STUCK' | 'LIVELOCK';
	readonly problem: string;
	readonly at: number;
}

function explore(model: Model, graph: Graph, maxStates: number): Finding | null {
	for (let id = 0; id < graph.nodes.length && graph.nodes.length < maxStates; id += 1) {
		const node = graph.nodes[id];
		if (!node?.world) continue;
		const { world } = node;
		node.world = null;
		if (world.facts.violation !== null) return { verdict: 'VIOLATION', problem: world.facts.violation, at: id };
		const next = transitionsFrom(model, world);
		if (isQuiescent(model, world)) {
			const wrong = wrongAtRest(model, world);
			if (wrong !== null) return { verdict: 'VIOLATION', problem: wrong, at: id };
			graph.quiescent.push(id);
		} else if (!next.some(({ fault }) => !fault)) {
			return { verdict: 'STUCK', problem: 'nothing more can happen, and it is not done', at: id };
		}
		next.forEach(({ to, fault }, by) => {
			const added = graph.add(model.worlds.key(to), { world: to, parent: id, by });
			graph.transitions += 1;
			if (fault) return;
			graph.from.push(id);
			graph.to.push(added.id);
		});
	}
	return null;
}

/** A state from which no quiescent one can be reached. */
function unsettled(graph: Graph, maxStates: number): Finding | null {
	if (graph.nodes.length >= maxStates) return null; // What was not looked at might lead out.
	const reaches = new Uint8Array(graph.nodes.length);
	const before = predecessors(graph);
	const open = [...graph.quiescent];
	for (const id of open) reaches[id] = 1;
	for (let id = open.pop(); id !== undefined; id = open.pop()) {
		for (let at = before.start[id] ?? 0; at < (before.start[id + 1] ?? 0); at += 1) {
			const earlier = before.ids[at] ?? 0;
			if (reaches[earlier]) continue;
			reaches[earlier] = 1;
			open.push(earlier);
		}
	}
	const lost = reaches.indexOf(0);
	if (lost < 0) return null;
	return { verdict: 'LIVELOCK', problem: 'from here on it never comes to rest', at: trapAfter(graph, lost) };
}

/** A state deep in the trap: the way on from the last one found leads no further down. */
function trapAfter({ from, to }: Graph, start: number): number {
	const next = new Map<number, number[]>();
	from.forEach((id, edge) => {
		const list = next.get(id);
		if (list) list.push(to[edge] ?? 0);
		else next.set(id, [to[edge] ?? 0]);
	});
	let ahead = reachable(next, start);
	for (;;) {
		const further = reachable(next, Math.max(...ahead));
		if (further.size === ahead.size) return Math.min(...ahead);
		ahead = further;
	}
}

function reachable(next: ReadonlyMap<number, readonly number[]>, start: number): Set<number> {
	const seen = new Set([start]);
	for (const id of seen) for (const ahead of next.get(id) ?? []) seen.add(ahead);
	return seen;
}

/** For each node, where its predecessors stand in one long list. */
function predecessors({ nodes, from, to }: Graph): { start: Uint32Array; ids: Uint32Array } {
	const start = new Uint32Array(nodes.length + 1);
	for (const id of to) start[id + 1] = (start[id + 1] ?? 0) + 1;
	for (let id = 0; id < nodes.length; id += 1) start[id + 1] = (start[id + 1] ?? 0) + (start[id] ?? 0);
	const next = start.slice();
	const ids = new Uint32Array(to.length);
	to.forEach((id, edge) => {
		const place = next[id] ?? 0;
		ids[place] = from[edge] ?? 0;
		next[id] = place + 1;
	});
	return { start, ids };
}

/** The steps that lead to a state, told by going the way again. */
function timelineTo(setup: Setup, { nodes }: Graph, at: number): string[] {
	const choices: number[] = [];
	for (let id = at; id > 0; id = nodes[id]?.parent ?? 0) choices.unshift(nodes[id]?.by ?? 0);
	const model = new Model(setup);
	let world = model.start();
	return choices.map((by, index) => {
		const step = transitionsFrom(model, world)[by];
		if (!step) throw new Error('the model is not deterministic');
		world = step.to;
		return `${index + 1}. ${step.text}`;
	});
}
