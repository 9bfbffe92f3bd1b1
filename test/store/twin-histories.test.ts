import fc from 'fast-check';
import type { Json } from '../../src/core/canonical-json';
import { EXISTENCE } from '../../src/core/link';
import { replay } from '../../src/core/replay';
import type { Choice } from '../../src/core/resolve';
import { twinsOf } from '../../src/core/twins';
import { resolveReview } from '../../src/store/resolve-review';
import type { StoredReview } from '../../src/core/review';
import { wrongLink, wrongRows } from '../support/at-rest';
import { type Command, commandOf, perform } from '../support/simulated-commands';
import { SIMULATED_ENTITY, SIMULATED_POLICY, simulatedEntity, simulatedPolicy } from '../support/simulated-policy';
import { SimulatedSync } from '../support/simulated-sync';

/** More with PROPERTY_RUNS=1000. A failure prints its seed, and PROPERTY_SEED gives the same histories again. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25);
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const TIME_LIMIT_MS = Number(process.env['PROPERTY_MS'] ?? 40_000);

beforeAll(() => void jest.spyOn(Math, 'random').mockReturnValue(0));
afterAll(() => void jest.restoreAllMocks());

const NAMES: Json[] = ['Acme Inc', 'ACME Incorporated', 'Acme', 'Zeta', null];

interface History {
	readonly systems: readonly string[];
	/** By system: records that only this one has, when the sync begins. */
	readonly given: readonly (readonly Json[])[];
	readonly commands: readonly Command[];
	readonly answers: readonly { readonly which: number; readonly choice: Choice }[];
}

const choice = fc.constantFrom<Choice>({ kind: 'approve' }, { kind: 'approve' }, { kind: 'reject' }, { kind: 'retry' }, { kind: 'dismiss' });
const histories: fc.Arbitrary<History> = fc.record({
	systems: fc.constantFrom(['crm', 'billing'], ['crm', 'billing', 'shop']),
	given: fc.array(fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }), { minLength: 3, maxLength: 3 }),
	commands: fc.array(commandOf({ fields: ['note'], unique: false, values: NAMES, moves: true }), { maxLength: 50, size: 'max' }),
	answers: fc.array(fc.record({ which: fc.nat({ max: 5 }), choice }), { maxLength: 8 }),
});

/** Each name is a record of its own, and no two have a match key in common. */
function givenTo(sync: SimulatedSync, { systems, given }: History): void {
	systems.forEach((system, at) => {
		for (const [index, note] of (given[at] ?? []).entries()) {
			sync.user(system, [{ do: 'insert', fields: { ref: `${system}-${index}`, note } }]);
		}
	});
}

/** Nothing is decided before all systems have been read, as at first contact. */
async function observeAll(sync: SimulatedSync): Promise<void> {
	for (const system of sync.options.systems) sync.emit(system, 100);
	while (sync.executions[0]) await sync.step(sync.executions[0]);
}

async function checkRest(sync: SimulatedSync): Promise<void> {
	const settles = await sync.pump();
	expect(sync.watch.violations).toEqual([]);
	expect(settles).toBe(true);
	const { systems, policy } = sync.options;
	const dbs = Object.fromEntries(systems.map((system) => [system, sync.db(system)]));
	const states = sync.links().map(({ state }) => state);
	const world = { entity: simulatedEntity(policy), dbs, others: states };
	const wrong = states.map((state) => wrongLink(state, world));
	expect([...wrong, wrongRows(states, dbs, sync.watch.acts > 0)].filter((one) => one !== null)).toEqual([]);
	const entries = await sync.store.readJournal({ policy: SIMULATED_POLICY, limit: 100_000 });
	for (const state of states) {
		const own = entries.filter(({ link }) => link === state.id);
		expect(replay(own, (hash) => (hash === policy.hash ? policy : undefined))).toEqual(state);
	}
	checkQuestions(sync);
}

/** Nobody waits for an answer to a question that nobody has been asked, or that has lost its sense. */
function checkQuestions(sync: SimulatedSync): void {
	const states = sync.links().map(({ state }) => state);
	const open = new Set(sync.openReviews().map(({ id }) => id));
	for (const state of states) {
		const frozen = state.fields[EXISTENCE]?.frozen;
		if (frozen?.twin === undefined) continue;
		const twin = twinsOf(state, states, simulatedEntity(sync.options.policy)).find(({ link }) => link === frozen.twin);
		expect({ id: state.id, isAsked: open.has(frozen.review), fits: twin?.fits }).toEqual({ id: state.id, isAsked: true, fits: true });
	}
}

test('whatever is answered to the question whether two records are one, nobody waits for ever, and nothing is lost or doubled', async () => {
	await fc.assert(
		fc.asyncProperty(histories, async (history) => {
			const { systems } = history;
			const fields = { note: { owner: 'shared', resolve: 'prefer(crm)' } };
			const policy = simulatedPolicy(systems, fields, 'review', { similar: { fields: ['note'] } });
			const sync = new SimulatedSync({ systems, policy, rules: {}, checksCausality: false });
			await sync.start('first-contact');
			givenTo(sync, history);
			await observeAll(sync);
			await sync.store.setMode(SIMULATED_POLICY, 'live');
			for (const command of history.commands) await perform(sync, command);
			await checkRest(sync);
			for (const { which, choice: answer } of history.answers) {
				const open = sync.openReviews();
				const review = open[which % Math.max(1, open.length)];
				if (review) await sync.answer(review.id, answer);
				await checkRest(sync);
			}
		}),
		{ numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: TIME_LIMIT_MS },
	);
});

