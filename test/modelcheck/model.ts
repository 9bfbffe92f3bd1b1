import { STREAM_START } from '../../src/core/position';
import type { LinkState } from '../../src/core/link';
import type { LinkRecord, MemoryData } from '../../src/store/memory-data';
import { MemoryState } from '../../src/store/memory-state';
import { acknowledge, emptyDatabase, type DatabaseRules, type SimulatedDatabase } from '../support/simulated-database';
import { decideOnce, observeOnce } from '../support/simulated-nodes';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { userTransaction } from '../support/simulated-users';
import type { Setup } from './setup';
import { withoutHistory, Worlds, type Facts, type World } from './world';

/** A setup with what the search remembers while it works on it. */
export class Model {
	readonly worlds = new Worlds();
	readonly #store = new MemoryState({ now: () => 0, graceMs: 0 });
	readonly #memo = new Map<string, unknown>();

	constructor(readonly setup: Setup) {}

	/** The result of a pure step, computed once for equal arguments. */
	once<T>(key: string, compute: () => T): T {
		const known = this.#memo.get(key);
		if (known !== undefined) return known as T;
		const result = compute();
		this.#memo.set(key, result);
		return result;
	}

	/** Runs a step over a store's data. What it leaves behind has no history. */
	onStore<T>(data: MemoryData, step: (store: MemoryState) => T): { store: MemoryData; result: T } {
		this.#store.restore(data);
		const result = step(this.#store);
		return { store: withoutHistory(this.#store.snapshot()), result };
	}

	rulesOf(system: string): DatabaseRules {
		const rules = this.setup.rules[system];
		if (!rules) throw new Error(`no rules for ${system}`);
		return rules;
	}

	/** All systems hold the setup's records, linked, quiet, everything acknowledged. */
	start(): World {
		const { systems, policy } = this.setup;
		const { document, name } = policy.policy;
		this.#store.restore({ policies: new Map(), claims: new Map(), lastToken: 0 });
		this.#store.publishPolicy({ name, document, hash: policy.hash, by: 'model', initialMode: 'live' });
		for (const system of systems) {
			const about = { slot: system, systemId: system, timeline: 1, filterHash: '' };
			this.#store.registerStream({ policy: name, system, start: STREAM_START, snapshot: 'none', ...about });
		}
		const dbs = systems.map((system, index) => [system, this.#filled(system, 100 * index + 1)] as const);
		const links = [...(this.#store.snapshot().policies.get(name)?.links.keys() ?? [])];
		decideOnce(this.#store, { policy: name, links });
		return this.worlds.intern({
			dbs: Object.fromEntries(dbs),
			store: withoutHistory(this.#store.snapshot()),
			runs: Object.fromEntries(systems.map((system) => [system, null])),
			zombies: [],
			facts: { ...NOTHING_DONE, next: Object.fromEntries(systems.map((system) => [system, 0])) },
		});
	}

	#filled(system: string, firstKey: number): SimulatedDatabase {
		const inserts = this.setup.records.map((fields) => ({ do: 'insert' as const, fields }));
		const context = { rules: this.rulesOf(system), nextId: () => 0 };
		const { db } = userTransaction(emptyDatabase(system, firstKey), inserts, context);
		observeOnce(this.#store, { policy: SIMULATED_POLICY, system, events: db.log });
		return withoutAuthors(acknowledge(db, db.lastPosition));
	}
}

const NOTHING_DONE: Facts = {
	next: {},
	faults: 0,
	acts: 0,
	truth: {},
	named: [],
	netZero: [],
	violation: null,
};

/** The ids of due links, sorted. */
export function dueLinks(model: Model, { store }: World): readonly string[] {
	return model.once(`due ${model.worlds.interner.id(store)}`, () =>
		[...linksOf(store)]
			.filter(([, { due }]) => due)
			.map(([id]) => id)
			.sort(),
	);
}

/** All links as stored. */
export function linksOf(store: MemoryData): ReadonlyMap<string, LinkRecord> {
	return store.policies.get(SIMULATED_POLICY)?.links ?? new Map<string, LinkRecord>();
}

export function stateOf({ state }: LinkRecord): LinkState {
	return JSON.parse(state) as LinkState;
}

/** The first values are nobody's. */
function withoutAuthors(db: SimulatedDatabase): SimulatedDatabase {
	const rows = Object.entries(db.rows).map(([key, row]) => {
		const versions = Object.entries(row.versions).map(
			([column, { run }]) => [column, { by: null, past: [], sure: [], run }] as const,
		);
		return [key, { ...row, versions: Object.fromEntries(versions) }] as const;
	});
	return { ...db, rows: Object.fromEntries(rows) };
}
