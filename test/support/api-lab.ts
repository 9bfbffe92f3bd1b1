import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { IDataObject } from 'n8n-workflow';
import pg from 'pg';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import { CRM_OF_TIER, forTier, inAHurry } from './api-variants';
import { apiPolicy, type ApiTier, createAccounts } from './api-world';
import { executeNode } from './fake-execute';
import { type FakeN8n, fakeN8n } from './fake-n8n';
import { fakeTriggerContext, replicationCredential } from './fake-trigger-context';
import { RestCrm } from './rest-crm/rest-crm';
import type { SwitchChange } from './rest-crm/switches';
import { forCrm, readTemplate, runTemplate, withoutSignature, type WorkflowTemplate } from './run-template';
import { openTestDatabase, type TestDatabase } from './test-database';
import { waitUntil } from './wait-until';

export interface ApiLabOptions {
	readonly tier: ApiTier;
	readonly switches?: SwitchChange;
	readonly seed?: number;
}

/** The template for an API and Postgres, run by n8n's engine in this process: a CRM with its API, billing, a store. */
export class ApiLab {
	readonly failures: string[] = [];
	#engine!: FakeN8n;
	#receiver!: Server;
	#closeTrigger: () => Promise<void> = async () => undefined;
	#running = 0;

	readonly billing: TestDatabase;
	readonly store: TestDatabase;
	readonly #databases: readonly TestDatabase[];

	private constructor(
		readonly crm: RestCrm,
		databases: readonly [TestDatabase, TestDatabase, TestDatabase],
		/** What the next execution runs. */
		public template: WorkflowTemplate,
	) {
		[, this.billing, this.store] = databases;
		this.#databases = databases;
	}

	static async open({ tier, switches = {}, seed = 1 }: ApiLabOptions): Promise<ApiLab> {
		const names = ['crm', 'billing', 'store'];
		const opened = await Promise.all(names.map(async (name) => await openTestDatabase(`api ${name}`)));
		const databases = opened as [TestDatabase, TestDatabase, TestDatabase];
		const [crmDatabase, billing] = databases;
		const crm = await RestCrm.start({ pool: new pg.Pool(crmDatabase.settings), token: 't0ken', switches: CRM_OF_TIER[tier], seed });
		crm.turn(switches);
		await createAccounts(billing.pool);
		const template = forTier(inAHurry(withoutSignature(forCrm(readTemplate('api-postgres'), crm.url))), tier);
		const lab = new ApiLab(crm, databases, template);
		await lab.policy('publish', { document: apiPolicy(tier) });
		await lab.#receive();
		await lab.#activate();
		return lab;
	}

	/** Runs the Sync Policy node. */
	async policy(operation: string, parameters: Record<string, unknown> = {}): Promise<IDataObject> {
		const { outputs } = await executeNode(new SyncPolicy(), {
			parameters: { operation, by: 'ann', ...parameters },
			credentials: { bisyncStoreApi: { ...this.store.settings } },
		});
		return outputs[0]?.[0]?.json ?? {};
	}

	/** Reads all customers of the CRM, as the schedule does. */
	async readAll(): Promise<void> {
		await this.run('Every Hour', [{}]);
	}

	/** First contact, until the record is linked and nothing flows. */
	async begin(): Promise<void> {
		await waitUntil('billing to be read', async () => {
			const { rows } = await this.store.pool.query(`select 1 from n8n_bisync.streams where snapshot = 'done'`);
			return rows.length === 1;
		});
		await this.readAll();
		await this.policy('approveFirstContact');
	}

	/** Whether nothing is due, nothing runs, and no event is on its way. */
	async isIdle(): Promise<boolean> {
		if (this.#running > 0 || !this.crm.webhooks.isIdle) return false;
		const { rows } = await this.store.pool.query<{ n: number }>('select count(*)::int as n from n8n_bisync.links where due');
		return rows[0]?.n === 0 && this.#running === 0;
	}

	/** Runs the template from one of its triggers. @returns the names of the nodes that ran, null when it failed */
	async run(from: string, events: readonly IDataObject[]): Promise<ReadonlySet<string> | null> {
		this.#running += 1;
		try {
			const run = await runTemplate({ template: this.template, from, events, credentials: this.#credentials() });
			const { error, runData } = run.data.resultData;
			if (run.status !== 'success') this.failures.push(`${from}: ${String(error?.message)}`);
			return run.status === 'success' ? new Set(Object.keys(runData)) : null;
		} catch (error) {
			this.failures.push(`${from}: ${String(error)}`);
			return null;
		} finally {
			this.#running -= 1;
		}
	}

	/** Everything that the journal says, as text. */
	async journal(): Promise<string> {
		const { rows } = await this.store.pool.query<{ entry: string }>('select entry::text as entry from n8n_bisync.journal');
		return rows.map(({ entry }) => entry).join('\n');
	}

	async close(): Promise<void> {
		await this.#closeTrigger();
		await this.crm.close();
		this.#receiver.closeAllConnections();
		this.#receiver.close();
		for (const database of this.#databases) await database.drop();
	}

	/** Answers the CRM as the Webhook node does. */
	async #receive(): Promise<void> {
		this.#receiver = createServer((request, response) => {
			let text = '';
			request.on('data', (part) => (text += part));
			request.on('end', () => {
				const body = JSON.parse(text) as IDataObject;
				void this.run('CRM Events', [{ headers: { ...request.headers }, body }]).then(
					(ran) => response.writeHead(ran === null ? 500 : ran.has('Answer 503') ? 503 : 200).end(),
					() => response.writeHead(500).end(),
				);
			});
		});
		await new Promise<void>((resolve) => this.#receiver.listen(0, '127.0.0.1', resolve));
		const { port } = this.#receiver.address() as AddressInfo;
		this.crm.subscribe({ url: `http://127.0.0.1:${port}/`, secret: 's3cret' });
	}

	async #activate(): Promise<void> {
		this.#engine = fakeN8n(async (events) => {
			const ran = await this.run('Billing Changes', events as unknown as IDataObject[]);
			return ran === null ? 'error' : 'success';
		});
		const context = fakeTriggerContext(this.#engine, {
			mode: 'trigger',
			parameters: {
				connectWith: 'bisyncPostgresApi',
				useStore: true,
				policy: 'crm-billing',
				system: 'billing',
				options: { sweepSeconds: 1 },
			},
			credentials: {
				bisyncPostgresApi: replicationCredential(this.billing.settings),
				bisyncStoreApi: { ...this.store.settings },
			},
		});
		const { closeFunction } = await new PostgresCdcTrigger().trigger.call(context);
		this.#closeTrigger = async () => await closeFunction?.();
	}

	#credentials(): Record<string, object> {
		return {
			'Sync Store': { ...this.store.settings },
			'Billing database': replicationCredential(this.billing.settings),
			'CRM API': { name: 'Authorization', value: 'Bearer t0ken' },
		};
	}
}
