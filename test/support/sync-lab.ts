import type { IConnection, IDataObject, INode } from 'n8n-workflow';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import type { LinkState } from '../../src/core/link';
import { lsnOfPosition, STREAM_START } from '../../src/core/position';
import type { PostgresServer } from './embedded-postgres';
import { executeNode } from './fake-execute';
import { type FakeN8n, fakeN8n } from './fake-n8n';
import { fakeTriggerContext, replicationCredential } from './fake-trigger-context';
import { runTemplate, type WorkflowTemplate } from './run-template';
import { openTestDatabase, type TestDatabase } from './test-database';
import { waitUntil } from './wait-until';

/** Databases kept equal by the nodes themselves: real triggers, n8n's engine, a sync store. */
export class SyncLab {
	/** The systems that Field Authority Merge has outputs for. */
	onCanvas: readonly string[];
	/** Executions that have not ended. */
	running = 0;
	readonly #closing = new Map<string, () => Promise<void>>();
	readonly #engines: FakeN8n[] = [];

	private constructor(
		readonly policyName: string,
		readonly databases: ReadonlyMap<string, TestDatabase>,
		readonly store: TestDatabase,
		private readonly polled: ReadonlyMap<string, PostgresServer>,
	) {
		this.onCanvas = [...databases.keys()];
	}

	/**
	 * @param setup - by system, the SQL that makes its tables
	 * @param polled - systems that are polled, by the servers that they are on
	 */
	static async open(
		policyName: string,
		setup: Readonly<Record<string, string>>,
		polled: ReadonlyMap<string, PostgresServer> = new Map(),
	): Promise<SyncLab> {
		const databases = await Promise.all(
			Object.entries(setup).map(async ([system, sql]): Promise<[string, TestDatabase]> => {
				const server = polled.get(system);
				const database = await openTestDatabase(system, server ? { server } : {});
				await database.pool.query(sql);
				return [system, database];
			}),
		);
		return new SyncLab(policyName, new Map(databases), await openTestDatabase('store'), polled);
	}

	/** Publishes the policy, starts the triggers of these systems, and approves once all rows are read. */
	async goLive(document: string, systems = this.onCanvas): Promise<void> {
		await this.policy('publish', { document });
		for (const system of systems) await this.activate(system);
		await this.approve();
	}

	/** The first item that an operation of Sync Policy returns. */
	async policy(operation: string, parameters: Record<string, unknown> = {}): Promise<IDataObject> {
		return (await this.policyItems(operation, parameters))[0] ?? {};
	}

	async policyItems(
		operation: string,
		parameters: Record<string, unknown> = {},
	): Promise<IDataObject[]> {
		const { outputs } = await executeNode(new SyncPolicy(), {
			parameters: { operation, by: 'ann', policy: this.policyName, ...parameters },
			credentials: { bisyncStoreApi: { ...this.store.settings } },
		});
		return (outputs[0] ?? []).map(({ json }) => json);
	}

	/** Approves the first contact as soon as every system has been read. */
	async approve(): Promise<IDataObject> {
		await this.untilRead();
		return await this.policy('approveFirstContact');
	}

	async untilRead(): Promise<IDataObject> {
		return await waitUntil('all systems to be read', async () => {
			const report = await this.policy('firstContactReport');
			return (report['unread'] as string[]).length === 0 ? report : undefined;
		});
	}

