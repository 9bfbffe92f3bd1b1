import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import type { ChangeEvent } from '../../src/core/change-event';
import { linkedCustomer } from '../support/node-chain';
import { itemsOf, type NodeLab, openNodeLab, POLICY, registrationOf } from '../support/node-lab';
import { parsePolicy } from '../../src/core/parse-policy';
import { readHash } from '../../src/core/scopes';
import { SAMPLE_POLICY, samplePolicyWith } from '../support/sample-policy';
import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

const node = new SyncPolicy();

async function run(operation: string, parameters: Record<string, unknown> = {}) {
	const { outputs } = await lab.run(node, { parameters: { operation, by: 'ann', ...parameters } });
	return outputs[0]?.[0]?.json ?? {};
}

describe('publish', () => {
	test('puts a new policy into first contact, and says what to do next', async () => {
		const document = samplePolicyWith('policy: crm-billing', 'policy: other');
		const result = await run('publish', { document });
		expect(result).toMatchObject({
			policy: 'other',
			version: 1,
			mode: 'first-contact',
			changed: true,
			systems: ['crm', 'billing'],
		});
		expect(result['nextStep']).toContain('First Contact Report');
	});

	test('a second time changes nothing', async () => {
		const { mode } = await run('publish', { document: SAMPLE_POLICY });
		expect(mode).toBe('live');
		expect(await run('publish', { document: SAMPLE_POLICY })).toMatchObject({
			version: 1,
			changed: false,
		});
	});

	test('a changed document is a new version in the same mode', async () => {
		const document = samplePolicyWith('resolve: prefer(crm)', 'resolve: prefer(billing)');
		expect(await run('publish', { document })).toMatchObject({
			version: 2,
			changed: true,
			mode: 'live',
		});
	});

	test('a document with a typo is refused with every place that is wrong', async () => {
		const document = samplePolicyWith('owner: crm, codec: trim', 'ownr: crm, codec: trim');
		await expect(run('publish', { document })).rejects.toMatchObject({
			message: expect.stringMatching(
				/entities\.customer\.fields\.name\.ownr: .*did you mean "owner"/i,
			),
			description: expect.stringContaining('Correct each listed place'),
		});
	});

	test('what lint calls an error is not published', async () => {
		const document = samplePolicyWith('external_id, owner: crm', 'account_no, owner: crm');
		await expect(run('publish', { document })).rejects.toMatchObject({
			message: expect.stringContaining('The policy "crm-billing" was not published:'),
		});
		const { policy } = await lab.store.load({ policy: POLICY });
		expect(policy?.version).toBe(1);
	});

	test('warnings are returned, not fatal', async () => {
		const document = samplePolicyWith('match: [[ref], [email]]', 'match: []');
		const { findings } = await run('publish', { document });
		expect(findings).toMatchObject([{ severity: 'warning', path: 'entities.customer.match' }]);
	});

	test('the example in the node is a policy without errors', async () => {
		const { document } = Object.fromEntries(
			node.description.properties.map((p) => [p.name, p.default]),
		);
		expect(await run('lint', { document })).toMatchObject({
			publishable: true,
			policy: 'crm-billing',
		});
	});

	test('must be signed with a name', async () => {
		await expect(run('publish', { document: SAMPLE_POLICY, by: '' })).rejects.toMatchObject({
			message: '"By" must not be empty',
		});
	});
});

test('lint needs no sync store', async () => {
	const { outputs } = await lab.run(node, {
		parameters: { operation: 'lint', document: SAMPLE_POLICY },
		credentials: { bisyncStoreApi: {} },
	});
	expect(outputs[0]?.[0]?.json).toMatchObject({ publishable: true, errors: 0 });
	expect(lab.trips()).toBe(0);
});

test('show tells the mode and how far each system has been read', async () => {
	const shown = await run('show');
	expect(shown).toMatchObject({
		policy: POLICY,
		version: 1,
		mode: 'live',
		streams: { crm: { snapshot: 'done' } },
	});
});

