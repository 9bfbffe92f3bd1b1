import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import type { ChangeEvent } from '../../src/core/change-event';
import { linkedCustomer } from '../support/node-chain';
import { itemsOf, type NodeLab, openNodeLab, POLICY, registrationOf } from '../support/node-lab';
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

	test('a second record with the same match values counts as ambiguous', async () => {
		await read(
			lab.crm.insert({ id: '1', email: 'a@x' }),
			lab.crm.insert({ id: '2', email: 'a@x' }),
		);
		expect(await run('firstContactReport')).toMatchObject({
			entities: [{ ambiguous: 1, onlyIn: { crm: 1 } }],
		});
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
				'The first contact of "crm-billing" cannot be approved yet: the rows of billing are still being read',
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
