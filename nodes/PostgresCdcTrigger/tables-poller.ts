import type { NodeOperationError } from 'n8n-workflow';

import { type EventTable, plainTables } from '../../src/postgres/event-tables';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { PollSnapshot } from '../../src/postgres/poll-snapshot';
import { type SnapshotChange, snapshotEvents } from '../../src/postgres/snapshot-events';
import { labelOf } from '../../src/postgres/snapshot-columns';
import { BackOff } from './back-off';
import { Delivery } from './deliver';
import { isWanted } from './event-shapes';
import type { Reader, TriggerHost } from './lifecycle';
import { Patience } from './patience';
import { placeOfPoll, pollFrom } from './poll-loop';
import { checkPolled } from './prepare';
import { RunProgress } from './progress';
import type { PollingSettings, TableSource, TriggerSettings } from './settings';
import type { ReaderTiming } from './store-reader';
import { lookAtTables, type TableLook } from './table-look';
import { type PolledState, TablePoll } from './table-poll';
import { WorkflowRuns } from './workflow-runs';

/** What outlives a restart of n8n, as it keeps it with the workflow. */
export interface PollMemory {
	systemId?: string;
	/** By table, the horizon of the last poll of which all is known to be done. */
	horizons?: Record<string, string>;
}

export interface TablesPollerParts {
	readonly settings: TriggerSettings;
	readonly polling: PollingSettings;
	readonly source: TableSource;
	readonly host: TriggerHost;
	readonly memory: PollMemory;
	readonly asNodeError: (error: unknown) => NodeOperationError;
	readonly timing?: ReaderTiming | undefined;
}

/**
 * Polls tables without a sync store, for any workflow. What an execution failed with comes again. After a restart rows
 * that changed meanwhile are found by the horizon that n8n kept, some perhaps once more; deletes are not.
 */
export class TablesPoller implements Reader<TableLook> {
	readonly asNodeError: TablesPollerParts['asNodeError'];
	readonly farewell = 'Polling has ended. What changes from now on is found when the workflow is active again, but for rows that are deleted';
	/** By table, what the last poll left. */
	readonly #states = new Map<string, PolledState>();
	#systemId: string | null = null;
	#polls = 0;

	constructor(private readonly parts: TablesPollerParts) {
		this.asNodeError = parts.asNodeError;
	}

	/** @throws SyncError TABLE_MISSING, INVALID_SETTING, PREFLIGHT_FAILED */
	async prepare(isThorough: boolean): Promise<TableLook> {
		const { settings, source, host } = this.parts;
		const look = await lookAtTables({ ...settings, isPublished: false }, source);
		if (isThorough) await checkPolled(settings.connection, look.wanted, host.logger);
		return look;
	}

	async read(look: TableLook, stop: AbortSignal): Promise<void> {
		const { polling, host, timing } = this.parts;
		const delivery = new Delivery({
			runs: new WorkflowRuns(host, stop, timing?.graceMs),
			progress: new RunProgress(),
			patience: new Patience(host.logger, stop, timing?.backOff),
			backOff: new BackOff(timing?.backOff),
			log: host.logger,
			stop,
		});
		const poll = async (): Promise<void> => await this.#poll(look, delivery);
		await pollFrom({ everyMs: polling.everyMs, stop, poll, chore: null, isOutdated: () => false });
	}

	release(): void {}

	async #poll(look: TableLook, delivery: Delivery): Promise<void> {
		const { settings, polling } = this.parts;
		const snapshot = await PollSnapshot.open(settings.connection);
		try {
			this.#recall(snapshot);
			const looksForDeletes = polling.deletesEvery > 0 && this.#polls++ % polling.deletesEvery === 0;
			const run = new PollRun(this.parts, { snapshot, look, delivery, states: this.#states, looksForDeletes });
			for (const table of plainTables(look.wanted).all) {
				const state = await run.table(table);
				if (state === null) return;
				this.#states.set(labelOf(table), state);
			}
			this.#remember(snapshot);
		} finally {
			await snapshot.close();
		}
	}

	/** What n8n kept of an earlier life; of another server it would mean nothing. */
	#recall({ moment }: PollSnapshot): void {
		const { memory, host } = this.parts;
		const { systemId } = moment.server;
		const before = this.#systemId ?? memory.systemId ?? systemId;
		const isKnown = this.#systemId === systemId;
		this.#systemId = systemId;
		if (before !== systemId) {
			this.#states.clear();
			host.logger.warn('Another server answers at this address than before: what changes is looked for from now on');
		}
		if (isKnown || before !== systemId || memory.horizons === undefined) return;
		for (const [table, horizon] of Object.entries(memory.horizons)) {
			this.#states.set(table, { horizon: BigInt(horizon), known: null, seen: new Map() });
		}
	}

	/** n8n stores it with the next execution: a little late, so that after a restart some rows come once more. */
	#remember({ moment }: PollSnapshot): void {
		const { memory } = this.parts;
		memory.systemId = moment.server.systemId;
		memory.horizons = Object.fromEntries([...this.#states].map(([table, { horizon }]) => [table, String(horizon)]));
	}
}

interface RunParts {
	readonly snapshot: PollSnapshot;
	readonly look: TableLook;
	readonly delivery: Delivery;
	readonly states: ReadonlyMap<string, PolledState>;
	readonly looksForDeletes: boolean;
}

/** One poll of all tables. */
class PollRun {
	readonly #place: bigint;
	#index = 1;

	constructor(
		private readonly parts: TablesPollerParts,
		private readonly run: RunParts,
	) {
		this.#place = placeOfPoll(run.snapshot.moment.server.walLsn, run.delivery.position);
	}

	/** @returns null when the trigger was to stop first */
	async table(table: EventTable): Promise<PolledState | null> {
		const { snapshot, look, states, looksForDeletes } = this.run;
		const { polling, settings } = this.parts;
		const where = look.wanted.find((one) => labelOf(one) === labelOf(table))?.rowFilter ?? null;
		const options = { where, pageSize: settings.maxChanges, keepsKeys: polling.deletesEvery > 0, looksForDeletes };
		const before = states.get(labelOf(table));
		if (!before) {
			this.parts.host.logger.info(`Changes of ${labelOf(table)} are looked for from now on, and none from before`);
			return await TablePoll.baseline(snapshot, table, options);
		}
		const pages = new TablePoll(snapshot, table, before, options).changes();
		for (;;) {
			const { done, value } = await pages.next();
			if (done) return value;
			if (!(await this.#deliver(value))) return null;
		}
	}

	async #deliver(changes: readonly SnapshotChange[]): Promise<boolean> {
		const { snapshot, delivery } = this.run;
		const at = { lsn: this.#place, tsMs: snapshot.moment.tsMs, index: this.#index };
		this.#index += changes.length;
		const events = snapshotEvents(changes, this.#origin(), at).filter((event) => isWanted(event, this.parts.source.operations));
		return await delivery.deliver(events, async () => undefined);
	}

	#origin(): EventOrigin {
		const { connection } = this.parts.settings;
		const { snapshot, look } = this.run;
		return {
			system: connection.database,
			database: connection.database,
			systemId: snapshot.moment.server.systemId,
			tables: plainTables(look.wanted),
			isMarker: () => false,
			markerSystem: null,
			shape: look.shape,
		};
	}
}
