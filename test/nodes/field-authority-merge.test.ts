import { parsePolicy } from '../../src/core/parse-policy';
import { samplePolicyWith } from '../support/sample-policy';
import type { INodeExecutionData } from 'n8n-workflow';

import { FieldAuthorityMerge } from '../../nodes/FieldAuthorityMerge/FieldAuthorityMerge.node';
import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import type { ChangeEvent } from '../../src/core/change-event';
import { linkedCustomer, macKeyOf, opsOf, passOn } from '../support/node-chain';
import { resolveReview } from '../../src/store/resolve-review';
import { outputNames } from '../support/node-outputs';
import { findings, itemsOf, type NodeLab, openNodeLab, POLICY } from '../support/node-lab';

const CRM = 0;
const BILLING = 1;
const REVIEW = 2;
const NOTHING = 3;

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const merge = new FieldAuthorityMerge();

/** As Sync Write leaves an item. */
function writtenOnce(item: INodeExecutionData): INodeExecutionData {
	const op = opsOf([[item]])[0]?.id;
	const tried = [...((findings(item, 'write')['tried'] as string[] | undefined) ?? []), op];
	const write = { op, outcome: 'applied', recorded: false, tried };
	return {
		json: {
			...item.json,
			bisync: { ...(item.json['bisync'] as object), write },
		} as INodeExecutionData['json'],
	};
}
const filter = new EchoFilter();

async function observed(...events: readonly ChangeEvent[]): Promise<INodeExecutionData[]> {
	const { outputs } = await lab.run(filter, { items: itemsOf(...events) });
	return outputs[0] ?? [];
}

test('a change goes to the output of the system that lacks it, as one operation on the last item of its link', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const items = await observed(
		lab.crm.update({ ...crm, note: 'n1' }),
		lab.crm.update({ ...crm, note: 'n2' }),
	);
	const { outputs } = await lab.run(merge, { items });
	expect(outputs.map((output) => output.length)).toEqual([0, 1, 0, 0]);
	const [item] = outputs[BILLING] ?? [];
	expect(item?.pairedItem).toEqual({ item: 1 });
	expect(findings(item, 'merge')['op']).toMatchObject({
		system: 'billing',
		kind: 'update',
		key: { account_no: '91' },
		fields: { note: { expected: 'n0', next: 'n2' } },
	});
	// By which a run can be rolled back.
	const decisions = await lab.store.readJournal({ policy: POLICY, kinds: ['decided'], limit: 100 });
	expect(decisions.at(-1)?.entry).toMatchObject({ execution: 'execution1' });
});

test('the same items again hand out the unsettled operation again', async () => {
	const { crm } = await linkedCustomer(lab, '1');
	const items = await observed(lab.crm.update({ ...crm, note: 'n1' }));
	const first = await lab.run(merge, { items });
	const second = await lab.run(merge, { items });
	expect(opsOf(second.outputs)).toEqual(opsOf(first.outputs));
});

test('an edit by a non-owner goes back to the system it came from', async () => {
	const { billing } = await linkedCustomer(lab, '1');
	const { outputs } = await lab.run(merge, {
		items: await observed(lab.billing.update({ ...billing, name: 'Hack' })),
	});
	expect(opsOf(outputs)).toMatchObject([
		{ system: 'billing', fields: { name: { expected: 'Hack', next: 'Ann' } } },
	]);
	expect(outputs[BILLING]).toHaveLength(1);
});

test('concurrent edits of a field that a person decides leave by Review once, and its siblings flow', async () => {
	const { crm, billing } = await linkedCustomer(lab, '1');
	const items = await observed(
		lab.crm.update({ ...crm, phone: 'P1', note: 'n1' }),
		lab.billing.update({ ...billing, phone: 'P2' }),
	);
	const { outputs } = await lab.run(merge, { items });
	expect(opsOf(outputs)).toMatchObject([{ system: 'billing', fields: { note: { next: 'n1' } } }]);
	const [item, ...more] = outputs[REVIEW] ?? [];
	expect(more).toEqual([]);
	expect(findings(item, 'merge')['reviews']).toMatchObject([
		{ kind: 'conflict', fields: ['phone'] },
	]);
});

test('a link with nothing to write and nothing to review leaves by Nothing To Do', async () => {
	const { crm, billing } = await linkedCustomer(lab, '1');
	const items = await observed(
		lab.crm.update({ ...crm, note: 'same' }),
		lab.billing.update({ ...billing, memo: 'same' }),
	);
	const { outputs, hints } = await lab.run(merge, { items });
	expect(outputs.map((output) => output.length)).toEqual([0, 0, 0, 1]);
	expect(hints).toEqual([]);
});

