import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { emptyLink } from '../../src/core/link';
import { wakeItem } from '../../src/core/wake-item';
import { linkedCustomer, macKeyOf, passOn } from '../support/node-chain';
import { findings, itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

const FOREIGN = 0;
const ECHO = 1;

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const filter = new EchoFilter();

test('a change by a user leaves by Foreign with what was found beside it, and nothing else of it changed', async () => {
	const event = lab.crm.insert({ id: '1', email: 'ann@x', full_name: 'Ann' });
	const { outputs } = await lab.run(filter, { items: itemsOf(event) });
	const [item] = outputs[FOREIGN] ?? [];
	expect(findings(item, 'echoFilter')).toMatchObject({
		disposition: 'foreign',
		due: true,
		concurrentFields: [],
	});
	expect(item?.pairedItem).toEqual({ item: 0 });
	const { bisync: _found, ...rest } = item?.json ?? {};
	const { bisync: _none, ...sent } = event;
	expect(rest).toEqual(JSON.parse(JSON.stringify(sent)));
	expect(outputs[ECHO]).toEqual([]);
});

test.each(['first-contact', 'shadow', 'stopped'] as const)('in mode %s the node says that nothing is written', async (mode) => {
	await lab.store.setMode(POLICY, mode);
	const { outputs, hints } = await lab.run(filter, { items: itemsOf(lab.crm.insert({ id: '1', email: 'ann@x' })) });
	expect(hints).toEqual([expect.stringContaining(mode.replace('-', ' '))]);
	expect(findings(outputs.flat()[0], 'echoFilter')['mode']).toBe(mode);
});

test('of a live policy the node says nothing', async () => {
	const { outputs, hints } = await lab.run(filter, { items: itemsOf(lab.crm.insert({ id: '1', email: 'ann@x' })) });
	expect(hints).toEqual([]);
	expect(findings(outputs[FOREIGN]?.[0], 'echoFilter')).not.toHaveProperty('mode');
});

test('the same item again is a duplicate, and still leaves by Foreign while its link is due', async () => {
	const items = itemsOf(lab.crm.insert({ id: '1', email: 'ann@x' }));
	await lab.run(filter, { items });
	const { outputs } = await lab.run(filter, { items });
	expect(findings(outputs[FOREIGN]?.[0], 'echoFilter')).toMatchObject({
		disposition: 'duplicate',
		due: true,
	});
});

test('our own write coming back leaves by Echo, and so does a change that touches no mapped field', async () => {
	const { crm, billing } = await linkedCustomer(lab, '1');
	const [op] = await passOn(lab, lab.crm.update({ ...crm, note: 'n1' }));
	if (!op) throw new Error('no operation');
	const echo = lab.billing.echo(op, await macKeyOf(lab), { row: { ...billing, memo: 'n1' } });
	const unmapped = lab.crm.update({ ...crm, note: 'n1', updated_at: 'now' });
	const { outputs } = await lab.run(filter, { items: itemsOf(echo, unmapped) });
	expect(outputs[FOREIGN]).toEqual([]);
	expect(outputs[ECHO]?.map((item) => findings(item, 'echoFilter')['disposition'])).toEqual([
		'echo',
		'unchanged',
	]);
});

test('what the target made of our write leaves by Foreign, although it carries our marker', async () => {
	const { crm, billing } = await linkedCustomer(lab, '1');
	const [op] = await passOn(lab, lab.crm.update({ ...crm, note: 'n1' }));
	if (!op) throw new Error('no operation');
	const echo = lab.billing.echo(op, await macKeyOf(lab), { row: { ...billing, memo: 'N1' } });
	const { outputs } = await lab.run(filter, { items: itemsOf(echo) });
	expect(findings(outputs[FOREIGN]?.[0], 'echoFilter')).toMatchObject({
		disposition: 'residual',
		due: true,
	});
});

test('the outcome of a stale write leaves by Foreign when there is something to decide', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const [op] = await passOn(lab, lab.crm.update({ ...crm, note: 'n1' }));
	if (!op) throw new Error('no operation');
	const stale = lab.billing.echo(op, await macKeyOf(lab), { outcome: 'stale' });
	const { outputs } = await lab.run(filter, { items: itemsOf(stale) });
	expect(findings(outputs[FOREIGN]?.[0], 'echoFilter')).toMatchObject({
		disposition: 'outcome',
		due: true,
	});
});