	async activate(system: string): Promise<void> {
		const n8n = fakeN8n(async (events) => {
			this.running += 1;
			const credentials = this.#credentials();
			const run = await runTemplate({
				template: this.#workflow(),
				from: `${system} changes`,
				events,
				credentials,
			});
			this.running -= 1;
			if (run.status !== 'success')
				n8n.logs.push(`failed: ${String(run.data.resultData.error?.message)}`);
			return run.status;
		});
		this.#engines.push(n8n);
		const context = fakeTriggerContext(n8n, {
			parameters: {
				connectWith: 'bisyncPostgresApi',
				useStore: true,
				policy: this.policyName,
				system,
				...(this.polled.has(system) ? { readBy: 'polling', pollSeconds: 1 } : {}),
				options: { sweepSeconds: 1 },
			},
			credentials: {
				bisyncPostgresApi: replicationCredential(this.#database(system).settings),
				bisyncStoreApi: { ...this.store.settings },
			},
		});
		const { closeFunction } = await new PostgresCdcTrigger().trigger.call(context);
		this.#closing.set(system, async () => await closeFunction?.());
	}

	/** Lets the workflow have events that no trigger has emitted. */
	async handOver(system: string, events: readonly IDataObject[]): Promise<void> {
		const run = await runTemplate({ template: this.#workflow(), from: `${system} changes`, events, credentials: this.#credentials() });
		if (run.status !== 'success') throw new Error(String(run.data.resultData.error?.message));
	}

	/** Credentials of a node that reaches the store and two systems. */
	credentialsOf(ofOwn: string, ofBuiltIn: string): Record<string, Record<string, unknown>> {
		const builtIn = { ...this.#database(ofBuiltIn).settings, ssl: 'disable' };
		return { bisyncStoreApi: { ...this.store.settings }, bisyncPostgresApi: { ...replicationCredential(this.#database(ofOwn).settings) }, postgres: builtIn };
	}

	async deactivate(system: string): Promise<void> {
		await this.#closing.get(system)?.();
		this.#closing.delete(system);
	}

	async sql(system: string, text: string): Promise<Record<string, unknown>[]> {
		return (await this.#database(system).pool.query<Record<string, unknown>>(text)).rows;
	}

	/** Waits until the query gives these rows. */
	async untilRows(system: string, text: string, rows: readonly unknown[]): Promise<void> {
		await waitUntil(`${text} of ${system} to give ${JSON.stringify(rows)}`, async () => {
			const found = await this.sql(system, text);
			return JSON.stringify(found) === JSON.stringify(rows);
		});
	}

	/**
	 * Waits until everything that was committed in these systems so far has been observed.
	 *
	 * @param touches - by system, a statement that changes no value of rows that are followed: their event is waited for
	 */
	async untilObserved(touches: Readonly<Record<string, string>>): Promise<void> {
		for (const [system, touch] of Object.entries(touches)) {
			const [before] = await this.sql(
				system,
				`select pg_current_wal_lsn() - '0/0'::pg_lsn as bytes`,
			);
			await this.sql(system, touch);
			await waitUntil(`${system} to be observed`, async () => {
				const { streams } = (await this.policy('show')) as {
					streams: Record<string, { position: string }>;
				};
				return (
					lsnOfPosition(streams[system]?.position ?? STREAM_START) >=
					BigInt(String(before?.['bytes']))
				);
			});
		}
	}

	/** Waits until no link waits to be looked at. */
	async untilAtRest(): Promise<void> {
		await waitUntil('all links to be at rest', async () => {
			const { rows } = await this.store.pool.query('select 1 from n8n_bisync.links where due');
			return rows.length === 0;
		});
	}

	async links(): Promise<LinkState[]> {
		const { rows } = await this.store.pool.query<{ state: LinkState }>(
			'select state from n8n_bisync.links',
		);
		return rows.map(({ state }) => state);
	}

	/** All that the triggers said, and the failures of executions. */
	logs(): string[] {
		return this.#engines.flatMap(({ logs, errors }) => [
			...logs,
			...errors.map(({ message }) => message),
		]);
	}

	/** What the executions and the triggers complained about. */
	complaints(): string[] {
		return this.#engines.flatMap(({ logs, errors }) => [
			...logs.filter((line) => line.startsWith('failed') || line.startsWith('error')),
			...errors.map(({ message }) => message),
		]);
	}

	async close(): Promise<void> {
		for (const close of this.#closing.values()) await close();
		for (const database of [...this.databases.values(), this.store]) await database.drop();
	}

	#database(system: string): TestDatabase {
		const found = this.databases.get(system);
		if (!found) throw new Error(`there is no system ${system}`);
		return found;
	}

	#credentials(): Record<string, object> {
		const systems = [...this.databases].map(([system, { settings }]) => [
			system,
			replicationCredential(settings),
		]);
		return {
			store: { ...this.store.settings },
			...(Object.fromEntries(systems) as Record<string, object>),
		};
	}

	#workflow(): WorkflowTemplate {
		const policy = this.policyName;
		const systems = this.onCanvas;
		const triggers = [...this.databases.keys()];
		return {
			nodes: [
				...triggers.map((system) =>
					nodeOf(`${system} changes`, 'postgresCdcTrigger', { policy, system }, system),
				),
				nodeOf('Echo Filter', 'echoFilter', { policy }),
				nodeOf('Check', 'versionVectorCheck', { policy }),
				nodeOf('Merge', 'fieldAuthorityMerge', { policy, systems: systems.join(', ') }),
				...systems.map((system) =>
					nodeOf(`write ${system}`, 'syncWrite', { policy, system }, system),
				),
			],
			connections: {
				...Object.fromEntries(
					triggers.map((system) => [`${system} changes`, { main: [to('Echo Filter')] }]),
				),
				'Echo Filter': { main: [to('Check')] },
				Check: { main: [to('Merge'), to('Merge')] },
				Merge: { main: systems.map((system) => to(`write ${system}`)) },
			},
		};
	}
}

const to = (node: string): IConnection[] => [{ node, type: 'main', index: 0 }];

function nodeOf(
	name: string,
	type: string,
	parameters: Record<string, string>,
	database?: string,
): INode {
	const credentials = {
		bisyncStoreApi: { id: null, name: 'store' },
		...(database === undefined ? {} : { bisyncPostgresApi: { id: null, name: database } }),
	};
	return {
		id: name,
		name,
		type: `n8n-nodes-bisync.${type}`,
		typeVersion: 1,
		position: [0, 0],
		parameters,
		credentials,
	};
}

/** A lab for one test, closed after it. */
export async function withSyncLab(
	policyName: string,
	setup: Readonly<Record<string, string>>,
	work: (lab: SyncLab) => Promise<void>,
): Promise<void> {
	const lab = await SyncLab.open(policyName, setup);
	try {
		await work(lab);
	} catch (error) {
		process.stderr.write(`${lab.logs().slice(-30).join('\n')}\n`);
		throw error;
	} finally {
		await lab.close();
	}
}