test('items that no Echo Filter has seen are observed first', async () => {
	await linkedCustomer(lab, '1');
	const event = lab.crm.update({ id: '1', note: 'n1' });
	const { outputs } = await lab.run(merge, { items: itemsOf(event) });
	expect(opsOf(outputs)).toMatchObject([{ system: 'billing', fields: { note: { next: 'n1' } } }]);
	const { streams } = await lab.store.load({ policy: POLICY });
	expect(streams['crm']?.position).toBe(event.source.position);
});

test('a gap before this node is refused here too', async () => {
	lab.crm.insert({ id: '1', email: 'a@x' });
	const failure = lab.run(merge, { items: itemsOf(lab.crm.insert({ id: '2', email: 'b@x' })) });
	await expect(failure).rejects.toMatchObject({
		message: expect.stringContaining('(1 of 1 items refused)'),
	});
});

test('store trips do not grow with the batch', async () => {
	const trips = async (count: number): Promise<number> => {
		const rows = Array.from({ length: count }, (_, i) => ({
			id: `${count}-${i}`,
			email: `${count}-${i}@x`,
		}));
		const items = await observed(...rows.map((row) => lab.crm.insert(row)));
		const { outputs } = await lab.run(merge, { items });
		expect(outputs[BILLING]).toHaveLength(count);
		return lab.trips();
	};
	expect([await trips(1), await trips(10), await trips(200)]).toEqual([2, 2, 2]);
});

test('an empty item is ignored', async () => {
	expect((await lab.run(merge, { items: [{ json: {} }] })).outputs).toEqual([[], [], [], []]);
});

describe('the systems of this node and of the policy', () => {
	test('differ: nothing is observed or decided, and the error names both lists', async () => {
		const event = lab.crm.insert({ id: '1', email: 'a@x' });
		const failure = lab.run(merge, { items: itemsOf(event), parameters: { systems: 'crm, erp' } });
		await expect(failure).rejects.toMatchObject({
			message:
				'This node has outputs for crm, erp, but the policy "crm-billing" (version 1) is about crm, billing',
			description: expect.stringContaining('Set "Systems" to the names that the policy lists'),
		});
		const { streams } = await lab.store.load({ policy: POLICY });
		expect(streams['crm']?.position).toBe(streams['crm']?.start);
	});

	test('differ: a link that was observed stays due', async () => {
		await linkedCustomer(lab, '1');
		const items = await observed(lab.crm.update({ id: '1', note: 'n1' }));
		await expect(lab.run(merge, { items, parameters: { systems: 'crm' } })).rejects.toThrow(
			'has outputs for crm, but',
		);
		const { links } = await lab.store.load({
			policy: POLICY,
			links: [String(findings(items[0], 'echoFilter')['link'])],
		});
		expect(links).toMatchObject([{ due: true, state: { inFlight: {} } }]);
	});

	test('may lack a system that is new and waits for its first contact', async () => {
		await linkedCustomer(lab, '1');
		const { policy } = await lab.store.load({ policy: POLICY });
		const document = parsePolicy(
			samplePolicyWith('systems: [crm, billing]', 'systems: [crm, billing, erp]').replace(
				'    match:',
				'    erp: { table: public.partners, key: [code] }\n    match:',
			),
		).document;
		const pending = ['customer.∃.erp'];
		await lab.store.publishPolicy({ ...policy!, document, hash: 'next', by: 'test', initialMode: 'live', pending });
		const items = await observed(lab.crm.update({ id: '1', note: 'n1' }));
		const { outputs, hints } = await lab.run(merge, { items, parameters: { systems: 'crm, billing' } });
		expect(outputs.map((output) => output.length)).toEqual([0, 1, 0, 0]);
		expect(hints.join(' ')).toContain('customer.∃.erp');
		await lab.store.approve(POLICY, 'next');
		await expect(lab.run(merge, { items, parameters: { systems: 'crm, billing' } })).rejects.toThrow(/is about crm, billing, erp/);
	});

	test('may stand in another order: each operation still leaves by the output of its system', async () => {
		await linkedCustomer(lab, '1');
		const items = await observed(lab.crm.update({ id: '1', note: 'n1' }));
		const { outputs } = await lab.run(merge, { items, parameters: { systems: ' billing,crm ' } });
		expect(outputs.map((output) => output.length)).toEqual([1, 0, 0, 0]);
	});

	test('drive the outputs', () => {
		const names = (systems: string): string[] => outputNames(merge, { systems });
		expect(names('crm, billing')).toEqual([
			'Write to crm',
			'Write to billing',
			'Review',
			'Nothing To Do',
		]);
		expect(names(' a ,,a, b')).toEqual(['Write to a', 'Write to b', 'Review', 'Nothing To Do']);
		expect(names('')).toEqual(['Review', 'Nothing To Do']);
	});
});

