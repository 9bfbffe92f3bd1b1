import type { NodeOperationError } from 'n8n-workflow';

import { createSlot } from '../../src/postgres/create-slot';
import { type EventTables, plainTables } from '../../src/postgres/event-tables';
import { shapeChanges, shapeInWords } from '../../src/postgres/shape-changes';
import { slotProblem, type SystemIdentity } from '../../src/postgres/slot';
import { clearTheWay, readPrimaryKeys, readSourceState } from '../../src/postgres/source-setup';
import { BackOff } from './back-off';
import { Delivery } from './deliver';
import type { Reader, TriggerHost } from './lifecycle';
import { Patience } from './patience';
import { checkServer } from './prepare';
import { RunProgress } from './progress';
import { readStream } from './read-stream';
import type { TableSource, TriggerSettings } from './settings';
import type { ReaderTiming } from './store-reader';
import { WorkflowRuns } from './workflow-runs';

export interface TablesReaderParts {
	readonly settings: TriggerSettings;
	readonly source: TableSource;
	readonly host: TriggerHost;
	readonly asNodeError: (error: unknown) => NodeOperationError;
	readonly timing?: ReaderTiming | undefined;
}

export interface PreparedTables {
	readonly tables: EventTables;
	readonly server: SystemIdentity;
	readonly hasSlot: boolean;
}

/**
 * Reads tables without a sync store, for any workflow: a change is acknowledged once the execution
 * that had it succeeded, and emitted again until then. Nobody keeps count, so a slot that somebody
 * dropped while the workflow was inactive cannot be told from one that was never there.
 */
export class TablesReader implements Reader<PreparedTables> {
	readonly asNodeError: TablesReaderParts['asNodeError'];
	readonly farewell: string;
	#hadSlot = false;

	constructor(private readonly parts: TablesReaderParts) {
		this.asNodeError = parts.asNodeError;
		const { slot } = parts.settings;
		this.farewell =
			`The slot "${slot}" is kept: changes are held in the server's log until the workflow is active ` +
			`again, or the slot is dropped with select pg_drop_replication_slot('${slot}')`;
	}

	/** @throws SyncError TABLE_MISSING, PREFLIGHT_FAILED, SLOT_LOST, SLOT_UNUSABLE; SLOT_MISSING when it vanished meanwhile */
	async prepare(isThorough: boolean): Promise<PreparedTables> {
		const { settings, source, host } = this.parts;
		const { connection } = settings;
		const { system: server, slot } = await readSourceState(connection, settings.slot);
		const problem = slotProblem(slot, settings.slot, connection.database);
		if (problem && (slot || this.#hadSlot)) throw problem;
		const keyed = await readPrimaryKeys(connection, source.tables);
		if (isThorough) {
			await checkServer(
				settings,
				keyed.map((table) => ({ ...table, columns: [] })),
				host.logger,
			);
		}
		return { tables: plainTables(keyed), server, hasSlot: slot !== null };
	}

	async read(prepared: PreparedTables, stop: AbortSignal): Promise<void> {
		const { settings, host, timing } = this.parts;
		if (!prepared.hasSlot) await this.#makeSlot(prepared);
		this.#hadSlot = true;
		const progress = new RunProgress();
		const patience = new Patience(host.logger, stop, timing?.backOff);
		const runs = new WorkflowRuns(host, stop, timing?.graceMs);
		const backOff = new BackOff(timing?.backOff);
		await readStream({
			settings,
			origin: {
				// There is no policy that would name it.
				system: settings.connection.database,
				database: settings.connection.database,
				systemId: prepared.server.systemId,
				tables: prepared.tables,
				isMarker: (prefix) => prefix.startsWith('bisync:'),
				markerSystem: null,
			},
			delivery: new Delivery({ runs, progress, patience, backOff, log: host.logger, stop }),
			progress,
			patience,
			stop,
			idleIntervalMs: timing?.idleIntervalMs,
			chore: null,
			rows: null,
			dates: null,
			inspect: (transaction) => {
				for (const change of shapeChanges(transaction)) host.logger.warn(`Table ${shapeInWords(change)}`);
			},
			isOutdated: () => false,
		});
	}

	release(): void {}

	async #makeSlot({ tables }: PreparedTables): Promise<void> {
		const { settings, host } = this.parts;
		const { connection, publication, slot: name } = settings;
		await clearTheWay(connection, { publication, tables: tables.all, staleSlot: null });
		const slot = await createSlot(connection, { name });
		await slot.release();
		host.logger.warn(`Made the slot "${name}": changes are read from now on, and none from before`);
	}
}
