import { AsyncLocalStorage } from 'node:async_hooks';

import type { IDataObject, IRun } from 'n8n-workflow';
import type pg from 'pg';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { ownSettings } from '../../nodes/shared/connection-settings';
import { provideDatabase } from '../../nodes/shared/open-database';
import { provideStore } from '../../nodes/shared/open-store';
import type { ChangeEvent } from '../../src/core/change-event';
import type { Policy } from '../../src/core/policy';
import { openPool } from '../../src/postgres/open-pool';
import { CrashPoints, watchPool, watchStore } from '../support/crash-points';
import { type FakeN8n, fakeN8n } from '../support/fake-n8n';
import { fakeTriggerContext } from '../support/fake-trigger-context';
import type { CrmEvent } from '../support/rest-crm/webhooks';
import { runTemplate } from '../support/run-template';
import { openTcpRelay, type TcpRelay } from '../support/tcp-relay';
import type { ApiSystem } from './api-system';
import type { ScenarioDatabase } from './databases';
import type { OpenedStore, StoreHome } from './store-home';
import { API_CREDENTIAL_NAME, credentialName, eventsName, SCHEDULE, STORE_CREDENTIAL_NAME, triggerName, workflowFor } from './workflow-for';

/** What a process finds around it. */
export interface Surroundings {
	readonly policy: () => Policy;
	readonly databases: ReadonlyMap<string, ScenarioDatabase>;
	readonly apis: ReadonlyMap<string, ApiSystem>;
	readonly home: StoreHome;
	readonly slotOf: (system: string) => string;
	readonly isPolled: (system: string) => boolean;
	/** Called with what a trigger emits; may change what the workflow gets. */
	readonly onEmit: (system: string, events: readonly ChangeEvent[]) => readonly ChangeEvent[];
	readonly onRun: (run: IRun) => void;
	readonly onLog: (system: string, n8n: FakeN8n) => void;
}

/** One run of the workflow. */
export interface Execution {
	readonly system: string;
	/** Lets the trigger believe that it is over, as n8n does with one that takes too long. */
	giveUp(): void;
}

export interface ActiveTrigger {
	readonly system: string;
	close(): Promise<void>;
}

/**
 * The n8n of a rehearsal: the real nodes in this process, with connections, caches and a store
 * client of its own, so that it can die without taking us along.
 */
export class SyncProcess {
	readonly points = new CrashPoints();
	readonly executions = new Set<Execution>();
	readonly #current = new AsyncLocalStorage<Execution>();
	readonly #pools: pg.Pool[] = [];
	readonly #forgetting: (() => void)[] = [];

	private constructor(
		private readonly around: Surroundings,
		private readonly relays: ReadonlyMap<number, TcpRelay>,
		private readonly opened: OpenedStore,
	) {}

	static async start(around: Surroundings, storePort: number): Promise<SyncProcess> {
		const ports = new Set([storePort, ...[...around.databases.values()].map(({ server }) => server.port)]);
		const relays = new Map<number, TcpRelay>();
		for (const port of ports) relays.set(port, await openTcpRelay(port));
		const process = new SyncProcess(around, relays, around.home.openFor(relays.get(storePort)?.port ?? storePort));
		process.#provide();
		return process;
	}

	/** The execution in which this code runs. */
	get currentExecution(): Execution | undefined {
		return this.#current.getStore();
	}

	get storeCredential(): OpenedStore['credential'] {
		return this.opened.credential;
	}

	/** Runs the workflow as if the trigger of the system had emitted these events. */
	async execute(system: string, events: readonly ChangeEvent[]): Promise<IRun['status']> {
		return await this.#execute(system, triggerName(system), events);
	}