describe('items that came back from Sync Write', () => {
	test('end at Nothing To Do while their write is unsettled, with a hint', async () => {
		await linkedCustomer(lab, '1');
		const items = await observed(lab.crm.update({ id: '1', note: 'n1' }));
		const { outputs } = await lab.run(merge, { items });
		const [item] = outputs[BILLING] ?? [];
		const op = opsOf(outputs)[0]?.id;
		const returned = {
			json: {
				...item?.json,
				bisync: {
					...(item?.json['bisync'] as object),
					write: { op, outcome: 'stale', tried: [op] },
				},
			},
		};
		const again = await lab.run(merge, { items: [returned] });
		expect(again.outputs.map((output) => output.length)).toEqual([0, 0, 0, 1]);
		expect(findings(again.outputs[NOTHING]?.[0], 'merge')['note']).toContain(
			'came back here from Sync Write',
		);
		expect(again.hints[0]).toContain('Disconnect Stale and Failed');
	});

	test('do not take turns when two systems lack something at once', async () => {
		const { crm, billing } = await linkedCustomer(lab, '1');
		await passOn(
			lab,
			lab.crm.update({ ...crm, phone: 'P1' }),
			lab.billing.update({ ...billing, phone: 'P2' }),
		);
		const [review] = await lab.store.listReviews({ policy: POLICY, limit: 1 });
		if (!review) throw new Error('no review');
		const choice = { kind: 'values' as const, values: { phone: 'P3' } };
		await resolveReview(lab.store, { review: review.id, token: review.token, by: 'ann', choice });
		let items = await observed(lab.crm.update({ ...crm, phone: 'P1', unmapped: 'x' }));
		const rounds: string[][] = [];
		while (items.length > 0 && rounds.length < 9) {
			// Each item goes its own way, as on the canvas, where every output leads to a node of its own.
			const runs = await Promise.all(
				items.map(async (item) => await lab.run(merge, { items: [item] })),
			);
			const written = runs.flatMap(({ outputs }) => outputs.slice(CRM, REVIEW).flat());
			rounds.push(written.map((item) => String(opsOf([[item]])[0]?.system)).sort());
			items = written.map(writtenOnce);
		}
		expect(rounds).toEqual([['billing', 'crm'], ['billing', 'crm'], []]);
	});

	test('hand out the next operation once theirs is settled', async () => {
		await linkedCustomer(lab, '1');
		const items = await observed(lab.crm.update({ id: '1', note: 'n1' }));
		const { outputs } = await lab.run(merge, { items });
		const [op] = opsOf(outputs);
		if (!op) throw new Error('no operation');
		await observed(lab.billing.echo(op, await macKeyOf(lab), { outcome: 'stale' }));
		const [item] = outputs[BILLING] ?? [];
		const returned = {
			json: {
				...item?.json,
				bisync: {
					...(item?.json['bisync'] as object),
					write: { op: op.id, outcome: 'stale', tried: [op.id] },
				},
			},
		};
		expect(opsOf((await lab.run(merge, { items: [returned] })).outputs)).toMatchObject([
			{ number: op.number + 1 },
		]);
	});
});

describe('a policy that is not live', () => {
	test.each([
		['first-contact', 'waits for the approval of its first contact'],
		['stopped', 'is stopped'],
		['shadow', 'is in shadow mode'],
	] as const)('in mode %s writes nothing and says so', async (mode, note) => {
		await lab.store.setMode(POLICY, mode);
		const items = await observed(lab.crm.insert({ id: '1', email: 'a@x' }));
		const { outputs, hints } = await lab.run(merge, { items });
		expect(outputs.map((output) => output.length)).toEqual([0, 0, 0, 1]);
		expect(findings(outputs[NOTHING]?.[0], 'merge')['note']).toContain(note);
		expect(hints[0]).toContain(note);
	});
});

