import type { ChangeEvent } from '../../src/core/change-event';
import type { Operation } from '../../src/core/link';
import type { Position } from '../../src/core/position';
import { serialise, type MemoryData } from '../../src/store/memory-data';
import type { SimulatedDatabase } from '../support/simulated-database';
import type { TrueWrites } from '../support/true-causality';

/** Everything there is at one moment. Its parts are shared between worlds and never changed. */
export interface World {
	/** By system, as is everything below that is a record. */
	readonly dbs: Readonly<Record<string, SimulatedDatabase>>;
	readonly store: MemoryData;
	/** The execution of each system's trigger. */
	readonly runs: Readonly<Record<string, Run | null>>;
	/** Executions that were given up and go on all the same. */
	readonly zombies: readonly Run[];
	readonly facts: Facts;
}

/** What the model knows about a history beside the system under test. */
export interface Facts {
	/** Transactions of each script that are done. */
	readonly next: Readonly<Record<string, number>>;
	readonly faults: number;
	/** Human acts done. */
	readonly acts: number;
	readonly truth: TrueWrites;
	/** Values that the journal names; see `namedBy`. Sorted. */
	readonly named: readonly string[];
	/** Places where our write replaced a value that had been set back before, and nobody said so yet. */
	readonly netZero: readonly string[];
	/** What went wrong, if something did. */
	readonly violation: string | null;
}

/** One execution of the workflow: a batch of one trigger on its way through the nodes. */
export interface Run {
	readonly system: string;
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
 * compared by their text; one that was seen before costs a look-up.
 */
export class Interner {
	readonly #ids = new WeakMap<object, number>();
	readonly #byText = new Map<string, object>();

	/** The first part that was equal to this one. */
	same<T extends object>(part: T, textOf: (part: T) => string = (it) => JSON.stringify(it)): T {
		if (this.#ids.has(part)) return part;
		const text = textOf(part);
		const known = this.#byText.get(text);
		if (known) return known as T;
		this.#ids.set(part, this.#byText.size);
		this.#byText.set(text, part);
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
		const run = (one: Run | null): Run | null => (one === null ? null : interner.same(one));
		return {
			dbs: mapValues(world.dbs, (db) => interner.same(db)),
			store: interner.same(world.store, (data) => serialise(data, false)),
			runs: mapValues(world.runs, run),
			zombies: world.zombies.map((zombie) => interner.same(zombie)),
			facts: interner.same(world.facts),
		};
	}

	/** Two zombies are the same two, whichever was given up first. */
	key({ dbs, store, runs, zombies, facts }: World): string {
		const { interner } = this;
		const fixed = [...Object.values(dbs), store, facts].map((part) => interner.id(part));
		const live = Object.values(runs).map((run) => (run === null ? '' : interner.id(run)));
		const lost = zombies.map((zombie) => interner.id(zombie)).sort((a, b) => a - b);
		return [...fixed, ...live, ...lost].join(',');
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

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
	return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
