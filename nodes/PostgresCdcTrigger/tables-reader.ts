import type { NodeOperationError } from 'n8n-workflow';

import type { SyncError } from '../../src/core/errors';
import { alignFailover } from '../../src/postgres/failover-slot';
import type { NewSlot } from '../../src/postgres/create-slot';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { type EventTables, plainTables } from '../../src/postgres/event-tables';
import { publishedColumns } from '../../src/postgres/publication';
import { shapeChanges, shapeInWords } from '../../src/postgres/shape-changes';
import type { SystemIdentity } from '../../src/postgres/slot';
import { labelOf } from '../../src/postgres/snapshot-columns';
import { clearTheWay, readSourceState } from '../../src/postgres/source-setup';
import type { TableReading } from '../../src/store/stream-record';
import { lookForRequests, RowsAsked, withRequests } from './asked-readings';
import { BackOff } from './back-off';
import { Delivery } from './deliver';
import { isWanted } from './event-shapes';
import type { Reader, TriggerHost } from './lifecycle';
import { Patience } from './patience';
import { makeSlot } from './start-stream';
import { checkServer } from './prepare';
import { RunProgress } from './progress';
import { readStream } from './read-stream';
import { RowReading } from './row-reading';
import { tellAsked, tellRefused } from './tell-asked';
import { lookAtTables, type TableLook } from './table-look';
import { TablesKeeper } from './tables-keeper';
import { judgeTables, type TablesMemory, type TablesStart } from './tables-start';
import type { TableSource, TriggerSettings } from './settings';
import type { ReaderTiming } from './store-reader';
import { whileWatchingSlot } from './slot-watch';
import { WorkflowRuns } from './workflow-runs';

export interface TablesReaderParts {
	readonly settings: TriggerSettings;
	readonly source: TableSource;
	readonly host: TriggerHost;
	readonly memory: TablesMemory;
	readonly asNodeError: (error: unknown) => NodeOperationError;
	readonly timing?: ReaderTiming | undefined;
}

export interface PreparedTables extends TableLook {
	readonly tables: EventTables;
	readonly server: SystemIdentity;
	readonly start: Exclude<TablesStart, { kind: 'refuse' }>;
}

/**
 * Reads tables without a sync store, for any workflow: a change is acknowledged once the execution
 * that had it succeeded, and emitted again until then. Nobody keeps count but n8n, which remembers
 * that there was a slot, and how far rows that were there have been read.
 */
export class TablesReader implements Reader<PreparedTables> {
	readonly asNodeError: TablesReaderParts['asNodeError'];
	readonly farewell: string;
	readonly #keeper: TablesKeeper;
	/** Up to where the slot stands at most; null: it has not been read since n8n was started. */
	#acknowledgedLsn: bigint | null = null;

	constructor(private readonly parts: TablesReaderParts) {
		this.asNodeError = parts.asNodeError;
		this.#keeper = new TablesKeeper(parts.memory);
		const { slot } = parts.settings;
		this.farewell =
			`The slot "${slot}" is kept: changes are held in the server's log until the workflow is active ` +
			`again, or the slot is dropped with select pg_drop_replication_slot('${slot}')`;
	}

	/** @throws SyncError TABLE_MISSING, INVALID_SETTING, PREFLIGHT_FAILED, SLOT_LOST, SLOT_UNUSABLE; SLOT_MISSING when it is not as this trigger left it */
	async prepare(isThorough: boolean): Promise<PreparedTables> {
		const { settings, source, host } = this.parts;
		const { connection } = settings;
		const { system: server, slot } = await readSourceState(connection, settings.slot);
		const { stream } = this.parts.memory;
		const start = judgeTables({
			record: stream?.slot === settings.slot ? stream : null,
			slot,
			server,
			slotName: settings.slot,
			database: connection.database,
			rows: source.rows === 'only' ? 'never' : source.rows,
			tables: source.tables.map(labelOf),
			acknowledgedLsn: this.#acknowledgedLsn,
		});
		if (start.kind === 'refuse') throw start.error;
		const look = await lookAtTables({ ...settings, isPublished: true }, source);
		if (isThorough) await checkServer({ ...settings, operations: source.operations }, look.wanted, host.logger);
		// Before there is a slot: once there is one, n8n knows what is still to be read.
		const { systemId, timeline } = server;
		this.#keeper.keep({ slot: settings.slot, systemId, timeline, hasSlot: start.kind === 'resume', reading: start.reading });
		return { ...look, tables: plainTables(look.wanted), server, start };
	}

