import type { NodeOperationError } from 'n8n-workflow';

import { createSlot } from '../../src/postgres/create-slot';
import { type EventTables, plainTables } from '../../src/postgres/event-tables';
import { shapeChanges, shapeInWords } from '../../src/postgres/shape-changes';
import { slotProblem, type SystemIdentity } from '../../src/postgres/slot';
import { clearTheWay, readSourceState } from '../../src/postgres/source-setup';
import { BackOff } from './back-off';
import { Delivery } from './deliver';
import { isWanted } from './event-shapes';
import type { Reader, TriggerHost } from './lifecycle';
import { Patience } from './patience';
import { checkServer } from './prepare';
import { RunProgress } from './progress';
import { readStream } from './read-stream';
import { lookAtTables, type TableLook } from './table-look';
import type { TableSource, TriggerSettings } from './settings';
import type { ReaderTiming } from './store-reader';
import { whileWatchingSlot } from './slot-watch';
import { WorkflowRuns } from './workflow-runs';

export interface TablesReaderParts {
	readonly settings: TriggerSettings;
	readonly source: TableSource;
	readonly host: TriggerHost;
	readonly asNodeError: (error: unknown) => NodeOperationError;
	readonly timing?: ReaderTiming | undefined;
}

export interface PreparedTables extends TableLook {
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

	/** @throws SyncError TABLE_MISSING, INVALID_SETTING, PREFLIGHT_FAILED, SLOT_LOST, SLOT_UNUSABLE; SLOT_MISSING when it vanished meanwhile */
	async prepare(isThorough: boolean): Promise<PreparedTables> {
		const { settings, source, host } = this.parts;
		const { connection } = settings;
		const { system: server, slot } = await readSourceState(connection, settings.slot);
		const problem = slotProblem(slot, settings.slot, connection.database);
		if (problem && (slot || this.#hadSlot)) throw problem;
		const look = await lookAtTables(settings, source);
		if (isThorough) await checkServer({ ...settings, operations: source.operations }, look.wanted, host.logger);
		return { ...look, tables: plainTables(look.wanted), server, hasSlot: slot !== null };
	}

	async read(prepared: PreparedTables, stop: AbortSignal): Promise<void> {
		const { settings, source, host, timing } = this.parts;
		if (!prepared.hasSlot) await this.#makeSlot(prepared);
		this.#hadSlot = true;
		const progress = new RunProgress();
		let isOutdated = false;
		const patience = new Patience(host.logger, stop, timing?.backOff);
		const runs = new WorkflowRuns(host, stop, timing?.graceMs);
		const backOff = new BackOff(timing?.backOff);
		const { connection, slot } = settings;
		const watched = { connection, slot, system: connection.database, host, asNodeError: this.asNodeError, everyMs: timing?.slotWatchMs };
		const read = async (): Promise<void> => await readStream({
			settings,
			origin: {
				// There is no policy that would name it.
				system: settings.connection.database,
				database: settings.connection.database,
				systemId: prepared.server.systemId,
				tables: prepared.tables,
				isMarker: (prefix) => prefix.startsWith('bisync:'),
				markerSystem: null,
				shape: prepared.shape,
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
				const changes = shapeChanges(transaction);
				for (const change of changes) host.logger.warn(`Table ${shapeInWords(change)}`);
				// What may leave of a table was decided by the columns that it had.
				isOutdated ||= changes.length > 0;
			},
			isWanted: (event) => isWanted(event, source.operations),
			isOutdated: () => isOutdated,
		});
		await whileWatchingSlot(watched, read);
	}

	release(): void {}

	async #makeSlot({ wanted }: PreparedTables): Promise<void> {
		const { settings, source, host } = this.parts;
		const { connection, publication, slot: name } = settings;
		await clearTheWay(connection, { publication, tables: wanted, staleSlot: null, operations: source.operations });
		const slot = await createSlot(connection, { name });
		await slot.release();
		host.logger.warn(`Made the slot "${name}": changes are read from now on, and none from before`);
	}
}