test('a delete of a record that was never seen leaves by Echo', async () => {
	const { outputs } = await lab.run(filter, { items: itemsOf(lab.crm.delete({ id: '404' })) });
	expect(outputs[ECHO]).toHaveLength(1);
	expect(outputs[FOREIGN]).toEqual([]);
});

test('a wake item leaves by Foreign while its link is due, by Echo when the link is unknown', async () => {
	const { outputs } = await lab.run(filter, {
		items: itemsOf(lab.crm.insert({ id: '1', email: 'ann@x' })),
	});
	const link = String(findings(outputs[FOREIGN]?.[0], 'echoFilter')['link']);
	const wakes = [emptyLink(link, 'customer', 1), emptyLink('unknown', 'customer', 1)].map((state) =>
		wakeItem(state, 'crm'),
	);
	const woken = await lab.run(filter, { items: itemsOf(...wakes) });
	expect(findings(woken.outputs[FOREIGN]?.[0], 'echoFilter')).toMatchObject({
		link,
		disposition: 'wake',
		due: true,
	});
	expect(findings(woken.outputs[ECHO]?.[0], 'echoFilter')).toMatchObject({ link: null });
});

test('several items of one link all leave', async () => {
	const items = itemsOf(
		lab.crm.insert({ id: '1', email: 'ann@x' }),
		lab.crm.update({ id: '1', email: 'anna@x' }),
	);
	const { outputs } = await lab.run(filter, { items });
	expect(outputs[FOREIGN]).toHaveLength(2);
});

test('store trips do not grow with the batch', async () => {
	const trips = async (count: number): Promise<number> => {
		const events = Array.from({ length: count }, (_, i) =>
			lab.crm.insert({ id: `${count}-${i}`, email: `${count}-${i}@x` }),
		);
		await lab.run(filter, { items: itemsOf(...events) });
		return lab.trips();
	};
	expect([await trips(1), await trips(10), await trips(200)]).toEqual([3, 3, 3]);
});

test('an empty item from Always Output Data is ignored, and costs no store trip', async () => {
	const { outputs } = await lab.run(filter, { items: [{ json: {} }] });
	expect(outputs).toEqual([[], []]);
	expect(lab.trips()).toBe(0);
});

