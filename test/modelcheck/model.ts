import { MemoryState } from '../../src/store/memory-state';
import type { MemoryData } from '../../src/store/memory-data';
import { STREAM_START } from '../../src/core/position';
import { emptyDatabase, acknowledge, type SimulatedDatabase } from '../support/simulated-database';
import { userTransaction } from '../support/simulated-users';
import { observeOnce, decideOnce } from '../support/simulated-nodes';
import { SIMULATED_POLICY } from '../support/simulated-policy';
import { SYSTEMS, type Setup } from './setup';
import { Worlds, withoutHistory, type World } from './world';

/** A setup with what the search remembers while it works on it. */
export class Model {
	readonly worlds = new Worlds();
	readonly #store = new MemoryState({ now: () => 0, graceMs: 0 });
	readonly #memo = new Map<string, unknown>();

	constructor(readonly setup: Setup) {}

	get macKey(): string {
		return this.#store.load({ policy: SIMULATED_POLICY }).policy?.macKey ?? '';
	}

	/** Runs a step over a store's data; the data it leaves behind has no history. */
	onStore<T>(data: MemoryData, step: (store: MemoryState) => T): { store: MemoryData; result: T } {
		this.#store.restore(data);
		const result = step(this.#store);
		const store = this.worlds.intern({ ...EMPTY, store: withoutHistory(this.#store.snapshot()) }).store;
		return { store, result };
	}

	/** The result of a pure step, computed once for equal arguments. */
	once<T>(key: string, compute: () => T): T {
		const known = this.#memo.get(key);
		if (known !== undefined) return known as T;
		const result = compute();
		this.#memo.set(key, result);
		return result;
	}

	/** Both systems hold the setup's records, linked, quiet, everything acknowledged. */
	start(): World {
		const { policy, records, rules } = this.setup;
		const { document, name } = policy.policy;
		this.#store.publishPolicy({ name, document, hash: policy.hash, by: 'model', initialMode: 'live' });
		let dbs: SimulatedDatabase[] = [emptyDatabase('crm', 1), emptyDatabase('billing', 101)];
		for (const system of SYSTEMS) {
			const about = { slot: system, systemId: system, timeline: 1, filterHash: '', snapshot: 'none' as const };
			this.#store.registerStream({ policy: name, system, start: STREAM_START, ...about });
		}
		dbs = dbs.map((db) => {
			const inserts = records.map((fields) => ({ do: 'insert' as const, fields }));
			const rule = rules[db.system];
			if (!rule) throw new Error(`no rules for ${db.system}`);
			const filled = userTransaction(db, inserts, { rules: rule, nextId: () => -1 }).db;
			observeOnce(this.#store, { policy: name, system: db.system, events: filled.log });
			return withoutAuthors(acknowledge(filled, filled.lastPosition));
		});
		const links = [...(this.#store.snapshot().policies.get(name)?.links.keys() ?? [])];
		decideOnce(this.#store, { policy: name, links });
		const [crm, billing] = dbs;
		if (!crm || !billing) throw new Error('two systems are needed');
		const store = withoutHistory(this.#store.snapshot());
		return this.worlds.intern({ ...EMPTY, crm, billing, store });
	}
}

const NOTHING = { policies: new Map(), claims: new Map(), lastToken: 0 };

const EMPTY: World = {
	crm: emptyDatabase('crm', 1),
	billing: emptyDatabase('billing', 101),
	store: NOTHING,
	runs: { crm: null, billing: null },
	zombies: [],
	facts: {
		next: { crm: 0, billing: 0 },
		faults: 0,
		acts: 0,
		truth: {},
		named: [],
		netZero: [],
		violation: null,
	},
};

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
