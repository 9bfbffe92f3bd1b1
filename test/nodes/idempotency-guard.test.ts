import { IdempotencyGuard } from '../../nodes/IdempotencyGuard/IdempotencyGuard.node';
import { outputNames } from '../support/node-outputs';
import { emptyLink } from '../../src/core/link';
import { findings, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

const NEW = 0;
const DUPLICATE = 1;
const IN_PROGRESS = 2;

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const guard = new IdempotencyGuard();
const items = (...ids: string[]) => ids.map((changeId) => ({ json: { changeId } }));

test('the first item with a key leaves by New with a token, a second one by In Progress', async () => {
	const first = await lab.run(guard, { items: items('a') });
	expect(findings(first.outputs[NEW]?.[0], 'guard')).toMatchObject({
		key: 'a',
		state: 'new',
		token: expect.any(Number),
	});
	const second = await lab.run(guard, { items: items('a') });
	expect(second.outputs.map((output) => output.length)).toEqual([0, 0, 1]);
});

test('of equal keys in one batch the first is new and the others in progress', async () => {
	const { outputs } = await lab.run(guard, { items: items('a', 'b', 'a') });
	expect(outputs[NEW]?.map(({ json }) => json['changeId'])).toEqual(['a', 'b']);
	expect(outputs[IN_PROGRESS]?.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 2 }]);
});

test('a completed key is a duplicate, a released one is new again', async () => {
	const { outputs } = await lab.run(guard, { items: items('done', 'failed') });
	const [done, failed] = outputs[NEW] ?? [];
	const completed = await lab.run(guard, {
		items: done ? [done] : [],
		parameters: { operation: 'complete' },
	});
	expect(findings(completed.outputs[0]?.[0], 'guard')['state']).toBe('completed');
	await lab.run(guard, { items: failed ? [failed] : [], parameters: { operation: 'release' } });
	const again = await lab.run(guard, { items: items('done', 'failed') });
	expect(again.outputs[DUPLICATE]?.map(({ json }) => json['changeId'])).toEqual(['done']);
	expect(again.outputs[NEW]?.map(({ json }) => json['changeId'])).toEqual(['failed']);
});

test('a lease that was over before the work was done is reported, and the later holder keeps the key', async () => {
	const { outputs } = await lab.run(guard, { items: items('a'), parameters: { leaseSeconds: 10 } });
	lab.later(11_000);
	const second = await lab.run(guard, { items: items('a') });
	expect(second.outputs[NEW]).toHaveLength(1);
	const late = await lab.run(guard, {
		items: outputs[NEW] ?? [],
		parameters: { operation: 'complete' },
	});
	expect(findings(late.outputs[0]?.[0], 'guard')['state']).toBe('lost');
	expect(late.hints[0]).toContain('Raise Lease (Seconds)');
});

test('a scope of its own keeps the keys of two guards apart', async () => {
	await lab.run(guard, { items: items('a'), parameters: { scope: 'one' } });
	const { outputs } = await lab.run(guard, { items: items('a'), parameters: { scope: 'two' } });
	expect(outputs[NEW]).toHaveLength(1);
});

test('one store trip for 1, 10 and 200 items', async () => {
	for (const count of [1, 10, 200]) {
		await lab.run(guard, {
			items: items(...Array.from({ length: count }, (_, i) => `${count}-${i}`)),
		});
		expect(lab.trips()).toBe(1);
	}
});

test('an item without a key is refused before anything is claimed', async () => {
	const mixed = [...items('a'), { json: { other: 1 } }];
	await expect(lab.run(guard, { items: mixed })).rejects.toMatchObject({
		message: expect.stringContaining('"Key" of item 1 is empty'),
	});
	expect((await lab.run(guard, { items: items('a') })).outputs[NEW]).toHaveLength(1);
});

test('completing an item that carries no claim says how to keep it on the way', async () => {
	const failure = lab.run(guard, { items: items('a'), parameters: { operation: 'complete' } });
	await expect(failure).rejects.toMatchObject({
		message: expect.stringContaining('Include Other Fields'),
	});
});

test('items of a manual test run pass, and claim nothing', async () => {
	const { outputs } = await lab.run(guard, { items: [{ json: { changeId: 'a', test: true } }] });
	expect(findings(outputs[NEW]?.[0], 'guard')).toEqual({ key: 'a', would: 'claim the key' });
	expect(lab.trips()).toBe(0);
});

test('with a policy, a write whose outcome has been observed is a duplicate, although nobody remembers its claim', async () => {
	const state = { ...emptyLink('l1', 'customer', 1), keys: { crm: { id: '1' } }, numbers: { billing: 3 } };
	const inFlight = { billing: { id: 'l1:billing:3' } as never };
	const base = { expectedRevision: 0, due: false, claims: [], journal: [], reviews: [], stopAt: null };
	await lab.store.commit({ policy: POLICY, links: [{ ...base, state: { ...state, inFlight } }] });
	const keys = ['l1:billing:2', 'l1:billing:3', 'l1:billing:4', 'l2:billing:1', 'evt_1'];
	const { outputs } = await lab.run(guard, { items: items(...keys), parameters: { policy: POLICY } });
	expect(outputs[DUPLICATE]?.map(({ json }) => json['changeId'])).toEqual(['l1:billing:2']);
	expect(outputs[NEW]?.map(({ json }) => json['changeId'])).toEqual(keys.slice(1));
	expect(lab.trips()).toBe(2);
	await lab.store.commit({ policy: POLICY, links: [{ ...base, expectedRevision: 1, state }] });
	const later = await lab.run(guard, { items: items('l1:billing:3'), parameters: { policy: POLICY } });
	expect(later.outputs.map((output) => output.length)).toEqual([0, 1, 0]);
	const elsewhere = await lab.run(guard, { items: items('l1:billing:2') });
	expect(elsewhere.outputs[NEW]).toHaveLength(1);
});

test('an empty item is ignored, and a lease of 0 seconds refused', async () => {
	expect((await lab.run(guard, { items: [{ json: {} }] })).outputs).toEqual([[], [], []]);
	await expect(
		lab.run(guard, { items: items('a'), parameters: { leaseSeconds: 0 } }),
	).rejects.toMatchObject({
		message: '"Lease (Seconds)" must be a whole number of at least 1, not 0',
	});
});

test('the outputs follow the operation', () => {
	expect(outputNames(guard, { operation: 'claim' })).toEqual(['New', 'Duplicate', 'In Progress']);
	expect(outputNames(guard, { operation: 'complete' })).toEqual(['Done']);
	expect(outputNames(guard, { operation: 'release' })).toEqual(['Done']);
});

test('a completed key is remembered for longer than senders repeat an event, unless somebody says otherwise', () => {
	const days = guard.description.properties.find(({ displayName }) => displayName === 'Remember For (Days)');
	expect(days).toMatchObject({ default: 7 });
});
