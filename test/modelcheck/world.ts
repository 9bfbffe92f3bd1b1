import type { ChangeEvent } from '../../src/core/change-event';
import type { Operation } from '../../src/core/link';
import type { Position } from '../../src/core/position';
import { serialise, type MemoryData } from '../../src/store/memory-data';
import type { SimulatedDatabase } from '../support/simulated-database';
import type { TrueWrites } from '../support/true-causality';

/** Everything there is at one moment. Its parts are shared between worlds and never changed. */
export interface World {
	readonly crm: SimulatedDatabase;
	readonly billing: SimulatedDatabase;
	readonly store: MemoryData;
	/** The execution of each system's trigger. */
	readonly runs: { readonly crm: Run | null; readonly billing: Run | null };
	/** Executions that were given up and go on all the same. */
	readonly zombies: readonly Run[];
	readonly facts: Facts;
}

/** What the model knows about a history beside the system under test. */
export interface Facts {
	/** Transactions of each script that are done. */
	readonly next: { readonly crm: number; readonly billing: number };
	readonly faults: number;
	/** Human acts done. */
	readonly acts: number;
	readonly truth: TrueWrites;
	/** Values that the journal names; see `namedBy`. */
	readonly named: readonly string[];
	/** Places where our write replaced a value that had been set back before, and nobody said so yet. */
	readonly netZero: readonly string[];
	/** What went wrong, if something did. */
	readonly violation: string | null;
}

/** One execution of the workflow: a batch of one trigger on its way through the nodes. */
export interface Run {
	readonly system: 'crm' | 'billing';
	readonly step: 'observe' | 'merge' | 'write' | 'acknowledge';
	readonly events: readonly ChangeEvent[];
	/** The last event the trigger emitted, whether it got through or not. */
	readonly emitted: Position | null;
	/** Links that were woken. */
	readonly wakes: readonly string[];
	/** Links that reach Merge. */
	readonly links: readonly string[];
	/** Operations that Sync Write has still to try. */
	readonly ops: readonly Operation[];
}

/**
 * Gives equal parts one identity, so that comparing worlds is comparing numbers. Parts are
 * compared by their text; a part that was seen before costs a look-up.
 */
export class Interner {
	readonly #ids = new WeakMap<object, number>();
	readonly #byText = new Map<string, { id: number; part: object }>();

	/** The first part that was equal to this one. */
	same<T extends object>(part: T, textOf: (part: T) => string = (it) => JSON.stringify(it)): T {
		if (this.#ids.has(part)) return part;
		const text = textOf(part);
		const known = this.#byText.get(text);
		if (known) return known.part as T;
		this.#byText.set(text, { id: this.#byText.size, part });
		this.#ids.set(part, this.#byText.size - 1);
		return part;
	}

	/** Only of what `same` returned. */
	id(part: object): number {
		const id = this.#ids.get(part);
		if (id === undefined) throw new Error('the part has not been interned');
		return id;
	}
}

/** Interns all parts of a world and gives it a key: equal worlds, equal keys. */
export class Worlds {
	readonly interner = new Interner();

	intern(world: World): World {
		const { interner } = this;
		return {
			crm: interner.same(world.crm),
			billing: interner.same(world.billing),
			store: interner.same(world.store, (data) => serialise(data, false)),
			runs: { crm: this.#run(world.runs.crm), billing: this.#run(world.runs.billing) },
			zombies: world.zombies.map((run) => interner.same(run)),
			facts: interner.same(world.facts, (facts) => `facts ${JSON.stringify(facts)}`),
		};
	}

	key({ crm, billing, store, runs, zombies, facts }: World): string {
		const { interner } = this;
		const parts = [crm, billing, store, facts, ...zombies].map((part) => interner.id(part));
		const live = [runs.crm, runs.billing].map((run) => (run === null ? '' : interner.id(run)));
		return [...live, ...parts].join(',');
	}

	#run(run: Run | null): Run | null {
		return run === null ? null : this.interner.same(run);
	}
}

/** Leaves out what counts commits and clocks but has no effect: two ways to the same state are one. */
export function withoutHistory(data: MemoryData): MemoryData {
	const policies = [...data.policies].map(([name, policy]) => {
		const links = [...policy.links].map(
			([id, link]) => [id, { ...link, revision: 1, wakeAtMs: 0, wakes: 0, unattempted: 0 }] as const,
		);
		return [name, { ...policy, links: new Map(links), journal: [] }] as const;
	});
	return { ...data, policies: new Map(policies) };
}
