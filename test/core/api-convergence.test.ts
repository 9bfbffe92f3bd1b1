import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';
import type { StoredMode } from '../../src/core/journal';
import { replay } from '../../src/core/replay';
import { wrongLink, wrongRows } from '../support/at-rest';
import type { ApiRules } from '../support/simulated-api';
import { answer, commandOf, letGoOfAll, perform, type ChoiceKind, type Command } from '../support/simulated-commands';
import { FIELD_RULES, SIMULATED_POLICY, simulatedEntity, simulatedPolicy, type DeleteRule, type FieldRules } from '../support/simulated-policy';
import { SimulatedSync } from '../support/simulated-sync';
import type { Fate } from '../support/simulated-traffic';

/** More with PROPERTY_RUNS=1000. A failure prints its seed, and PROPERTY_SEED gives the same histories again. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25);
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const TIME_LIMIT_MS = Number(process.env['PROPERTY_MS'] ?? 40_000);

// Workers that meet wait a random while before they try again; here nobody gains anything by waiting.
beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

/** What happens around an API, beside what happens anyway. */
type Traffic =
	| { readonly do: 'hook'; readonly which: number; readonly isAgain: boolean }
	| { readonly do: 'task'; readonly which: number; readonly fate: Fate }
	| { readonly do: 'kill'; readonly which: number }
	| { readonly do: 'poll' }
	/** What is under way goes on, and nothing goes wrong for so many steps. */
	| { readonly do: 'go'; readonly steps: number };

interface History {
	/** Mostly everything is written from the beginning on. */
	readonly mode: StoredMode;
	readonly deletes: DeleteRule;
	readonly note: FieldRules[string];
	readonly phone: FieldRules[string];
	readonly given: readonly Json[];
	readonly commands: readonly (Command | Traffic)[];
	readonly answers: readonly { readonly which: number; readonly choice: ChoiceKind }[];
}

interface World {
	readonly rules: ApiRules;
	readonly fieldRules?: readonly FieldRules[string][];
	readonly unique?: boolean;
	readonly systems?: readonly string[];
}

const API = 'crm';

function historyIn({ fieldRules = FIELD_RULES, unique = false }: World): fc.Arbitrary<History> {
	const options = { fields: ['note', 'phone'], unique, moves: false };
	const choice = fc.constantFrom<ChoiceKind>('dismiss', 'retry', 0, 1);
	const which = fc.nat({ max: 5 });
	const fate = fc.oneof({ weight: 6, arbitrary: fc.constant<Fate>('heard') }, { weight: 4, arbitrary: fc.constantFrom<Fate>('lost', 'busy', 'late') });
	const traffic = fc.oneof(
		{ weight: 8, arbitrary: fc.record({ do: fc.constant('hook' as const), which, isAgain: fc.boolean() }) },
		{ weight: 24, arbitrary: fc.record({ do: fc.constant('task' as const), which, fate }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), which }) },
		{ weight: 1, arbitrary: fc.constant<Traffic>({ do: 'poll' }) },
		{ weight: 12, arbitrary: fc.record({ do: fc.constant('go' as const), steps: fc.integer({ min: 1, max: 12 }) }) },
	);
	const command = fc.oneof<[fc.WeightedArbitrary<Command>, fc.WeightedArbitrary<Traffic>]>({ weight: 1, arbitrary: commandOf(options) }, { weight: 1, arbitrary: traffic });
	return fc.record({
		mode: fc.constantFrom<StoredMode>('live', 'live', 'live', 'first-contact'),
		deletes: fc.constantFrom<DeleteRule>('review', 'update-wins', 'delete-wins'),
		note: fc.constantFrom(...fieldRules),
		phone: fc.constantFrom(...fieldRules),
		given: fc.array(fc.constantFrom('x', 'y'), { minLength: 3, maxLength: 3 }),
		commands: fc.array(command, { maxLength: 80, size: 'max' }),
		answers: fc.array(fc.record({ which: fc.nat({ max: 3 }), choice }), { maxLength: 3 }),
	});
}

async function happen(sync: SimulatedSync, command: Command | Traffic): Promise<void> {
	switch (command.do) {
		case 'hook':
			return sync.hook(API, command.which, command.isAgain);
		case 'task':
			return await sync.stepTask(command.which, command.fate);
		case 'kill':
			return sync.killTask(command.which);
		case 'poll':
			return sync.poll(API);
		case 'go':
			return await goOn(sync, command.steps);
		default:
			return await perform(sync, command);
	}
}

async function goOn(sync: SimulatedSync, steps: number): Promise<void> {
	for (let step = 0; step < steps; step += 1) {
		const [open] = sync.executions;
		if (open) await sync.step(open);
		else if (sync.tasks.length > 0) await sync.stepTask(0, 'heard');
		else if (sync.options.systems.every((system) => sync.emit(system, 3) === null)) sync.hook(API, 0, false);
	}
}