describe('first contact', () => {
	beforeEach(async () => {
		lab.close();
		lab = await openNodeLab({ mode: 'first-contact' });
	});

	async function read(...events: readonly ChangeEvent[]): Promise<void> {
		await lab.run(new EchoFilter(), { items: itemsOf(...events) });
	}

	test('the report counts what the systems have in common and what approving would do', async () => {
		await read(
			lab.crm.insert({ id: '1', email: 'equal@x', note: 'same' }),
			lab.crm.insert({ id: '2', email: 'differs@x', full_name: 'Ann', phone: 'P1' }),
			lab.crm.insert({ id: '3', email: 'only-crm@x' }),
			lab.billing.insert({
				account_no: '91',
				contact_email: 'equal@x',
				external_id: '1',
				memo: 'same',
			}),
			lab.billing.insert({
				account_no: '92',
				contact_email: 'differs@x',
				external_id: '2',
				name: 'Anna',
				phone: 'P2',
			}),
			lab.billing.insert({ account_no: '93', contact_email: 'only-billing@x' }),
		);
		const report = await run('firstContactReport');
		expect(report).toMatchObject({
			mode: 'first-contact',
			read: { crm: 'read', billing: 'read' },
			entities: [
				{
					entity: 'customer',
					linkedEqual: 1,
					linkedDifferent: 1,
					onlyIn: { crm: 1, billing: 1 },
					ambiguous: 0,
					inserts: { crm: 1, billing: 1 },
					fields: {
						name: { different: 1, rule: 'owned by crm', writes: { billing: 1 }, reviews: 0 },
						phone: { different: 1, rule: 'shared, review', writes: {}, reviews: 1 },
					},
				},
			],
		});
		expect(JSON.stringify(report)).not.toContain('P1');
		expect((report['summary'] as string[])[0]).toMatch(
			/^customer: 1 equal, 1 different, 1 only in \w+, 1 only in \w+\. Approving would make 1 in \w+, make 1 in \w+, .*overwrite name in 1 rows of billing \(owned by crm\)/,
		);
		const { links } = await lab.store.load({
			policy: POLICY,
			keys: [{ system: 'crm', entity: 'customer', key: { id: '2' } }],
		});
		expect(links[0]?.state.inFlight).toEqual({});
	});

	test('the report is also a table, a line per entity and field, with keys to look at and sensitive ones masked', async () => {
		await read(
			lab.crm.insert({ id: '1', email: 'a@x', full_name: 'Ann' }),
			lab.crm.insert({ id: '2', email: 'b@x', full_name: 'Bob' }),
			lab.billing.insert({ account_no: '91', contact_email: 'a@x', external_id: '1', name: 'Anna' }),
		);
		const { outputs } = await lab.run(node, {
			parameters: { operation: 'firstContactReport', format: 'table' },
		});
		const rows = (outputs[0] ?? []).map(({ json }) => json);
		expect(rows[0]).toMatchObject({
			entity: 'customer',
			field: '',
			equal: 0,
			different: 1,
			onlyIn: { crm: 1 },
			ambiguous: 0,
			wouldWrite: { billing: 1 },
			wouldAsk: 0,
			examples: { 'only in crm': [{ crm: { id: '2' } }] },
		});
		expect(rows.find(({ field }) => field === 'name')).toMatchObject({
			rule: 'owned by crm',
			different: 1,
			wouldWrite: { billing: 1 },
			examples: { different: [{ crm: { id: '1' }, billing: { account_no: '91' } }] },
		});
		expect(rows.map(({ field }) => field)).toContain('phone');
	});

	test('of each kind the first ten keys are shown, and a key that is sensitive is masked', async () => {
		const document = samplePolicyWith('key: [id]', 'key: [email]');
		await run('publish', { document });
		const keyed = Array.from({ length: 12 }, (_, n) => lab.crm.insert({ id: String(n), email: `${n}@x` }));
		await read(...keyed.map((event) => ({ ...event, key: { email: String(event.after?.['email']) } })));
		const report = await run('firstContactReport');
		const [entity] = report['entities'] as { examples: Record<string, unknown[]> }[];
		expect(entity?.examples['only in crm']).toHaveLength(10);
		expect(JSON.stringify(report)).not.toContain('@x');
	});

	test('as Markdown it is a table to read', async () => {
		await read(lab.crm.insert({ id: '1', email: 'a@x', full_name: 'Ann' }));
		const { markdown } = await run('firstContactReport', { format: 'markdown' });
		expect(markdown).toContain('# First contact of crm-billing');
		expect(markdown).toMatch(/\| customer \| \(record\) \| matched by the policy \| 0 \| 0 \| crm: 1 \| 0 \| billing: 1 \| 0 \|/);
	});

	test('how far each table has been read is part of the report', async () => {
		const table = { table: 'public.customers', entity: 'customer', hash: 'h', phase: 'rows', after: ['5'] } as const;
		await lab.store.registerStream({
			...registrationOf('crm', 'running'),
			reading: [{ ...table, rows: 300, estimate: 1_000 }],
		});
		expect(await run('firstContactReport')).toMatchObject({
			read: { crm: 'being read' },
			unread: ['the rows of crm are still being read (customer)'],
			progress: [{ system: 'crm', table: 'public.customers', state: 'being read', rows: 300, estimate: 1_000, percent: 30 }],
		});
		await lab.store.registerStream({
			...registrationOf('crm', 'running'),
			reading: [{ ...table, rows: 1_300, estimate: 1_000 }],
		});
		expect(await run('show')).toMatchObject({ progress: [{ percent: 99 }] });
	});

	test('a second record with the same match values counts as ambiguous', async () => {
		await read(
			lab.crm.insert({ id: '1', email: 'a@x' }),
			lab.crm.insert({ id: '2', email: 'a@x' }),
		);
		expect(await run('firstContactReport')).toMatchObject({
			entities: [{ ambiguous: 1, onlyIn: { crm: 1 } }],
		});
	});

	test('records that resemble each other are reported as pairs, with their keys, and not as ones to be made', async () => {
		const document = samplePolicyWith('    fields:\n', '    similar: { fields: [name] }\n    fields:\n');
		await read(lab.crm.insert({ id: '1', email: 'a@x', full_name: 'Acme Inc' }));
		await run('publish', { document });
		await read(
			lab.crm.insert({ id: '2', email: 'z@x', full_name: 'Zeta' }),
			lab.billing.insert({ account_no: '91', contact_email: 'b@x', name: 'ACME Incorporated' }),
		);
		const report = await run('firstContactReport');
		expect(report).toMatchObject({
			entities: [
				{
					similar: 1,
					onlyIn: { crm: 2, billing: 1 },
					inserts: { billing: 1 },
					examples: { similar: [{ records: [expect.anything(), expect.anything()], percent: 91 }] },
				},
			],
		});
		expect(JSON.stringify(report)).toMatch(/1 pairs that resemble each other/);
		expect(await lab.store.findAlike(POLICY, ['["customer","acme"]'])).toHaveLength(2);
	});

	test('approving makes the policy live and closes the approval item', async () => {
		await lab.store.changeReviews(POLICY, [{ action: 'open', item: approvalItem() }]);
		expect(await run('approveFirstContact')).toMatchObject({
			approved: true,
			mode: 'live',
			by: 'ann',
		});
		const { policy } = await lab.store.load({ policy: POLICY });
		expect(policy?.mode).toBe('live');
		expect(await lab.store.listReviews({ ids: [`first-contact-${POLICY}`], limit: 1 })).toMatchObject([
			{ state: 'resolved', closedBy: 'ann' },
		]);
	});

	test('approving before every system has been read is refused, naming what is missing', async () => {
		await lab.store.registerStream(registrationOf('billing', 'running'));
		await expect(run('approveFirstContact')).rejects.toMatchObject({
			message:
				'The first contact of "crm-billing" cannot be approved yet: the rows of billing are still being read (customer)',
			description: expect.stringContaining('Activate the workflow'),
		});
	});

	test('a system that has no stream at all is named', async () => {
		const document = samplePolicyWith('policy: crm-billing', 'policy: fresh');
		await run('publish', { document });
		await expect(run('approveFirstContact', { policy: 'fresh' })).rejects.toMatchObject({
			message: expect.stringMatching(
				/crm has not been read at all.*; billing has not been read at all/,
			),
		});
	});

	test('the switch is no way around the approval', async () => {
		await expect(run('setMode', { newMode: 'live' })).rejects.toMatchObject({
			message: expect.stringContaining('waits for the approval of its first contact'),
			description: expect.stringContaining('Approve First Contact'),
		});
	});
});

