import fc from 'fast-check';
import { canonicalJson, type Json } from '../../src/core/canonical-json';
import type { ChangeEvent } from '../../src/core/change-event';
import type { PolicyInForce } from '../../src/core/observe';
import type { Row } from '../../src/core/mapping';
import { LinkStory, MAC_KEY } from '../support/link-story';
import { simulatedPolicy } from '../support/simulated-policy';

/**
 * What users changed before any of our writes came: whichever system is heard first, however many
 * changes are heard between two decisions and whichever write is tried in between, the end is the same.
 */

const SYSTEMS = ['crm', 'billing', 'shop'];

interface Edit {
	readonly system: string;
	readonly value: Json;
	/** After the edit before it, by clocks that agree. */
	readonly laterMs: number;
}

/** Hear the next change of a system, decide, or try the write that is in flight to it. */
interface Step {
	readonly do: 'hear' | 'decide' | 'write';
	readonly system: string;
}

/** One record in databases that hold the users' edits already, while the sync has heard of none. */
class World {
	readonly #story: LinkStory;
	readonly #rows: Record<string, Row>;
	readonly #unheard = new Map<string, ChangeEvent[]>();
	readonly #tried = new Set<string>();

	constructor(policy: PolicyInForce, base: Json, edits: readonly Edit[]) {
		this.#story = LinkStory.linked(policy, { note: base });
		this.#rows = { ...this.#story.rows };
		let now = 0;
		for (const { system, value, laterMs } of edits) {
			now += laterMs;
			this.#story.feed(system).clockMs = now;
			this.#rows[system] = { ...this.#rows[system], note: value };
			this.#put(system, this.#story.feed(system).update(this.#rows[system]));
		}
	}

	perform({ do: what, system }: Step): void {
		if (what === 'hear') this.#hear(system);
		else if (what === 'write') this.#write(system);
		else this.#story.decide();
	}

	/** Goes on until nothing is left to do. */
	rest(): { readonly notes: readonly Json[]; readonly reviews: number } {
		const { systems } = this.#story.policy.policy;
		for (let round = 0, moved = true; moved; round += 1) {
			if (round > 50) throw new Error('it does not come to rest');
			moved = systems.map((system) => this.#hear(system)).some(Boolean);
			this.#story.decide();
			moved = systems.map((system) => this.#write(system)).some(Boolean) || moved;
		}
		return { notes: systems.map((system) => this.#rows[system]?.['note'] ?? null), reviews: this.#story.reviews.length };
	}

	#hear(system: string): boolean {
		const event = this.#unheard.get(system)?.shift();
		if (event) this.#story.observe(event);
		return event !== undefined;
	}

	#write(system: string): boolean {
		const op = this.#story.state.inFlight[system];
		if (op === undefined || this.#tried.has(op.id)) return false;
		this.#tried.add(op.id);
		const { expected = null, next = null } = op.fields['note'] ?? {};
		const isAsExpected = canonicalJson(this.#rows[system]?.['note'] ?? null) === canonicalJson(expected);
		if (isAsExpected) this.#rows[system] = { ...this.#rows[system], note: next };
		const outcome = isAsExpected ? { row: { ...this.#rows[system] } } : { outcome: 'stale' as const };
		this.#put(system, this.#story.feed(system).echo(op, MAC_KEY, outcome));
		return true;
	}

	#put(system: string, event: ChangeEvent): void {
		this.#unheard.set(system, [...(this.#unheard.get(system) ?? []), event]);
	}
}

const step: fc.Arbitrary<Step> = fc.record({
	do: fc.constantFrom('hear' as const, 'hear' as const, 'decide' as const, 'write' as const),
	system: fc.constantFrom(...SYSTEMS),
});
const schedule = fc.array(step, { maxLength: 25, size: 'max' });

/** No value twice, and none that stood there before: what was set back looks untouched to a compare-and-set. */
function editsOf(values: readonly Json[], perSystem: number): fc.Arbitrary<readonly Edit[]> {
	const edit = fc.record({
		system: fc.constantFrom(...SYSTEMS),
		value: fc.constantFrom(...values),
		laterMs: fc.constantFrom(1_000, 2_000),
	});
	return fc.uniqueArray(edit, { maxLength: 7, selector: ({ value }) => canonicalJson(value) }).map((edits) =>
		edits.filter((one, index) => edits.slice(0, index).filter(({ system }) => system === one.system).length < perSystem),
	);
}

const NUMBERS = ['1', '2', '3', '5', '6', '7', '8'];
const TEXTS = ['a', 'bb', 'cc', 'ddd', 'ddde', '', 'f'];
const SETS = [['a', 'b', 'c'], ['a'], ['b', 'd'], [], ['a', 'b', 'd', 'e'], ['e'], ['b']];

describe('the order in which changes are heard decides nothing', () => {
	test.each<[string, Json, readonly Json[], number]>([
		['prefer(crm)', '4', NUMBERS, 3],
		['prefer(shop)', '4', NUMBERS, 3],
		['latest(500ms)', '4', NUMBERS, 3],
		['delta', '4', NUMBERS, 3],
		['max', '4', NUMBERS, 1],
		['min', '4', NUMBERS, 1],
		['longest', 'xx', TEXTS, 1],
		['union', ['a', 'b'], SETS, 1],
	])('under %s', (resolve, base, values, perSystem) => {
		const policy = simulatedPolicy(SYSTEMS, { note: { owner: 'shared', resolve } });
		fc.assert(
			fc.property(editsOf(values, perSystem), schedule, schedule, (edits, one, other) => {
				const [first, second] = [one, other].map((steps) => {
					const world = new World(policy, base, edits);
					for (const next of steps) world.perform(next);
					return world.rest();
				});
				expect(second).toEqual(first);
				expect(new Set(first?.notes.map(canonicalJson)).size).toBe(1);
			}),
			{ numRuns: 60 },
		);
	});
});