test('two records that resemble each other are one after a yes, and two after a no, in every system once', async () => {
	for (const kind of ['approve', 'reject'] as const) {
		const systems = ['crm', 'billing'];
		const fields = { note: { owner: 'shared', resolve: 'prefer(crm)' } };
		const policy = simulatedPolicy(systems, fields, 'review', { similar: { fields: ['note'] } });
		const sync = new SimulatedSync({ systems, policy, rules: {} });
		await sync.start('first-contact');
		sync.user('crm', [{ do: 'insert', fields: { ref: 'a', note: 'Acme Inc' } }]);
		sync.user('billing', [{ do: 'insert', fields: { ref: 'b', note: 'ACME Incorporated' } }]);
		await observeAll(sync);
		await checkRest(sync);
		const [review, ...more] = sync.openReviews();
		expect([review?.kind, more]).toEqual(['identity', []]);
		await sync.answer(review?.id ?? '', { kind });
		await checkRest(sync);
		const rows = systems.map((system) => Object.values(sync.db(system).rows).map(({ columns }) => columns['ref']).sort());
		expect(rows).toEqual(kind === 'approve' ? [['a'], ['a']] : [['a', 'b'], ['a', 'b']]);
		expect(sync.openReviews()).toEqual([]);
		expect(sync.links().filter(({ state }) => state.entity === SIMULATED_ENTITY && state.into === undefined)).toHaveLength(rows[0]?.length ?? 0);
	}
});

test('who is asked sees both records, and is asked anew when one of them changes', async () => {
	const fields = { note: { owner: 'shared', resolve: 'prefer(crm)' } };
	const policy = simulatedPolicy(['crm', 'billing'], fields, 'review', { similar: { fields: ['note'] } });
	const sync = new SimulatedSync({ systems: ['crm', 'billing'], policy, rules: {} });
	await sync.start('first-contact');
	sync.user('crm', [{ do: 'insert', fields: { ref: 'a', note: 'Acme Inc' } }]);
	sync.user('billing', [{ do: 'insert', fields: { ref: 'b', note: 'ACME Incorporated' } }]);
	await observeAll(sync);
	await checkRest(sync);
	const read = async () => (await sync.store.listReviews({ state: 'open', limit: 9 }))[0];
	const before = await read();
	const values = ({ detail }: StoredReview): unknown => {
		const { resembles } = detail as { resembles: { percent: number; values: object; twin: { keys: object; values: object } } };
		return [resembles.percent, ...[resembles.values, resembles.twin.values].map((one) => JSON.stringify(one)).sort(), Object.keys(resembles.twin.keys).length];
	};
	expect(before && values(before)).toEqual([91, '{"note":"ACME Incorporated"}', '{"note":"Acme Inc"}', 1]);
	for (const [system, record, note] of [['crm', 'a', 'Acme Inc.'], ['billing', 'b', 'ACME Incorp']] as const) {
		const was = await read();
		sync.user(system, [{ do: 'set', record, fields: { note } }]);
		await checkRest(sync);
		const is = await read();
		expect(is?.id).toBe(was?.id);
		expect(is?.token).not.toBe(was?.token);
	}
	const after = await read();
	expect(after && values(after)).toEqual([95, '{"note":"ACME Incorp"}', '{"note":"Acme Inc."}', 1]);
});

test('the question takes yes or no, with the token of what was seen, and only while both are what they were', async () => {
	const fields = { note: { owner: 'shared', resolve: 'prefer(crm)' } };
	const policy = simulatedPolicy(['crm', 'billing'], fields, 'review', { similar: { fields: ['note'] } });
	const sync = new SimulatedSync({ systems: ['crm', 'billing'], policy, rules: {} });
	await sync.start('first-contact');
	sync.user('crm', [{ do: 'insert', fields: { ref: 'a', note: 'Acme Inc' } }]);
	sync.user('billing', [{ do: 'insert', fields: { ref: 'b', note: 'ACME Incorporated' } }]);
	await observeAll(sync);
	await checkRest(sync);
	const [item] = await sync.store.listReviews({ state: 'open', limit: 9 });
	const say = async (answer: Choice, token = item?.token ?? '') =>
		await resolveReview(sync.store, { review: item?.id ?? '', token, by: 'ann', choice: answer });
	await expect(say({ kind: 'dismiss' })).rejects.toMatchObject({ code: 'INVALID_RESOLUTION' });
	await expect(say({ kind: 'approve' }, 'of yesterday')).rejects.toMatchObject({ code: 'REVIEW_CHANGED' });
	// The other record is deleted, and nobody has decided about that yet.
	sync.user('billing', [{ do: 'delete', record: 'b' }]);
	sync.user('crm', [{ do: 'delete', record: 'a' }]);
	await sync.store.setMode(SIMULATED_POLICY, 'stopped');
	await observeAll(sync);
	await expect(say({ kind: 'approve' })).rejects.toMatchObject({ code: 'REVIEW_CHANGED' });
	await checkRest(sync);
	await expect(say({ kind: 'approve' })).rejects.toMatchObject({ code: 'REVIEW_CLOSED' });
});
