import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';
import type { StoredJournalEntry } from '../../src/core/journal';
import type { Row } from '../../src/core/mapping';
import { replay } from '../../src/core/replay';
import { wrongLink, wrongRows } from '../support/at-rest';
import {
	answer,
	commandOf,
	letGoOfAll,
	perform,
	type ChoiceKind,
	type Command,
	type CommandOptions,
} from '../support/simulated-commands';
import {
	FIELD_RULES,
	MERGING_RULES,
	SIMULATED_POLICY,
	simulatedEntity,
	simulatedPolicy,
	type DeleteRule,
	type FieldRules,
} from '../support/simulated-policy';
import { SimulatedSync, type SimulatedSyncOptions } from '../support/simulated-sync';

/** More with PROPERTY_RUNS=1000. A failure prints its seed, and PROPERTY_SEED gives the same histories again. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25);
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const TIME_LIMIT_MS = Number(process.env['PROPERTY_MS'] ?? 40_000);

// Workers that meet wait a random while before they try again; here nobody gains anything by waiting.
beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

interface History {
	readonly deletes: DeleteRule;
	readonly note: FieldRules[string];
	readonly phone: FieldRules[string];
	/** What stands in each system before they hear of each other. */
	readonly given: readonly Json[];
	readonly commands: readonly Command[];
	readonly answers: readonly { readonly which: number; readonly choice: ChoiceKind }[];
}

type World = Partial<Omit<SimulatedSyncOptions, 'policy'>> &
	Partial<CommandOptions> & {
		readonly maxLength?: number;
		/** Said of both fields, beside the rule. */
		readonly codec?: string;
		readonly fieldRules?: readonly FieldRules[string][];
	};

function historyIn({ maxLength = 60, fieldRules = FIELD_RULES, ...world }: World): fc.Arbitrary<History> {
	const options = { fields: ['note', 'phone'], unique: false, moves: false, ...world };
	const choice = fc.constantFrom<ChoiceKind>('dismiss', 'retry', 0, 1);
	return fc.record({
		deletes: fc.constantFrom<DeleteRule>('review', 'update-wins', 'delete-wins'),
		note: fc.constantFrom(...fieldRules),
		phone: fc.constantFrom(...fieldRules),
		given: fc.array(fc.constantFrom(...(world.values ?? ['x', 'y'])), { minLength: 3, maxLength: 3 }),
		commands: fc.array(commandOf(options), { maxLength, size: 'max' }),
		answers: fc.array(fc.record({ which: fc.nat({ max: 3 }), choice }), { maxLength: 4 }),
	});
}

async function live(history: History, world: World): Promise<void> {
	const { systems = ['crm', 'billing'], codec, rules = {}, checksCausality = true } = world;
	const about = codec === undefined ? {} : { codec };
	const fields = { note: { ...history.note, ...about }, phone: { ...history.phone, ...about } };
	const policy = simulatedPolicy(systems, fields, history.deletes);
	const sync = new SimulatedSync({ systems, policy, rules, checksCausality });
	await sync.start('first-contact');
	systems.forEach((system, index) => {
		const value = history.given[index] ?? null;
		sync.user(system, [{ do: 'insert', fields: { ref: 'r1', note: value, phone: value } }]);
	});
	for (const command of history.commands) await perform(sync, command);
	await letGoOfAll(sync);
	await rest(sync);
	for (const { which, choice } of history.answers) {
		await answer(sync, which, choice);
		await rest(sync);
	}
}

/** Runs until nothing is left to do, and checks everything that must hold then. */
async function rest(sync: SimulatedSync): Promise<void> {
	const settles = await sync.pump();
	expect(sync.watch.violations).toEqual([]);
	expect(settles).toBe(true);
	const { systems, policy } = sync.options;
	const dbs = Object.fromEntries(systems.map((system) => [system, sync.db(system)]));
	const states = sync.links().map(({ state }) => state);
	const world = { entity: simulatedEntity(policy), dbs, others: states };
	const wrong = states.map((state) => wrongLink(state, world));
	const wasAsked = sync.watch.acts > 0;
	expect([...wrong, wrongRows(states, dbs, wasAsked)].filter((one) => one !== null)).toEqual([]);
	expect(sync.untold()).toEqual([]);
	for (const system of systems) expect(sync.position(system)).toBe(sync.db(system).lastPosition);
	await staysQuiet(sync);
	await replays(sync);
}

/** I6: looking again writes nothing. */
async function staysQuiet(sync: SimulatedSync): Promise<void> {
	const { systems } = sync.options;
	const lengths = systems.map((system) => sync.db(system).lsn);
	for (const system of systems) sync.redeliver(system, 0, 1000);
	expect(await sync.pump()).toBe(true);
	expect(systems.map((system) => sync.db(system).lsn)).toEqual(lengths);
}

/** I9 and I13: the journal tells the whole story, each change once. */
async function replays(sync: SimulatedSync): Promise<void> {
	const { policy } = sync.options;
	const entries = await sync.store.readJournal({ policy: SIMULATED_POLICY, limit: 100_000 });
	for (const { state } of sync.links()) {
		const own = entries.filter(({ link }) => link === state.id);
		expect(replay(own, (hash) => (hash === policy.hash ? policy : undefined))).toEqual(state);
	}
	const places = entries.flatMap(observedPlace);
	expect(new Set(places).size).toBe(places.length);
}