async function live(history: History, world: World): Promise<void> {
	const { systems = [API, 'billing'], rules } = world;
	const policy = simulatedPolicy(systems, { note: history.note, phone: history.phone }, history.deletes, { [API]: { api: rules.tier, key: ['id'] } });
	const sync = new SimulatedSync({ systems, policy, apis: { [API]: rules } });
	await sync.start(history.mode);
	systems.forEach((system, index) => {
		const value = history.given[index] ?? null;
		sync.user(system, [{ do: 'insert', fields: { ref: 'r1', note: value, phone: value } }]);
	});
	for (const command of history.commands) await happen(sync, command);
	await letGoOfAll(sync);
	await rest(sync);
	for (const { which, choice } of history.answers) {
		await answer(sync, which, choice);
		await rest(sync);
	}
}

/** Runs until nothing is left to do, the API is asked for everything once more, and checks all that must hold then. */
async function rest(sync: SimulatedSync): Promise<void> {
	await quiesce(sync);
	const { systems, policy } = sync.options;
	const dbs = Object.fromEntries(systems.map((system) => [system, sync.db(system)]));
	const states = sync.links().map(({ state }) => state);
	const world = { entity: simulatedEntity(policy), dbs, others: states };
	const wrong = states.map((state) => wrongLink(state, world));
	expect([...wrong, wrongRows(states, dbs, sync.watch.acts > 0)].filter((one) => one !== null)).toEqual([]);
	expect(sync.untold()).toEqual([]);
	expect(sync.silent()).toEqual([]);
	await staysQuiet(sync);
	await replays(sync);
}

async function quiesce(sync: SimulatedSync): Promise<void> {
	await pump(sync);
	for (let round = 0; round < 4; round += 1) {
		const before = writesIn(sync);
		sync.poll(API);
		await pump(sync);
		if (round > 0 && writesIn(sync) === before) return;
	}
	expect('the systems go on writing').toBe('quiet');
}

async function pump(sync: SimulatedSync): Promise<void> {
	const settles = await sync.pump();
	expect(sync.watch.violations).toEqual([]);
	expect(settles).toBe(true);
}

/** Of an API what its webhooks tell of: a write that finds its place taken changes nothing. */
const writesIn = (sync: SimulatedSync): string =>
	sync.options.systems.map((system) => sync.apis.get(system)?.sent.length ?? sync.db(system).lsn).join(' ');

/** I6: webhooks that come again, and looking again, write nothing. */
async function staysQuiet(sync: SimulatedSync): Promise<void> {
	const before = writesIn(sync);
	const { sent = [] } = sync.apis.get(API) ?? {};
	sent.forEach((_, which) => sync.hook(API, which, true));
	sync.redeliver('billing', 0, 1000);
	await pump(sync);
	expect(writesIn(sync)).toBe(before);
}

/** I9: the journal tells the whole story. */
async function replays(sync: SimulatedSync): Promise<void> {
	const { policy } = sync.options;
	const entries = await sync.store.readJournal({ policy: SIMULATED_POLICY, limit: 100_000 });
	for (const { state } of sync.links()) {
		const own = entries.filter(({ link }) => link === state.id);
		expect(replay(own, (hash) => (hash === policy.hash ? policy : undefined))).toEqual(state);
	}
}

const T1: ApiRules = { tier: 'conditional', hooks: 'whole', versions: true, shows: true, names: true };

const T2: ApiRules = { tier: 'verified', hooks: 'whole', versions: true, shows: false, names: false, history: true, lags: true };
const T3: ApiRules = { tier: 'blind', hooks: 'whole', versions: true, shows: false, names: false };
/** What may be said of a field that is written without any condition. */
const UNSHARED = FIELD_RULES.filter(({ owner, resolve }) => owner !== 'shared' || resolve === 'review');

const WORLDS: readonly [string, World][] = [
	['an API writes on a condition, and webhooks have versions and the whole record', { rules: T1 }],
	['every value is written once', { rules: T1, unique: true }],
	['an API answers without a body, and webhooks bring what has changed', { rules: { ...T1, hooks: 'partial', shows: false, lags: true } }],
	['an API says no versions, and webhooks are only hints', { rules: { ...T1, hooks: 'hint', versions: false, shows: false, names: false }, unique: true }],
	['an API has lagging replicas and names nothing in its answers', { rules: { ...T1, lags: true, names: false } }],
	['an API has no condition, but a history', { rules: T2 }],
	['an API has no condition, but a history, and answers with the record', { rules: { ...T2, shows: true, names: true, lags: false } }],
	['an API has neither condition nor history, and only what others own is written', { rules: T3, fieldRules: UNSHARED }],
];

test.each(WORLDS)(
	'systems converge, lose nothing silently and stay quiet, when %s',
	async (_, world) => {
		await fc.assert(
			fc.asyncProperty(historyIn(world), (history) => live(history, world)),
			{ numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS },
		);
	},
);
