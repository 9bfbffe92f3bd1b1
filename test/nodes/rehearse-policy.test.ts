import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import { type NodeLab, openNodeLab, POLICY } from '../support/node-lab';
import { samplePolicyWith } from '../support/sample-policy';

let lab: NodeLab;
beforeEach(async () => {
	lab = await openNodeLab();
});
afterEach(() => lab.close());

async function run(parameters: Record<string, unknown>) {
	const { outputs } = await lab.run(new SyncPolicy(), { parameters: { operation: 'rehearse', ...parameters } });
	return (outputs[0] ?? []).map(({ json }) => json);
}

describe('Sync Policy: Rehearse Conflicts', () => {
	test('gives an item for each field and each thing that can happen to it', async () => {
		const items = await run({ subject: 'published', rehearsalFormat: 'table' });
		expect(items.length).toBeGreaterThan(50);
		expect(items).toContainEqual({
			entity: 'customer',
			field: 'phone',
			case: 'both-change',
			happens: 'crm and billing change it differently',
			before: 'Ann',
			writes: { crm: 'Bob', billing: 'Christine' },
			ends: { crm: `crm's value, "Bob"`, billing: `billing's value, "Christine"` },
			asks: 'conflict',
			reason: 'billing and crm changed phone without having seen each other',
			cannot: null,
		});
		expect(items.some(({ field, case: kind }) => field === '(record)' && kind === 'both-delete')).toBe(true);
	});

	test('gives a sheet to sign, of a document that is not published too', async () => {
		const document = samplePolicyWith('resolve: review', 'resolve: prefer(billing)');
		const [item = {}] = await run({ subject: 'document', document, rehearsalFormat: 'markdown' });
		expect(item).toMatchObject({ policy: POLICY, version: null });
		expect(item['sheet']).toContain(`# Rehearsal of policy ${POLICY}`);
		expect(item['sheet']).toContain(String(item['hash']));
		expect(item['sheet']).toContain(`| phone | crm and billing change it differently |`.replace('crm and billing', 'billing and crm'));
		const [page = {}] = await run({ subject: 'published', rehearsalFormat: 'html' });
		expect(page).toMatchObject({ version: 1 });
		expect(page['sheet']).toContain('<td>crm and billing change it differently</td>');
		expect(page['sheet']).not.toMatch(/<script|src=|href=/);
	});
});
