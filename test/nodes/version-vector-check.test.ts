import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { VersionVectorCheck } from '../../nodes/VersionVectorCheck/VersionVectorCheck.node';
import { linkedCustomer } from '../support/node-chain';
import { findings, itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

const IN_ORDER = 0;
const CONCURRENT = 1;
const STALE = 2;

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const check = new VersionVectorCheck();

test('a change that has seen what the other side holds is in order', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const { outputs } = await lab.run(check, {
		items: itemsOf(lab.crm.update({ ...crm, note: 'n1' })),
	});
	expect(outputs.map((output) => output.length)).toEqual([1, 0, 0]);
	expect(findings(outputs[IN_ORDER]?.[0], 'versionCheck')).toEqual({ ordering: 'in-order' });
});

test('a field that both sides changed without having seen each other is concurrent', async () => {
	const { crm, billing } = await linkedCustomer(lab, '1');
	const items = itemsOf(
		lab.crm.update({ ...crm, note: 'a' }),
		lab.billing.update({ ...billing, memo: 'b' }),
	);
	const { outputs } = await lab.run(check, { items });
	expect(outputs.map((output) => output.length)).toEqual([0, 1, 1]);
	expect(findings(outputs[CONCURRENT]?.[0], 'echoFilter')['concurrentFields']).toEqual(['note']);
});

test('says that nothing is written as the Echo Filter before it does, without a store trip', async () => {
	await lab.store.setMode(POLICY, 'shadow');
	const seen = await lab.run(new EchoFilter(), { items: itemsOf(lab.crm.insert({ id: '1', email: 'ann@x' })) });
	const { hints } = await lab.run(check, { items: seen.outputs.flat() });
	expect(hints).toEqual([expect.stringContaining('shadow mode')]);
	expect(lab.trips()).toBe(0);
});

test('of several items of one link only the last goes on', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const items = itemsOf(
		lab.crm.update({ ...crm, note: 'n1' }),
		lab.crm.update({ ...crm, note: 'n2' }),
	);
	const { outputs } = await lab.run(check, { items });
	expect(outputs[IN_ORDER]?.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 1 }]);
	expect(outputs[STALE]?.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }]);
});

test('an item whose link is not due is stale', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const { outputs } = await lab.run(check, {
		items: itemsOf(lab.crm.update({ ...crm, unmapped: 'x' })),
	});
	expect(outputs.map((output) => output.length)).toEqual([0, 0, 1]);
});

test('behind Echo Filter it needs no store at all, and leaves what that one found', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const seen = await lab.run(new EchoFilter(), {
		items: itemsOf(lab.crm.update({ ...crm, note: 'n1' })),
	});
	const items = seen.outputs[0] ?? [];
	const { outputs } = await lab.run(check, { items, credentials: {} });
	expect(lab.trips()).toBe(0);
	expect(findings(outputs[IN_ORDER]?.[0], 'echoFilter')).toEqual(findings(items[0], 'echoFilter'));
});

test('alone behind a trigger it observes, in as many store trips for 200 items as for one', async () => {
	const trips = async (count: number): Promise<number> => {
		const events = Array.from({ length: count }, (_, i) =>
			lab.crm.insert({ id: `${count}-${i}`, email: `${count}-${i}@x` }),
		);
		await lab.run(check, { items: itemsOf(...events) });
		const { streams } = await lab.store.load({ policy: POLICY });
		expect(streams['crm']?.position).toBe(events.at(-1)?.source.position);
		return lab.trips();
	};
	expect([await trips(1), await trips(10), await trips(200)]).toEqual([3, 3, 3]);
});

test('a gap is refused here too, when no Echo Filter stands before it', async () => {
	lab.crm.insert({ id: '1', email: 'a@x' });
	const items = itemsOf(lab.crm.insert({ id: '2', email: 'b@x' }));
	await expect(lab.run(check, { items })).rejects.toMatchObject({
		message: expect.stringContaining('never reached this node'),
	});
	const { outputs } = await lab.run(check, { items, continueOnFail: true });
	expect(outputs.map((output) => output.length)).toEqual([0, 0, 1]);
	expect(outputs[STALE]?.[0]?.error).toBeDefined();
});

test('an edited finding counts as none: the item is observed again', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const [item] = itemsOf(lab.crm.update({ ...crm, note: 'n1' }));
	const edited = { json: { ...item?.json, bisync: { echoFilter: { due: 'yes' } } } };
	const { outputs } = await lab.run(check, { items: [edited] });
	expect(outputs[IN_ORDER]).toHaveLength(1);
	expect(lab.trips()).toBeGreaterThan(0);
});

test('an empty item is ignored', async () => {
	expect((await lab.run(check, { items: [{ json: {} }] })).outputs).toEqual([[], [], []]);
});

describe('given vectors, in any flow', () => {
	const parameters = { mode: 'vectors' };
	const order = async (incoming: unknown, stored: unknown): Promise<number> => {
		const items = [{ json: { incoming, stored } as never }];
		const { outputs } = await lab.run(check, { items, parameters, credentials: {} });
		return outputs.findIndex((output) => output.length > 0);
	};

	test('leave by the output of their order', async () => {
		expect(await order({ crm: 2 }, { crm: 1 })).toBe(IN_ORDER);
		expect(await order({ crm: 1 }, { crm: 2 })).toBe(STALE);
		expect(await order({ crm: 1 }, { crm: 1 })).toBe(STALE);
		expect(await order({ crm: 2, billing: 1 }, { crm: 1, billing: 2 })).toBe(CONCURRENT);
		expect(await order('{ "crm": 1 }', '{}')).toBe(IN_ORDER);
	});

	test('that are none are named by label and item, and hold up nothing with Continue On Fail', async () => {
		const items = [
			{ json: { incoming: { crm: -1 }, stored: {} } },
			{ json: { incoming: { crm: 1 }, stored: {} } },
		];
		await expect(lab.run(check, { items, parameters })).rejects.toMatchObject({
			message: expect.stringContaining(
				'"Incoming Version" of item 0 must be an object of whole numbers',
			),
		});
		const { outputs } = await lab.run(check, { items, parameters, continueOnFail: true });
		expect(outputs[IN_ORDER]).toHaveLength(1);
		expect(outputs[STALE]?.[0]?.error?.message).toContain('Incoming Version');
	});
});