describe('what is refused is visible', () => {
	test('a change after a missing one fails the execution, naming the range and how many', async () => {
		const first = lab.crm.insert({ id: '1', email: 'a@x' });
		lab.crm.insert({ id: '2', email: 'b@x' });
		const third = lab.crm.insert({ id: '3', email: 'c@x' });
		const failure = lab.run(filter, { items: itemsOf(first, third) });
		await expect(failure).rejects.toMatchObject({
			message: expect.stringMatching(
				/Changes of crm after .* up to .* never reached this node.*\(1 of 2 items refused\)/,
			),
			description: expect.stringContaining('Connect the trigger directly to Echo Filter'),
		});
	});

	test('what could be observed before the gap has been', async () => {
		const first = lab.crm.insert({ id: '1', email: 'a@x' });
		lab.crm.insert({ id: '2', email: 'b@x' });
		await lab
			.run(filter, { items: itemsOf(first, lab.crm.insert({ id: '3', email: 'c@x' })) })
			.catch(() => undefined);
		const { streams } = await lab.store.load({ policy: POLICY });
		expect(streams['crm']?.position).toBe(first.source.position);
	});

	test('with Continue On Fail a refused item leaves by Echo as an error, never by Foreign', async () => {
		const first = lab.crm.insert({ id: '1', email: 'a@x' });
		lab.crm.insert({ id: '2', email: 'b@x' });
		const items = itemsOf(first, lab.crm.insert({ id: '3', email: 'c@x' }));
		const { outputs } = await lab.run(filter, { items, continueOnFail: true });
		expect(outputs[FOREIGN]).toHaveLength(1);
		expect(outputs[ECHO]).toHaveLength(1);
		expect(outputs[ECHO]?.[0]?.error?.message).toContain('never reached this node');
		expect(findings(outputs[ECHO]?.[0], 'echoFilter')['error']).toMatchObject({
			code: 'STREAM_GAP',
		});
	});

	test('a batch of several systems with a gap in one observes the other', async () => {
		lab.crm.insert({ id: '1', email: 'a@x' });
		const late = lab.crm.insert({ id: '2', email: 'b@x' });
		const fine = lab.billing.insert({ account_no: '9', contact_email: 'z@x' });
		const { outputs } = await lab.run(filter, { items: itemsOf(late, fine), continueOnFail: true });
		expect(outputs[FOREIGN]?.map(({ json }) => json['system'])).toEqual(['billing']);
	});

	test('an item that is no change event fails with the path that is wrong', async () => {
		const failure = lab.run(filter, { items: [{ json: { hello: 'world' } }] });
		await expect(failure).rejects.toMatchObject({
			message: expect.stringContaining('The item is not a change event (changeId: '),
			description: expect.stringContaining('Connect this node to a trigger of this pack'),
		});
	});

	test('a trigger without a sync store is told to get one', async () => {
		const event = lab.crm.insert({ id: '1', email: 'a@x' });
		const unchained = { ...event, source: { ...event.source, prev: null } };
		await expect(lab.run(filter, { items: itemsOf(unchained) })).rejects.toMatchObject({
			message: expect.stringContaining('its trigger has no sync store'),
			description: expect.stringContaining('give the trigger a sync store'),
		});
	});

	test('a stream of another policy or store is unknown', async () => {
		const event = { ...lab.crm.insert({ id: '1' }), system: 'erp' };
		await expect(lab.run(filter, { items: itemsOf(event) })).rejects.toMatchObject({
			message: expect.stringContaining('knows no stream of "erp"'),
		});
	});

	test('a policy that was never published fails with what to run', async () => {
		const failure = lab.run(filter, {
			items: itemsOf(lab.crm.insert({ id: '1' })),
			parameters: { policy: 'typo' },
		});
		await expect(failure).rejects.toMatchObject({
			message: 'The policy "typo" has not been published to this sync store',
			description: expect.stringContaining('Run the Sync Policy node with the operation Publish'),
		});
	});

	test('an empty policy name is named by its label', async () => {
		const failure = lab.run(filter, {
			items: itemsOf(lab.crm.insert({ id: '1' })),
			parameters: { policy: ' ' },
		});
		await expect(failure).rejects.toMatchObject({ message: '"Policy" must not be empty' });
	});
});

describe('a manual test run', () => {
	test('observes nothing, and shows what it would find', async () => {
		const [item] = itemsOf(lab.crm.insert({ id: '1', email: 'a@x' }));
		const { outputs } = await lab.run(filter, { items: [{ json: { ...item?.json, test: true } }] });
		expect(findings(outputs[FOREIGN]?.[0], 'echoFilter')).toMatchObject({
			due: true,
			would: 'be observed as foreign',
		});
		const { streams, links } = await lab.store.load({
			policy: POLICY,
			keys: [{ system: 'crm', entity: 'customer', key: { id: '1' } }],
		});
		expect(links).toEqual([]);
		expect(streams['crm']?.position).toBe(streams['crm']?.start);
	});

	test('takes items out of the middle of a stream', async () => {
		lab.crm.insert({ id: '1', email: 'a@x' });
		const [item] = itemsOf(lab.crm.insert({ id: '2', email: 'b@x' }));
		const { outputs } = await lab.run(filter, { items: [{ json: { ...item?.json, test: true } }] });
		expect(outputs[FOREIGN]).toHaveLength(1);
	});
});

describe('by marker alone', () => {
	const parameters = { mode: 'marker' };

	test('an item with a marker is an echo, any other item is foreign, and no store is needed', async () => {
		const items = [
			{ json: { marker: { outcome: 'applied' } } },
			{ json: { marker: null } },
			{ json: { id: 1 } },
		];
		const { outputs } = await lab.run(filter, { items, parameters, credentials: {} });
		expect(outputs[ECHO]).toHaveLength(1);
		expect(outputs[FOREIGN]).toHaveLength(2);
		expect(lab.trips()).toBe(0);
	});

	test('something else that is called marker is no marker', async () => {
		const items = [{ json: { marker: { outcome: 'blue' } } }, { json: { marker: 'x' } }];
		const { outputs } = await lab.run(filter, { items, parameters });
		expect(outputs[FOREIGN]).toHaveLength(2);
	});
});
