import type { IRun } from 'n8n-workflow';

import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import type { ChangeEvent } from '../../src/core/change-event';
import type { StoredReview } from '../../src/core/review';
import { policyTables } from '../../src/postgres/event-tables';
import { clearTheWay } from '../../src/postgres/source-setup';
import type { PublishedPolicy } from '../../src/store/sync-store';
import { executeNode } from '../support/fake-execute';
import type { FakeN8n } from '../support/fake-n8n';
import { defaultName } from '../../nodes/PostgresCdcTrigger/settings';
import type { ApiSystem } from './api-system';
import type { ScenarioDatabase } from './databases';
import { type ArmedFault, watchFaults } from './faults';
import type { PolicyVersion } from './policy-version';
import type { Scenario } from './scenario';
import type { StoreHome } from './store-home';
import { type ActiveTrigger, type Execution, type Surroundings, SyncProcess } from './sync-process';
import { Witness, type WitnessedTransaction } from './witness';

/** What a trigger handed to the workflow. */
export interface Delivery {
	readonly system: string;
	readonly events: readonly ChangeEvent[];
}

/** An execution that stands still in mid-air, and how it goes on. */
export interface Held {
	readonly execution: Execution;
	/** As long as its execution runs, its trigger does nothing else. Null: the trigger has given it up. */
	readonly trigger: ActiveTrigger | null;
	release(): void;
}

/** Where a scenario runs. */
export interface Places {
	readonly scenario: Scenario;
	/** Of the systems that are databases. */
	readonly databases: ReadonlyMap<string, ScenarioDatabase>;
	/** The systems that are not. */
	readonly apis: ReadonlyMap<string, ApiSystem>;
	readonly home: StoreHome;
	readonly storePort: number;
}

/** Everything about one scenario while it runs. */
export class Rehearsal {
	readonly witnesses = new Map<string, Witness>();
	/** Of transactions that steps of the scenario made, by system. */
	readonly userXids = new Map<string, Set<number>>();
	readonly deliveries: Delivery[] = [];
	/** What Echo Filter found to have been observed before. */
	duplicates = 0;
	/** By system: why its trigger does not start. */
	readonly halted = new Map<string, string>();
	/** By system, milliseconds that its clock is ahead. */
	readonly clocks = new Map<string, number>();
	readonly versions: PolicyVersion[];
	/** When each step `pump` began and ended, for those that roll one back. */
	readonly runs: { readonly fromMs: number; readonly untilMs: number }[] = [];
	/** Review items as they were when they were first seen, by id. */
	readonly firstSeen = new Map<string, StoredReview>();
	/** When something last went back to an older copy, milliseconds since 1970: what was written before is undone. */
	restoredAtMs = 0;
	/** What the last reconcile found; null: there was none. */
	differences: number | null = null;
	/** Why the last operator's action was refused. */
	refused: string | null = null;
	/** What counts from here on. */
	baseline: Baseline = { journalSeq: '0', transactions: new Map() };
	readonly triggers = new Map<string, ActiveTrigger>();
	readonly held: Held[] = [];
	readonly faults: ArmedFault[] = [];
	readonly logs: string[] = [];
	readonly errors: string[] = [];
	readonly #seen = new Map<string, readonly WitnessedTransaction[]>();
	#process: SyncProcess | null = null;

	readonly scenario: Scenario;
	readonly databases: Places['databases'];
	readonly apis: Places['apis'];
	readonly home: StoreHome;
	readonly #storePort: number;

	constructor({ scenario, databases, apis, home, storePort }: Places) {
		this.scenario = scenario;
		this.databases = databases;
		this.apis = apis;
		this.home = home;
		this.#storePort = storePort;
		this.versions = [scenario.policy];
		for (const system of databases.keys()) this.userXids.set(system, new Set());
	}

	get systems(): readonly string[] {
		return this.scenario.policy.policy.systems;
	}

	get version(): PolicyVersion {
		return this.versions.at(-1) ?? this.scenario.policy;
	}

	get policyName(): string {
		return this.version.policy.name;
	}

