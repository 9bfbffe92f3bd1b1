import { once } from 'node:events';

import type { NodeOperationError } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { plainTables } from '../../src/postgres/event-tables';
import { openInstant } from '../../src/postgres/instant';
import { labelOf } from '../../src/postgres/snapshot-columns';
import type { TableReading } from '../../src/store/stream-record';
import { BackOff } from './back-off';
import { Delivery } from './deliver';
import type { Reader, TriggerHost } from './lifecycle';
import { Patience } from './patience';
import { placeOfPoll } from './poll-loop';
import { checkPolled } from './prepare';
import { RunProgress } from './progress';
import { RowReading } from './row-reading';
import type { TableSource, TriggerSettings } from './settings';
import type { ReaderTiming } from './store-reader';
import { lookAtTables, type TableLook } from './table-look';
import { TablesKeeper } from './tables-keeper';
import { type TablesMemory, unread } from './tables-start';
import { WorkflowRuns } from './workflow-runs';

export interface RowsReaderParts {
	readonly settings: TriggerSettings;
	readonly source: TableSource;
	readonly host: TriggerHost;
	readonly memory: TablesMemory;
	/** A person has activated the workflow just now: what was read before is read again. */
	readonly isNew: boolean;
	readonly asNodeError: (error: unknown) => NodeOperationError;
	readonly timing?: ReaderTiming | undefined;
}

/** In place of a slot's name, of rows that are read without one; no slot can be called so. */
const WITHOUT_SLOT = '(rows only)';

/**
 * Reads the rows that are there, all as they were at one instant, and then has nothing more to do. Takes no slot and no
 * publication. What n8n keeps lets it go on after a restart; the rest is then read as it is by then.
 */
export class RowsReader implements Reader<TableLook> {
	readonly asNodeError: RowsReaderParts['asNodeError'];
	readonly farewell = null;
	readonly #keeper: TablesKeeper;
	readonly #progress = new RunProgress();
	#isNew: boolean;

	constructor(private readonly parts: RowsReaderParts) {
		this.asNodeError = parts.asNodeError;
		this.#isNew = parts.isNew;
		this.#keeper = new TablesKeeper(parts.memory, () => parts.host.logger.info('All rows have been read. This trigger has nothing more to do: the workflow can be deactivated'));
	}

	/** @throws SyncError TABLE_MISSING, INVALID_SETTING, PREFLIGHT_FAILED */
	async prepare(isThorough: boolean): Promise<TableLook> {
		const { settings, source, host, memory } = this.parts;
		const look = await lookAtTables({ ...settings, isPublished: false }, source);
		if (isThorough) await checkPolled(settings.connection, look.wanted, host.logger);
		const instant = await openInstant(settings.connection);
		await instant.release();
		const { stream } = memory;
		const isKnown = stream?.slot === WITHOUT_SLOT && stream.systemId === instant.systemId;
		const isOver = isKnown && stream.reading?.every(({ phase }) => phase === 'done');
		const before = isKnown && !(this.#isNew && isOver) ? stream.reading : null;
		const reading = source.tables.map(labelOf).map((table) => before?.find((one) => one.table === table) ?? unread(table));
		this.#isNew = false;
		this.#keeper.keep({ slot: WITHOUT_SLOT, systemId: instant.systemId, timeline: 0, hasSlot: false, reading });
		return look;
	}

	async read(look: TableLook, stop: AbortSignal): Promise<void> {
		while (!stop.aborted && this.#open().length > 0) await this.#readOnce(look, stop);
		if (!stop.aborted) await once(stop, 'abort');
	}

	release(): void {}

	#open(): readonly TableReading[] {
		return (this.parts.memory.stream?.reading ?? []).filter(({ phase }) => phase !== 'done');
	}

	async #readOnce(look: TableLook, stop: AbortSignal): Promise<void> {
		const { settings, host, timing, memory } = this.parts;
		const { connection } = settings;
		const instant = await openInstant(connection);
		if (instant.systemId !== memory.stream?.systemId) {
			await instant.release();
			throw new SyncError('CONNECTION_LOST', 'Another server answers at this address than a moment ago');
		}
		const progress = this.#progress;
		// After everything that was handed over before, and one byte on: rows stand just before their place.
		const consistentLsn = placeOfPoll(instant.walLsn, progress.position) + 1n;
		const origin = {
			system: connection.database,
			database: connection.database,
			systemId: instant.systemId,
			tables: plainTables(look.wanted),
			isMarker: () => false,
			markerSystem: null,
			shape: look.shape,
		};
		host.logger.info(`Reading the rows of ${this.#open().map(({ table }) => table).join(', ')}`);
		const whereOf = ({ table }: TableReading): string | null => look.wanted.find((one) => labelOf(one) === table)?.rowFilter ?? null;
		const tables = memory.stream.reading ?? [];
		const reading = new RowReading({ settings, origin, log: host.logger, tables, keeper: this.#keeper, whereOf }, { ...instant, consistentLsn });
		const delivery = new Delivery({
			runs: new WorkflowRuns(host, stop, timing?.graceMs),
			progress,
			patience: new Patience(host.logger, stop, timing?.backOff),
			backOff: new BackOff(timing?.backOff),
			log: host.logger,
			stop,
		});
		try {
			await reading.deliver(delivery, () => false);
		} finally {
			await reading.close();
		}
	}
}
