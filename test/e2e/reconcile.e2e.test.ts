import pg from 'pg';

import { Checklist } from '../../demo/checklist';
import { type DemoDatabases, startDatabases } from '../../demo/databases';
import { importTemplate } from '../../demo/install-pack';
import type { WorkflowJson } from '../../demo/n8n-client';
import { say } from '../../demo/progress';
import { runNodeOutputs } from '../../demo/run-node';
import { activate, startN8n, type SyncInN8n } from '../../demo/start-sync';
import { tellFirstContact } from '../../demo/story-first-contact';
import { waitUntil } from '../support/wait-until';

const MINUTE_MS = 60_000;

let databases: DemoDatabases;
let sync: SyncInN8n;

beforeAll(async () => {
	databases = await startDatabases();
	sync = await startN8n(databases, say);
}, 10 * MINUTE_MS);

afterAll(async () => {
	await sync.n8n.remove();
	await databases.stop();
}, MINUTE_MS);

/** In one transaction the table leaves the publication, is changed, and comes back: no stream shows it. */
async function unseen(statement: string): Promise<void> {
	const client = new pg.Client(databases.billing.adminSettings);
	await client.connect();
	try {
		const publication = 'alter publication bisync_crm_billing';
		await client.query(`begin; ${publication} drop table public.accounts; ${statement}; ${publication} add table public.accounts; commit`);
	} finally {
		await client.end();
	}
}

test(
	'the nightly reconcile finds what no stream has shown, and mends it',
	async () => {
		const checks = new Checklist();
		await tellFirstContact(sync, checks);
		expect(checks.results.filter(({ ok }) => !ok)).toEqual([]);
		const nightly = await importTemplate(sync.client, 'nightly-reconcile.json');
		const [, , , [before] = []] = await runNodeOutputs(sync.client, nightly, 'What Differs');
		expect(before).toMatchObject({ equal: true, differences: 0, rows: { customer: { crm: 48, billing: 48 } } });
		await unseen(`update public.accounts set name = 'Nobody', status = 'cancelled' where external_id = 3`);
		const [different = []] = await runNodeOutputs(sync.client, nightly, 'What Differs');
		expect(different).toMatchObject([{ fields: [{ field: 'name', actions: ['update billing'] }, { field: 'status', actions: ['update crm'] }] }]);
		await runNodeOutputs(sync.client, nightly, 'Echo Filter');
		await waitUntil(
			'the sync to mend it',
			async () => {
				const { rows: accounts } = await databases.billing.app.query<{ name: string }>('select name from accounts where external_id = 3');
				const { rows: customers } = await databases.crm.app.query<{ status: string }>('select billing_status as status from customers where id = 3');
				return accounts[0]?.name === 'Customer 3' && customers[0]?.status === 'Cancelled';
			},
			{ timeoutMs: 2 * MINUTE_MS },
		);
		const [, , , [after] = []] = await runNodeOutputs(sync.client, nightly, 'What Differs');
		expect(after).toMatchObject({ equal: true });
	},
	10 * MINUTE_MS,
);

test(
	'n8n keeps for a published workflow what a comparison of two tables leaves for the next one',
	async () => {
		const workflow = await sync.client.createWorkflow(comparesTables());
		await activate(sync.client, workflow.id);
		const compared = async (): Promise<unknown> => await (await fetch(`${sync.n8n.url}/webhook/compares-tables`)).json();
		const first = await compared();
		expect(first).toMatchObject({ equal: true, rows: { a: 48, b: 48 } });
		expect(first).not.toHaveProperty('lastWhole');
		const lastWhole = expect.stringMatching(/^\d{4}-/) as string;
		expect(await compared()).toMatchObject({ equal: true, lastWhole });
		await unseen(`update public.accounts set name = 'Elsewhere' where external_id = 7`);
		expect(await compared()).toMatchObject({ equal: false, differences: 1, lastWhole });
		expect(await compared()).toMatchObject({ equal: false, differences: 1, lastWhole });
	},
	2 * MINUTE_MS,
);

function comparesTables(): WorkflowJson {
	const parameters = {
		operation: 'compareTables',
		connectWith: 'bisyncPostgresApi',
		tableA: 'customers',
		tableB: 'accounts',
		key: 'id = external_id',
		fields: { field: [{ a: 'full_name', b: 'name' }] },
		tableOptions: { onlyChanged: true },
	};
	const credentials = { bisyncPostgresApi: { id: null, name: 'CRM database' }, postgres: { id: null, name: 'Billing database (Postgres)' } };
	const nodes = [
		{ id: 'a', name: 'Called', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0], webhookId: 'compares-tables', parameters: { path: 'compares-tables', responseMode: 'lastNode' } },
		{ id: 'b', name: 'Compare', type: 'n8n-nodes-bisync.reconcileDiff', typeVersion: 1, position: [200, 0], parameters, credentials },
		{ id: 'c', name: 'Summary', type: 'n8n-nodes-base.noOp', typeVersion: 1, position: [400, 0], parameters: {} },
	];
	const to = (node: string) => [{ node, type: 'main', index: 0 }];
	const connections = { Called: { main: [to('Compare')] }, Compare: { main: [[], [], [], to('Summary')] } };
	return { name: 'Compares two tables', nodes, connections, settings: { executionOrder: 'v1' } } as unknown as WorkflowJson;
}

test(
	'two lists of items are compared without anything else',
	async () => {
		const node = (name: string, type: string, parameters: object = {}) => ({ id: name, name, type, typeVersion: 1, position: [0, 0] as [number, number], parameters: { ...parameters } });
		const to = (name: string, index: number) => ({ node: name, type: 'main', index });
		const workflow = await sync.client.createWorkflow({
			name: 'two lists',
			nodes: [
				node('Start', 'n8n-nodes-base.manualTrigger'),
				node('Other', 'n8n-nodes-base.noOp'),
				node('Compare', 'n8n-nodes-bisync.reconcileDiff', { operation: 'compareLists', key: 'id' }),
			],
			connections: { Start: { main: [[to('Other', 0), to('Compare', 0)]] }, Other: { main: [[to('Compare', 1)]] } },
			settings: { executionOrder: 'v1' },
			pinData: { Start: [{ json: { id: 1, x: 'a' } }, { json: { id: 2 } }], Other: [{ json: { id: 1, x: 'b' } }] },
		});
		const [different, onlyInA, onlyInB, summary] = await runNodeOutputs(sync.client, workflow, 'Compare');
		expect(different).toMatchObject([{ key: { id: 1 }, fields: [{ field: 'x', values: { a: 'a', b: 'b' } }] }]);
		expect([onlyInA, onlyInB, summary]).toMatchObject([[{ id: 2 }], [], [{ differences: 1 }]]);
	},
	2 * MINUTE_MS,
);
