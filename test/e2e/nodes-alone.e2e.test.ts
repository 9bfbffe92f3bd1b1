import { createCredentials, templateCredentials } from '../../demo/credentials';
import { type DemoDatabases, startDatabases } from '../../demo/databases';
import type { NewCredential } from '../../demo/n8n-client';
import { say } from '../../demo/progress';
import { ExecutionFailed, runNode, runNodeOutputs } from '../../demo/run-node';
import { activate, startN8n, type SyncInN8n } from '../../demo/start-sync';
import { createSmallWorkflow } from './small-workflow';

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

/** What the user reads in the editor: the headline, and what to do. */
async function failureOf(
	work: Promise<unknown>,
): Promise<{ message: string; description: string }> {
	const error = await work.then(
		() => new Error('it did not fail'),
		(thrown: unknown) => thrown,
	);
	if (!(error instanceof ExecutionFailed)) throw error;
	return { message: error.message, description: error.description };
}

describe('before anything is set up', () => {
	test('the report says that the policy has to be published first', async () => {
		const failure = await failureOf(runNode(sync.client, sync.setup, 'First Contact Report'));
		expect(failure.message).toContain('"crm-billing" has not been published');
		expect(failure.description).toContain('operation Publish');
	});

	test('nobody approves without a name', async () => {
		const failure = await failureOf(runNode(sync.client, sync.setup, 'Approve First Contact'));
		expect(failure.message).toContain('Parameter "By" is required');
	});

	test('the workflow does not start without a published policy', async () => {
		await expect(activate(sync.client, sync.sync.id)).rejects.toThrow(
			/has not been published.*Run the Sync Policy node/,
		);
		await sync.client.deactivate(sync.sync.id);
	});
});

describe('mistakes in the policy', () => {
	const publish = async (change: (document: string) => string) => {
		const document = sync.setup.nodes.find(({ name }) => name === 'Publish')?.parameters[
			'document'
		];
		return await runNode(sync.client, sync.setup, 'Publish', {
			document: change(String(document)),
		});
	};

	test('a typo is named with its place and what was probably meant', async () => {
		const failure = await failureOf(
			publish((text) => text.replace('owner: crm, codec: trim', 'ownr: crm, codec: trimm')),
		);
		expect(failure.message).toContain(
			'fields.name.ownr: is not a known key; did you mean "owner"?',
		);
		expect(failure.message).toContain('unknown codec "trimm"');
		expect(failure.message).toContain('did you mean "trim"?');
	});

	test('a table that is not there keeps its trigger from starting, and approval from being given', async () => {
		await publish((text) => text.replace('public.customers', 'public.custmers'));
		await expect(activate(sync.client, sync.sync.id)).rejects.toThrow(
			'There is no table "public"."custmers"',
		);
		await sync.client.deactivate(sync.sync.id);
		const failure = await failureOf(
			runNode(sync.client, sync.setup, 'Approve First Contact', { by: 'Somebody' }),
		);
		expect(failure.message).toContain('crm has not been read');
	});
});

describe('credentials', () => {
	const testCredential = async (credential: NewCredential) => {
		const ids = await createCredentials(sync.client, [credential]);
		return await sync.client.testCredential({ ...credential, id: String(ids[credential.name]) });
	};
	const template = (name: string, data: Record<string, unknown>): NewCredential => {
		const found = templateCredentials(databases).find((credential) => credential.name === name);
		if (!found) throw new Error(`there is no credential "${name}"`);
		return { ...found, name: `${name}, changed`, data: { ...found.data, ...data } };
	};

	test('with the rights that the README grants, the test passes', async () => {
		for (const name of ['CRM database', 'Billing database', 'Sync Store']) {
			expect(await testCredential(template(name, {}))).toMatchObject({
				status: 'OK',
				message: expect.stringContaining('Connected to Postgres 18'),
			});
		}
	});

	test('a wrong password is named, and where it is checked', async () => {
		const { status, message } = await testCredential(
			template('CRM database', { password: 'wrong' }),
		);
		expect(status).toBe('Error');
		expect(message).toContain('password authentication failed for user "bisync"');
		expect(message).toContain('pg_hba.conf');
	});
});

describe('nodes alone on a canvas', () => {
	test('Idempotency Guard lets each key through once', async () => {
		const events = ['evt_1', 'evt_2', 'evt_1'].map((changeId) => ({ changeId }));
		const guard = { name: 'Guard', type: 'idempotencyGuard' };
		const shop = await createSmallWorkflow(sync.client, events, guard);
		const keys = async () => {
			const outputs = await runNodeOutputs(sync.client, shop, 'Guard');
			return outputs.map((items) => items.map(({ changeId }) => changeId));
		};
		expect(await keys()).toEqual([['evt_1', 'evt_2'], [], ['evt_1']]);
		expect(await keys()).toEqual([[], [], ['evt_1', 'evt_2', 'evt_1']]);
	});

	test('an item that is no change event is refused in words', async () => {
		const filter = { name: 'Filter', type: 'echoFilter', parameters: { policy: 'crm-billing' } };
		const workflow = await createSmallWorkflow(sync.client, [{ hello: 'world' }], filter);
		const failure = await failureOf(runNode(sync.client, workflow, 'Filter'));
		expect(failure.message).toContain('The item is not a change event');
		expect(failure.description).toContain('Connect this node to a trigger of this pack');
	});

	test('a sync store that is down is named with its address', async () => {
		const [store] = templateCredentials(databases).filter(({ name }) => name === 'Sync Store');
		const data = { ...store?.data, port: 1 };
		await createCredentials(sync.client, [{ name: 'Down', type: 'bisyncStoreApi', data }]);
		const filter = {
			name: 'Filter',
			type: 'echoFilter',
			parameters: { policy: 'crm-billing' },
			credentials: { bisyncStoreApi: { id: null, name: 'Down' } },
		};
		const workflow = await createSmallWorkflow(sync.client, [{ hello: 'world' }], filter);
		const failure = await failureOf(runNode(sync.client, workflow, 'Filter'));
		expect(failure.message).toContain('Cannot reach the sync store on 127.0.0.1:1');
		expect(failure.description).toContain('Nothing is lost');
	});

	test('a write without an operation leaves by Failed and says what to connect', async () => {
		const write = {
			name: 'Write',
			type: 'syncWrite',
			parameters: { policy: 'crm-billing', system: 'crm' },
			credentials: {
				bisyncStoreApi: { id: null, name: 'Sync Store' },
				bisyncPostgresApi: { id: null, name: 'CRM database' },
			},
		};
		const workflow = await createSmallWorkflow(sync.client, [{ hello: 'world' }], write);
		const [applied, stale, failed] = await runNodeOutputs(sync.client, workflow, 'Write');
		expect([applied, stale]).toEqual([[], []]);
		expect(JSON.stringify(failed)).toContain('Field Authority Merge');
	});
});