	async read(prepared: PreparedTables, stop: AbortSignal): Promise<void> {
		const { settings, source, host, timing } = this.parts;
		const first = prepared.start.kind === 'begin' ? await this.#makeSlot(prepared) : null;
		if (first === null && settings.failover !== undefined) await alignFailover(settings.connection, settings.slot, settings.failover);
		const rows = await this.#rowReading(prepared, first);
		const progress = new RunProgress();
		let isOutdated = false;
		const patience = new Patience(host.logger, stop, timing?.backOff);
		const runs = new WorkflowRuns(host, stop, timing?.graceMs);
		const backOff = new BackOff(timing?.backOff);
		const { connection, slot } = settings;
		const watched = { connection, slot, system: connection.database, host, asNodeError: this.asNodeError, everyMs: timing?.slotWatchMs };
		const read = async (): Promise<void> => await readStream({
			settings,
			origin: this.#origin(prepared),
			expected: { server: prepared.server, reachedLsn: null },
			delivery: new Delivery({ runs, progress, patience, backOff, log: host.logger, stop }),
			progress,
			patience,
			stop,
			idleIntervalMs: timing?.idleIntervalMs,
			chore: null,
			rows,
			dates: null,
			inspect: (transaction) => {
				lookForRequests(transaction, { slot, macKey: null, known: prepared.start.reading ?? [], log: host.logger });
				const changes = shapeChanges(transaction);
				for (const change of changes) host.logger.warn(`Table ${shapeInWords(change)}`);
				// What may leave of a table was decided by the columns that it had.
				isOutdated ||= changes.length > 0;
			},
			isWanted: (event) => isWanted(event, source.operations),
			isOutdated: () => isOutdated,
		});
		try {
			await whileWatchingSlot(watched, read).catch((error: unknown) => this.#noteRequests(error, prepared));
		} finally {
			const { acknowledgedLsn } = progress;
			if (acknowledgedLsn > (this.#acknowledgedLsn ?? 0n)) this.#acknowledgedLsn = acknowledgedLsn;
			await rows?.close();
		}
	}

	release(): void {}

	#noteRequests(error: unknown, { tables }: PreparedTables): void {
		const { memory } = this.parts;
		if (!(error instanceof RowsAsked) || !memory.stream) throw error;
		const { reading, strange } = withRequests(memory.stream.reading ?? [], error.requests, { tables: tables.all, phase: 'rows' });
		this.#keeper.keep({ ...memory.stream, reading });
		tellAsked(this.parts, strange, 'it is not among the tables of this trigger');
	}

	#origin({ server, tables, shape }: PreparedTables): EventOrigin {
		const { database } = this.parts.settings.connection;
		// There is no policy that would name the system.
		return { system: database, database, systemId: server.systemId, tables, isMarker: (prefix) => prefix.startsWith('bisync:'), markerSystem: null, shape };
	}

	/** Null: there is nothing to read but changes. Rows are read with the columns that their changes have: the publication may leave some out. */
	async #rowReading(prepared: PreparedTables, first: NewSlot | null): Promise<RowReading | null> {
		const { settings, host, timing } = this.parts;
		const { wanted, start } = prepared;
		const tables = (start.reading ?? []).filter(({ phase }) => phase !== 'done');
		if (tables.length === 0) return null;
		host.logger.info(`Reading the rows of ${tables.map(({ table }) => table).join(', ')}`);
		const whereOf = ({ table }: TableReading): string | null => wanted.find((one) => labelOf(one) === table)?.rowFilter ?? null;
		const origin = this.#origin({ ...prepared, tables: plainTables(wanted, await publishedColumns(settings)) });
		const parts = { settings, origin, log: host.logger, tables: start.reading ?? [], keeper: this.#keeper, whereOf, onRefused: (error: SyncError) => tellRefused(this.parts, error), turnMs: timing?.turnMs };
		return new RowReading(parts, first);
	}

	/** @returns null where the slot's snapshot is of no use: no rows are to be read */
	async #makeSlot({ wanted, start }: PreparedTables): Promise<NewSlot | null> {
		const { settings, source, host, memory } = this.parts;
		const { connection, publication, slot: name } = settings;
		const staleSlot = start.kind === 'begin' ? start.staleSlot : null;
		await clearTheWay(connection, { publication, tables: wanted, staleSlot, operations: source.operations });
		const slot = await makeSlot(settings);
		this.#acknowledgedLsn = slot.consistentLsn;
		if (memory.stream) this.#keeper.keep({ ...memory.stream, hasSlot: true });
		if (start.reading?.some(({ phase }) => phase !== 'done')) {
			host.logger.info(`Made the slot "${name}": the rows that are there are read first, then what changes from now on`);
			return slot;
		}
		await slot.release();
		host.logger.warn(`Made the slot "${name}": changes are read from now on, and none from before`);
		return null;
	}
}