function observedPlace({ entry }: StoredJournalEntry): string[] {
	// What a write of ours did to another record stands in the history of both.
	return entry.kind === 'observed' && entry.change.misdirected === undefined ? [`${entry.change.system} ${entry.change.position}`] : [];
}

const upperCase = (row: Row): Row => {
	const { note } = row;
	return typeof note === 'string' ? { ...row, note: note.toUpperCase() } : row;
};
const noY = ({ phone }: Row): string | null => (phone === 'y' ? 'violates check constraint "no_y"' : null);
const THREE = ['crm', 'billing', 'shop'];

const WORLDS: readonly [string, World][] = [
	['every value is written once', { unique: true, maxLength: 80 }],
	['users often write the same few values', { maxLength: 80 }],
	[
		'a trigger changes what is written, a CHECK refuses some of it, and TOAST columns are left out',
		{ rules: { billing: { trigger: upperCase, refuses: noY }, crm: { toast: ['phone', 'ref'] } } },
	],
	[
		'a row trigger or row security keeps some rows from being updated',
		{ rules: { billing: { blocks: ({ note }) => note === 'z' } } },
	],
	[
		'nothing in the databases keeps records unique',
		{ rules: { crm: { unique: [] }, billing: { unique: [] } } },
	],
	['users change keys and what identifies a record', { moves: true, checksCausality: false }],
	[
		'the same value is spelled in several ways and some cannot be read',
		{ codec: 'decimal(2)', values: ['1', '1.0', '1.00', '2.5', 'n/a', null], checksCausality: false },
	],
	[
		'values are added up or joined',
		{ fieldRules: MERGING_RULES, values: ['1', '2', '3.5', ['x'], ['x', 'y'], ['z'], [], null], checksCausality: false },
	],
	[
		'three systems add values up or join them',
		{ systems: THREE, fieldRules: MERGING_RULES, values: ['1', '2', '3.5', ['x'], ['x', 'y'], ['z'], [], null], checksCausality: false },
	],
	['there are three systems and every value is written once', { systems: THREE, unique: true }],
	['there are three systems and few values', { systems: THREE }],
	['people freeze fields and records for a while', { holds: true }],
	['people say which rows are one record and which are not', { relinks: true, checksCausality: false }],
	['people say which rows are one record and which are not, between three systems', { systems: THREE, relinks: true, checksCausality: false }],
	['people freeze fields and records for a while, between three systems', { systems: THREE, holds: true }],
];

test.each(WORLDS)(
	'systems converge, lose nothing silently and stay quiet whatever happens on the way, when %s',
	async (_, world) => {
		await fc.assert(
			fc.asyncProperty(historyIn(world), (history) => live(history, world)),
			{ numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS },
		);
	},
);

test('a sum that users of all systems add to loses nothing and counts nothing twice', async () => {
	await fc.assert(
		fc.asyncProperty(additionsIn(), async ({ systems, commands }) => {
			const rule = { owner: 'shared', resolve: 'delta' };
			const policy = simulatedPolicy(systems, { note: rule, phone: rule });
			const sync = new SimulatedSync({ systems, policy, checksCausality: false });
			await sync.start('live');
			sync.user(systems[0] ?? '', [{ do: 'insert', fields: { ref: 'r1', note: '100', phone: '0' } }]);
			expect(await sync.pump()).toBe(true);
			for (const command of commands) await perform(sync, command);
			await rest(sync);
			const added = (field: string): number => sum(commands.flatMap((one) => additionsTo(one, field)));
			const expected = { note: String(100 + added('note')), phone: String(added('phone')) };
			for (const system of systems) {
				expect(Object.values(sync.db(system).rows).map(({ columns }) => columns)).toMatchObject([expected]);
			}
		}),
		{ numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS },
	);
});

/** Histories in which users only add, and everything may happen to the sync. */
function additionsIn(): fc.Arbitrary<{ systems: readonly string[]; commands: readonly Command[] }> {
	const add = fc.record({
		do: fc.constant('add' as const),
		record: fc.constant('r1'),
		field: fc.constantFrom('note', 'phone'),
		by: fc.integer({ min: -3, max: 3 }),
	});
	const statements = fc.array(add, { minLength: 1, maxLength: 3 });
	const user = fc.record({ do: fc.constant('user' as const), system: fc.nat({ max: 5 }), statements });
	const other = commandOf({ fields: ['note'], unique: false, moves: false }).filter(({ do: what }) => what !== 'user' && what !== 'answer');
	const command = fc.oneof({ weight: 1, arbitrary: user }, { weight: 4, arbitrary: other });
	return fc.record({
		systems: fc.constantFrom(['crm', 'billing'], THREE),
		commands: fc.array(command, { maxLength: 60, size: 'max' }),
	});
}

function additionsTo(command: Command, field: string): number[] {
	if (command.do !== 'user') return [];
	return command.statements.flatMap((one) => (one.do === 'add' && one.field === field ? [one.by] : []));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