	/** The process that runs now; a new one where the last one died. */
	async process(): Promise<SyncProcess> {
		if (this.#process === null || this.#process.points.isDead) {
			this.#process = await SyncProcess.start(this.#surroundings(), this.#storePort);
			watchFaults(this, this.#process);
		}
		return this.#process;
	}

	get livingProcess(): SyncProcess | null {
		return this.#process?.points.isDead === false ? this.#process : null;
	}

	/** Kills the process, and with it all triggers and executions. */
	async kill(): Promise<void> {
		const process = this.livingProcess;
		const zombies = [...this.triggers.values(), ...this.held.flatMap(({ trigger }) => trigger ?? [])];
		this.triggers.clear();
		this.held.length = 0;
		await process?.die();
		// They end by themselves, and nobody waits for what never comes.
		for (const trigger of zombies) void trigger.close();
	}

	async endProcess(): Promise<void> {
		if (this.held.length > 0) await this.kill();
		await this.livingProcess?.end();
		this.#process = null;
	}

	async published(): Promise<PublishedPolicy> {
		const { policy } = await this.home.observer.load({ policy: this.policyName });
		if (!policy) throw new TypeError('the policy was not published');
		return policy;
	}

	/** Runs the Sync Policy node. */
	async policyNode(operation: string, parameters: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
		const { storeCredential } = await this.process();
		const { outputs } = await executeNode(new SyncPolicy(), {
			parameters: { operation, by: 'rehearsal', policy: this.policyName, ...parameters },
			credentials: { bisyncStoreApi: { ...storeCredential } },
		});
		return outputs[0]?.[0]?.json ?? {};
	}

	async publish(version: PolicyVersion): Promise<void> {
		await this.policyNode('publish', { document: JSON.stringify(version.document) });
		if (version !== this.version) this.versions.push(version);
	}

	async openWitness(system: string): Promise<void> {
		const database = this.databases.get(system);
		if (!database) throw new TypeError(`there is no database of ${system}`);
		const publication = defaultName('bisync', this.policyName);
		// Whoever polls needs none, but the witness reads the log.
		if (this.scenario.polled.includes(system)) {
			await clearTheWay(database.settings, { publication, tables: policyTables(this.version.policy, system).published, staleSlot: null });
		}
		const witness = await Witness.open({
			system,
			database,
			publication,
			policy: () => this.version.policy,
			published: await this.published(),
			userXids: this.userXids.get(system) ?? new Set(),
		});
		witness.transactions.unshift(...(this.#seen.get(system) ?? []));
		this.witnesses.set(system, witness);
	}

	/** What it has seen is not forgotten. */
	async closeWitness(system: string): Promise<void> {
		const witness = this.witnesses.get(system);
		this.witnesses.delete(system);
		if (!witness) return;
		this.#seen.set(system, witness.transactions);
		await witness.close();
	}

	readonly slotOf = (system: string): string => `${this.databases.get(system)?.name ?? system}_slot`.toLowerCase();

	#surroundings(): Surroundings {
		const { databases, apis, home } = this;
		return {
			policy: () => this.version.policy,
			databases,
			apis,
			home,
			slotOf: (system) => this.slotOf(system),
			isPolled: (system) => this.scenario.polled.includes(system),
			onEmit: (system, events) => this.#emitted(system, events),
			onRun: (run) => this.#ran(run),
			onLog: (system, n8n) => this.#listen(system, n8n),
		};
	}

	#emitted(system: string, events: readonly ChangeEvent[]): readonly ChangeEvent[] {
		const shiftMs = this.clocks.get(system) ?? 0;
		const shown = events.map((event) => ({ ...event, source: { ...event.source, tsMs: event.source.tsMs + shiftMs } }));
		this.deliveries.push({ system, events: shown });
		return structuredClone(shown);
	}

	#ran({ data }: IRun): void {
		const { error, runData } = data.resultData;
		if (error) this.logs.push(`an execution failed: ${error.message}`);
		const found = Object.entries(runData).flatMap(([node, runs]) => {
			const items = runs.flatMap((run) => (run.data?.['main'] ?? []).flat());
			return items.map((item) => ({ node, ...(item?.json['bisync'] as Findings | undefined) }));
		});
		const filtered = found.filter(({ node, echoFilter }) => /^(Echo Filter|Observe )/.test(node) && echoFilter?.disposition === 'duplicate');
		this.duplicates += filtered.length;
		for (const { node, write } of found) if (write?.error) this.logs.push(`${node}: ${write.outcome}: ${write.error.message}`);
	}

	#listen(system: string, n8n: FakeN8n): void {
		const { logs, errors } = this;
		const tee = (kind: string, into: string[]) => (text: unknown) => {
			into.push(`${system}: ${kind}${text instanceof Error ? text.message : String(text)}`);
		};
		const { logger } = n8n;
		logger.warn = tee('warning: ', logs);
		logger.error = tee('error: ', logs);
		n8n.emitError = tee('', errors);
		n8n.saveFailedExecution = tee('', errors);
	}
}

/** What nodes say about an item, as far as it is looked at here. */
interface Findings {
	readonly echoFilter?: { readonly disposition?: string };
	readonly write?: { readonly outcome?: string; readonly error?: { readonly message?: string } };
}

export interface Baseline {
	readonly journalSeq: string;
	/** By system: how many transactions its witness had seen. */
	readonly transactions: ReadonlyMap<string, number>;
}
