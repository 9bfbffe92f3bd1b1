import pg from 'pg';

import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import { connectionData, createCredentials } from '../../demo/credentials';
import { installPack, readTemplate } from '../../demo/install-pack';
import { N8nClient, type StoredWorkflow, type WorkflowJson } from '../../demo/n8n-client';
import { createN8n, type N8nServer } from '../../demo/n8n-server';
import { say, timed } from '../../demo/progress';
import { activate, OWNER } from '../../demo/start-sync';
import { CRM_OF_TIER, forTier, inAHurry } from '../support/api-variants';
import { apiPolicy, type ApiTier, createAccounts } from '../support/api-world';
import { type ConnectionSettings, type PostgresServer, startPostgres } from '../support/embedded-postgres';
import { executeNode } from '../support/fake-execute';
import { RestCrm } from '../support/rest-crm/rest-crm';
import { forCrm } from '../support/run-template';
import { waitUntil } from '../support/wait-until';

const SECRET = 'wh-s3cret';
const TOKEN = 't0ken';

/** One pair of systems in n8n: a CRM behind an API of this tier, and billing. */
export interface ApiPair {
	readonly tier: ApiTier;
	readonly crm: RestCrm;
	readonly billing: pg.Pool;
	readonly workflow: StoredWorkflow;
	readonly client: N8nClient;
	/** Of n8n. */
	readonly url: string;
	/** Whether nothing is due and no event is on its way. */
	isIdle(): Promise<boolean>;
}

/** A real n8n with the template for APIs, once for each tier. */
export class ApisInN8n {
	readonly pairs = new Map<ApiTier, ApiPair>();

	private constructor(
		private readonly server: PostgresServer,
		private readonly n8n: N8nServer,
		readonly client: N8nClient,
		readonly store: pg.Pool,
	) {}

	static async start(tiers: readonly ApiTier[]): Promise<ApisInN8n> {
		const server = await startPostgres({ version: 18 });
		const n8n = await createN8n({ database: await server.createDatabase('n8n'), say });
		await installPack(n8n.folder);
		await timed('starting n8n', async () => await n8n.start());
		const client = new N8nClient(n8n.url);
		await client.signUp(OWNER);
		const storeSettings = await server.createDatabase('sync_store');
		await createCredentials(client, [
			{ name: 'Sync Store', type: 'bisyncStoreApi', data: { ...connectionData(storeSettings), backend: 'postgres', schema: 'n8n_bisync', maxConnections: 5 } },
			{ name: 'CRM API', type: 'httpHeaderAuth', data: { name: 'Authorization', value: `Bearer ${TOKEN}` } },
			{ name: 'CRM webhook secret', type: 'crypto', data: { hmacSecret: SECRET } },
		]);
		const apis = new ApisInN8n(server, n8n, client, new pg.Pool(storeSettings));
		try {
			for (const tier of tiers) apis.pairs.set(tier, await apis.#pair(tier, storeSettings));
			return apis;
		} catch (error) {
			await apis.stop();
			throw error;
		}
	}

	async stop(): Promise<void> {
		await this.n8n.remove();
		for (const { crm, billing } of this.pairs.values()) {
			await crm.close();
			await billing.end();
		}
		await this.store.end();
		await this.server.stop();
	}

	async #pair(tier: ApiTier, store: ConnectionSettings): Promise<ApiPair> {
		const settings = await this.server.createDatabase(`billing_${tier}`);
		const billing = new pg.Pool({ ...settings, max: 4 });
		await createAccounts(billing);
		await createCredentials(this.client, [{ name: `Billing database ${tier}`, type: 'bisyncPostgresApi', data: connectionData(settings) }]);
		const crmPool = new pg.Pool(await this.server.createDatabase(`crm_${tier}`));
		const crm = await RestCrm.start({ pool: crmPool, token: TOKEN, switches: CRM_OF_TIER[tier] });
		const policy = `crm-billing-${tier}`;
		const manage = async (operation: string, parameters: Record<string, unknown> = {}) =>
			await executeNode(new SyncPolicy(), {
				parameters: { operation, by: 'ann', policy, ...parameters },
				credentials: { bisyncStoreApi: { ...store } },
			});
		await manage('publish', { document: apiPolicy(tier).replace('policy: crm-billing', `policy: ${policy}`) });
		const workflow = await this.client.createWorkflow(await templateFor(tier, crm.url));
		await activate(this.client, workflow.id);
		await waitUntil('billing to be read', async () => {
			const { rowCount } = await this.store.query(`select 1 from n8n_bisync.streams where policy = $1 and snapshot = 'done'`, [policy]);
			return rowCount === 1;
		});
		await manage('approveFirstContact');
		crm.subscribe({ url: `${this.n8n.url}/webhook/crm-events-${tier}`, secret: SECRET });
		const isIdle = async (): Promise<boolean> => {
			if (!crm.webhooks.isIdle) return false;
			const { rowCount } = await this.store.query('select 1 from n8n_bisync.links where policy = $1 and due', [policy]);
			return rowCount === 0;
		};
		return { tier, crm, billing, workflow, client: this.client, url: this.n8n.url, isIdle };
	}
}

/** The template for a pair of its own: address, policy, path and credential are its own. */
async function templateFor(tier: ApiTier, url: string): Promise<WorkflowJson> {
	const template = forTier(inAHurry(forCrm(await readTemplate('api-postgres.json'), url) as never), tier) as WorkflowJson;
	const text = JSON.stringify({ ...template, name: `API of tier ${tier}` })
		.replaceAll('"crm-billing"', `"crm-billing-${tier}"`)
		.replaceAll('"crm-events"', `"crm-events-${tier}"`)
		.replaceAll('"crm events"', `"crm events ${tier}"`)
		.replaceAll('"Billing database"', `"Billing database ${tier}"`);
	return JSON.parse(text) as WorkflowJson;
}