	/** Runs the workflow as if an API had sent these events, each by itself. @returns how many were taken */
	async receive(system: string, events: readonly CrmEvent[]): Promise<number> {
		let taken = 0;
		for (const body of events) {
			if ((await this.#execute(system, eventsName(system), [{ headers: {}, body }])) !== 'success') break;
			taken += 1;
		}
		return taken;
	}

	/** Runs the workflow as its schedule does, which reads all records of an API. */
	async readApi(system: string): Promise<void> {
		await this.#execute(system, SCHEDULE, [{}]);
	}

	async #execute(system: string, from: string, events: readonly object[]): Promise<IRun['status']> {
		let giveUp: () => void = () => undefined;
		const givenUp = new Promise<IRun['status']>((resolve) => {
			giveUp = () => resolve('canceled');
		});
		const execution: Execution = { system, giveUp };
		this.executions.add(execution);
		const running = this.#current.run(execution, async () => await this.#run(from, events));
		return await Promise.race([running.finally(() => this.executions.delete(execution)), givenUp]);
	}

	/** @param isRestart - as when n8n itself starts: it waits for what is not ready yet */
	async activate(system: string, isRestart: boolean): Promise<ActiveTrigger> {
		const { around } = this;
		const n8n = fakeN8n(async (events) => await this.execute(system, around.onEmit(system, events)));
		around.onLog(system, n8n);
		const context = fakeTriggerContext(n8n, {
			activation: isRestart ? 'init' : 'activate',
			parameters: {
				connectWith: 'bisyncPostgresApi',
				useStore: true,
				policy: around.policy().name,
				system,
				...(around.isPolled(system)
					? { readBy: 'polling', pollSeconds: 1, deletesEvery: 1, options: { sweepSeconds: 1 } }
					: { options: { sweepSeconds: 1, maxWaitMs: 0, slotName: around.slotOf(system) } }),
			},
			credentials: {
				bisyncPostgresApi: this.databaseCredential(system),
				bisyncStoreApi: this.storeCredential as never,
			},
		});
		const { closeFunction } = await new PostgresCdcTrigger().trigger.call(context);
		return { system, close: async () => await closeFunction?.() };
	}

	/** Ends as a process does that is asked to. */
	async end(): Promise<void> {
		this.#forget();
		for (const pool of this.#pools) await pool.end();
		await this.opened.store.close();
		for (const relay of this.relays.values()) await relay.close();
	}

	/** Ends as by kill -9: the servers see their connections go, and nothing that was under way comes back. */
	async die(): Promise<void> {
		this.points.die();
		this.#forget();
		this.executions.clear();
		for (const relay of this.relays.values()) await relay.close();
	}

	async #run(from: string, events: readonly object[]): Promise<IRun['status']> {
		const urls = new Map([...this.around.apis].map(([system, { crm }]) => [system, crm.url]));
		const run = await this.points.living(
			runTemplate({
				template: workflowFor(this.around.policy(), urls),
				from,
				events: events as readonly IDataObject[],
				credentials: this.#credentials(),
			}),
		);
		this.around.onRun(run);
		return run.status;
	}

	#provide(): void {
		const store = watchStore(this.opened.store, this.points);
		this.#forgetting.push(provideStore(this.opened.credential, store));
		for (const system of this.around.databases.keys()) {
			const settings = ownSettings(this.databaseCredential(system));
			const pool: pg.Pool = watchPool(openPool(settings, 5), system, this.points);
			this.#forgetting.push(provideDatabase(settings, pool));
			this.#pools.push(pool);
		}
	}

	/** What comes after finds none of this. */
	#forget(): void {
		for (const forget of this.#forgetting) forget();
	}

	#credentials(): Record<string, object> {
		const systems = [...this.around.databases.keys()];
		return {
			[STORE_CREDENTIAL_NAME]: this.storeCredential,
			[API_CREDENTIAL_NAME]: { name: 'authorization', value: 'none' },
			...Object.fromEntries(systems.map((system) => [credentialName(system), this.databaseCredential(system)])),
		};
	}

	databaseCredential(system: string): Record<string, string | number> {
		const database = this.around.databases.get(system);
		if (!database) throw new TypeError(`there is no database of ${system}`);
		const { settings, server } = database;
		return { ...settings, port: this.relays.get(server.port)?.port ?? server.port, ssl: 'disable' };
	}
}