test('a manual test run decides nothing, and shows what would be written', async () => {
	await linkedCustomer(lab, '1');
	const [item] = itemsOf(lab.crm.update({ id: '1', note: 'secret' }));
	const { outputs } = await lab.run(merge, { items: [{ json: { ...item?.json, test: true } }] });
	expect(findings(outputs[BILLING]?.[0], 'merge')['would']).toBe(
		'be written: update in billing of note',
	);
	const { links } = await lab.store.load({
		policy: POLICY,
		keys: [{ system: 'crm', entity: 'customer', key: { id: '1' } }],
	});
	expect(links[0]?.state.inFlight).toEqual({});
});

test('with Continue On Fail a failure of the whole leaves by Nothing To Do, never by an output that writes', async () => {
	const items = itemsOf(lab.crm.insert({ id: '1', email: 'a@x' }));
	const { outputs } = await lab.run(merge, {
		items,
		parameters: { policy: 'typo' },
		continueOnFail: true,
	});
	expect(outputs.map((output) => output.length)).toEqual([0, 0, 0, 1]);
	expect(outputs[NOTHING]?.[0]?.error?.message).toContain('has not been published');
});

describe('given versions, without a store', () => {
	const parameters = { mode: 'fields', systems: 'crm, billing' };
	const versions = (base: object, a: object, b: object) => [{ json: { base, a, b } as never }];

	test('fields changed on each side go to the other side', async () => {
		const items = versions(
			{ name: 'Ann', status: 'active' },
			{ name: 'Anna', status: 'active' },
			{ name: 'Ann', status: 'late' },
		);
		const { outputs } = await lab.run(merge, { items, parameters, credentials: {} });
		const merged = { name: 'Anna', status: 'late' };
		expect(findings(outputs[CRM]?.[0], 'merge')).toEqual({
			system: 'crm',
			merged,
			changes: { status: 'late' },
		});
		expect(findings(outputs[BILLING]?.[0], 'merge')).toEqual({
			system: 'billing',
			merged,
			changes: { name: 'Anna' },
		});
		expect(outputs[NOTHING]).toEqual([]);
		expect(lab.trips()).toBe(0);
	});

	test('a field that both changed goes to a person with the base and both values, unless a rule decides', async () => {
		const items = versions(
			{ note: 'n0', phone: 'P0' },
			{ note: 'a', phone: 'P1' },
			{ note: 'b', phone: 'P2' },
		);
		const rules = { rule: [{ field: 'note', rule: 'prefer', system: 'billing' }] };
		const { outputs } = await lab.run(merge, { items, parameters: { ...parameters, rules } });
		expect(findings(outputs[CRM]?.[0], 'merge')).toMatchObject({ changes: { note: 'b' } });
		expect(findings(outputs[REVIEW]?.[0], 'merge')['reviews']).toEqual([
			{ field: 'phone', base: 'P0', values: { crm: 'P1', billing: 'P2' } },
		]);
	});

	test('equal versions leave by Nothing To Do', async () => {
		const { outputs } = await lab.run(merge, {
			items: versions({}, { n: 1 }, { n: 1 }),
			parameters,
		});
		expect(outputs.map((output) => output.length)).toEqual([0, 0, 0, 1]);
	});

	test('a version that is no object is named by its label and item', async () => {
		const failure = lab.run(merge, { items: [{ json: { base: {}, a: {}, b: 'x' } }], parameters });
		await expect(failure).rejects.toMatchObject({
			message: expect.stringContaining('"Version B" of item 0 must be an object'),
		});
	});

	test('a rule for a system that is none of the two is refused', async () => {
		const rules = { rule: [{ field: 'note', rule: 'owner', system: 'erp' }] };
		const failure = lab.run(merge, {
			items: versions({}, {}, {}),
			parameters: { ...parameters, rules },
		});
		await expect(failure).rejects.toMatchObject({
			message: '"System" must be one of crm, billing, not "erp"',
		});
	});

	test('a bad item with Continue On Fail does not hold up the others', async () => {
		const items = [{ json: { base: {}, a: 1, b: {} } }, ...versions({}, { n: 1 }, {})];
		const { outputs } = await lab.run(merge, { items, parameters, continueOnFail: true });
		expect(outputs[BILLING]).toHaveLength(1);
		expect(outputs[NOTHING]?.[0]?.error?.message).toContain('Version A');
	});
});

test('a change that was passed on and came back leaves nothing to be done', async () => {
	const { crm, billing } = await linkedCustomer(lab, '1');
	const [op] = await passOn(lab, lab.crm.update({ ...crm, note: 'n1' }));
	if (!op) throw new Error('no operation');
	const echo = lab.billing.echo(op, await macKeyOf(lab), { row: { ...billing, memo: 'n1' } });
	expect(await passOn(lab, echo)).toEqual([]);
});