describe('a new version of a live policy', () => {
	const WITH_CITY = samplePolicyWith(
		'      note: {',
		'      city: { crm: city, billing: town, owner: crm }\n      note: {',
	);
	const PENDING = ['customer.city.billing', 'customer.city.crm'];
	const readAll = async (document: string): Promise<void> => {
		for (const system of ['crm', 'billing']) {
			const filterHash = readHash(parsePolicy(document), system);
			await lab.store.registerStream({ ...registrationOf(system), filterHash });
		}
	};

	test('lets what is new wait for its own first contact, and says what to do', async () => {
		const published = await run('publish', { document: WITH_CITY });
		expect(published).toMatchObject({ version: 2, mode: 'live', pending: PENDING });
		expect(published['nextStep']).toMatch(/customer\.city\.billing.*Approve First Contact/);
		expect(await run('show')).toMatchObject({ pending: PENDING });
	});

	test('cannot be approved before what is new has been read, and then is in the mode it was in', async () => {
		await run('publish', { document: WITH_CITY });
		await run('setMode', { newMode: 'shadow' });
		await expect(run('approveFirstContact')).rejects.toMatchObject({
			message: expect.stringContaining('the rows of crm have not been read: is its trigger active? (customer)'),
		});
		await readAll(WITH_CITY);
		expect(await run('approveFirstContact')).toMatchObject({ approved: true, mode: 'shadow', scopes: PENDING });
		expect(await run('show')).toMatchObject({ pending: [], mode: 'shadow' });
		expect(await run('approveFirstContact')).toMatchObject({ approved: false });
	});

	test('published over one that waits, adds to what waits; without what was new, nothing does', async () => {
		await run('publish', { document: WITH_CITY });
		const more = samplePolicyWith('crm: note', 'crm: remark', WITH_CITY);
		expect(await run('publish', { document: more })).toMatchObject({
			pending: [...PENDING, 'customer.note.crm'],
		});
		await lab.store.changeReviews(POLICY, [{ action: 'open', item: approvalItem() }]);
		expect(await run('publish', { document: SAMPLE_POLICY })).toMatchObject({ pending: ['customer.note.crm'] });
		expect(await run('publish', { document: SAMPLE_POLICY })).toMatchObject({ changed: false });
	});

	test('that takes back what was new closes the question about it', async () => {
		await run('publish', { document: WITH_CITY });
		await lab.store.changeReviews(POLICY, [{ action: 'open', item: approvalItem() }]);
		expect(await run('publish', { document: SAMPLE_POLICY })).toMatchObject({ pending: [] });
		expect(await lab.store.listReviews({ policy: POLICY, limit: 1 })).toMatchObject([{ state: 'superseded' }]);
	});
});

test('approving twice does nothing the second time', async () => {
	expect(await run('approveFirstContact')).toMatchObject({ approved: false, mode: 'live' });
});

test('the switch stops a live policy and turns it on again', async () => {
	await linkedCustomer(lab, '1');
	expect(await run('setMode', { newMode: 'stopped' })).toMatchObject({
		before: 'live',
		mode: 'stopped',
	});
	expect(await run('setMode', { newMode: 'live' })).toMatchObject({
		before: 'stopped',
		mode: 'live',
	});
});

test('a policy that was never published is named', async () => {
	await expect(run('show', { policy: 'typo' })).rejects.toMatchObject({
		message: 'The policy "typo" has not been published to this sync store',
	});
});

function approvalItem() {
	return {
		id: `first-contact-${POLICY}`,
		kind: 'approval' as const,
		policy: POLICY,
		link: null,
		entity: null,
		fields: [],
		reason: 'read',
		token: 't',
		detail: {},
	};
}
