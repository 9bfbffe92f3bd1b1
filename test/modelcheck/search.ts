import { transitionsFrom } from './actions';
import { Model } from './model';
import { isQuiescent, wrongAtRest } from './quiescence';
import type { Setup } from './setup';
import { StateGraph } from './state-graph';

export interface SearchResult {
	readonly setup: string;
	readonly states: number;
	readonly transitions: number;
	readonly seconds: number;
	/** `OK`: all states were looked at. `BOUND`: too many; none of those looked at was wrong. */
	readonly verdict: 'OK' | 'BOUND' | Finding['verdict'];
	/** What is wrong, in words. */
	readonly problem: string | null;
	/** How it comes about, in as few steps as possible. */
	readonly timeline: readonly string[];
}

interface Finding {
	/**
	 * - `VIOLATION`: something was done that must never happen, or came to rest in a wrong state.
	 * - `STUCK`: nothing more can happen, and it is not done.
	 * - `LIVELOCK`: something can always happen, and it can never come to rest any more.
	 */
	readonly verdict: 'VIOLATION' | 'STUCK' | 'LIVELOCK';
	readonly problem: string;
	/** The state's number. */
	readonly at: number;
}

/**
 * Looks at every state that a setup can reach, breadth first, and checks that no step does
 * anything forbidden, that every quiescent state keeps the invariants, and that from every state a
 * quiescent one can be reached without counting on a fault.
 *
 * @param maxStates - where to give up
 */
export function search(setup: Setup, maxStates: number): SearchResult {
	const started = performance.now();
	const model = new Model(setup);
	const first = model.start();
	const graph = new StateGraph(model.worlds.key(first), first);
	const isComplete = (): boolean => graph.size < maxStates;
	// While states are missing, those that seem to lead nowhere may lead to one of them.
	const found = explore(model, graph, isComplete) ?? (isComplete() ? unsettled(graph) : null);
	return {
		setup: setup.name,
		states: graph.size,
		transitions: graph.transitions,
		seconds: (performance.now() - started) / 1000,
		verdict: found?.verdict ?? (isComplete() ? 'OK' : 'BOUND'),
		problem: found?.problem ?? null,
		timeline: found ? timelineTo(setup, graph.wayTo(found.at)) : [],
	};
}

function explore(model: Model, graph: StateGraph, goesOn: () => boolean): Finding | null {
	for (let at = 0; at < graph.size && goesOn(); at += 1) {
		const world = graph.takeWorld(at);
		const { violation } = world.facts;
		if (violation !== null) return { verdict: 'VIOLATION', problem: violation, at };
		const next = transitionsFrom(model, world);
		if (isQuiescent(model, world)) {
			const wrong = wrongAtRest(model, world);
			if (wrong !== null) return { verdict: 'VIOLATION', problem: wrong, at };
			graph.markQuiescent(at);
		} else if (!next.some(({ fault }) => !fault)) {
			return { verdict: 'STUCK', problem: 'nothing more can happen, and it is not done', at };
		}
		next.forEach(({ to, fault }, by) => graph.add({ key: model.worlds.key(to), world: to, from: at, by, fault }));
	}
	return null;
}

function unsettled(graph: StateGraph): Finding | null {
	const at = graph.trapped();
	if (at === null) return null;
	return { verdict: 'LIVELOCK', problem: 'whatever happens from here on, it never comes to rest', at };
}

/** Goes the way again and tells each step. */
function timelineTo(setup: Setup, way: readonly number[]): string[] {
	const model = new Model(setup);
	let world = model.start();
	return way.map((by, index) => {
		const step = transitionsFrom(model, world)[by];
		if (!step) throw new Error('the model is not deterministic');
		world = step.to;
		return `${index + 1}. ${step.text}`;
	});
}
