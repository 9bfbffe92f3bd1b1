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
	/** Of the field; undefined: the record is deleted. */
	readonly value: Json | undefined;
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
	/** A system without one has no row. */
	readonly #rows: Record<string, Row | undefined>;
	readonly #unheard = new Map<string, ChangeEvent[]>();
	readonly #tried = new Set<string>();

	constructor(policy: PolicyInForce, base: Json, edits: readonly Edit[]) {
		this.#story = LinkStory.linked(policy, { note: base });
		this.#rows = { ...this.#story.rows };
		let now = 0;
		for (const { system, value, laterMs } of edits) {
			now += laterMs;
			this.#story.feed(system).clockMs = now;
			const row = this.#rows[system];
			if (row === undefined) continue;
			this.#rows[system] = value === undefined ? undefined : { ...row, note: value };
			const feed = this.#story.feed(system);
			this.#put(system, value === undefined ? feed.delete(row) : feed.update({ ...row, note: value }));
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
		return { notes: systems.map((system) => this.#rows[system]?.['note'] ?? 'no row'), reviews: this.#story.reviews.length };
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
		const row = this.#rows[system];
		const isAsExpected = op.kind === 'insert' ? row === undefined : row !== undefined && canonicalJson(row['note'] ?? null) === canonicalJson(expected);
		const feed = this.#story.feed(system);
		if (!isAsExpected) this.#put(system, feed.echo(op, MAC_KEY, { outcome: 'stale' }));
		else if (op.kind === 'delete') {
			this.#rows[system] = undefined;
			this.#put(system, { ...feed.delete({ ...row }), marker: feed.echo(op, MAC_KEY, { row: { ...row } }).marker });
		} else {
			const written = { ...(row ?? { id: `${system}-again`, ref: 'r1' }), note: next };
			this.#rows[system] = written;
			this.#put(system, feed.echo(op, MAC_KEY, { row: written }));
		}
		return true;
	}

	#put(system: string, event: ChangeEvent): void {
		this.#unheard.set(system, [...(this.#unheard.get(system) ?? []), event]);
	}
}

function scheduleOf(systems: readonly string[]): fc.Arbitrary<Step[]> {
	const step = fc.record({
		do: fc.constantFrom('hear' as const, 'hear' as const, 'decide' as const, 'write' as const),
		system: fc.constantFrom(...systems),
	});
	return fc.array(step, { maxLength: 25, size: 'max' });
}
const schedule = scheduleOf(SYSTEMS);

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

	/**
	 * Before a person is asked, the delete may have reached a third system or not: two systems then. Where changes of the field
	 * itself are put before a person, how many questions there are depends on what is heard first, and whether the record stays does not.
	 */
	describe.each<[string, Record<string, Json>]>([
		['an owned field, reverted', { owner: 'crm', onForeignEdit: 'revert' }],
		['an owned field, ignored', { owner: 'crm', onForeignEdit: 'ignore' }],
		['an owned field, reviewed', { owner: 'crm', onForeignEdit: 'review' }],
		['a shared field', { owner: 'shared', resolve: 'prefer(billing)' }],
	])('one deletes the record while others edit %s', (_, rules) => {
		const isReviewed = rules['onForeignEdit'] === 'review';
		// Where the update wins, a reviewed one waits for a person if it is heard first, and with it the record.
		const conflicts = isReviewed ? (['review', 'delete-wins'] as const) : (['review', 'update-wins', 'delete-wins'] as const);
		test.each(conflicts)('deletes: %s', (conflict) => {
			const systems = conflict === 'review' || isReviewed ? SYSTEMS.slice(0, 2) : SYSTEMS;
			const policy = simulatedPolicy(systems, { note: rules }, conflict);
			const edit = fc.record({ system: fc.constantFrom(...systems), value: fc.constantFrom('a', 'b', 'c'), laterMs: fc.constant(1_000) });
			const edits = fc.uniqueArray(edit, { maxLength: 3, selector: ({ system }) => system });
			fc.assert(
				fc.property(edits, fc.constantFrom(...systems), scheduleOf(systems), scheduleOf(systems), (others, deleter, one, other) => {
					const all: Edit[] = [...others.filter(({ system }) => system !== deleter), { system: deleter, value: undefined, laterMs: 0 }];
					const [first, second] = [one, other].map((steps) => {
						const world = new World(policy, 'before', all);
						for (const next of steps) world.perform(next);
						return world.rest();
					});
					const outcome = (end: ReturnType<World['rest']> | undefined) => (isReviewed ? end?.notes.map((note) => note === 'no row') : end);
					expect(outcome(second)).toEqual(outcome(first));
				}),
				{ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) },
			);
		});
	});
});
