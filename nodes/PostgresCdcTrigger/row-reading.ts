import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

import { SyncError } from '../../src/core/errors';
import { type Position, positionOf } from '../../src/core/position';
import { createSlot, type NewSlot } from '../../src/postgres/create-slot';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import type { EventTable } from '../../src/postgres/event-tables';
import type { SnapshotSession } from '../../src/postgres/snapshot';
import { labelOf } from '../../src/postgres/snapshot-columns';
import { snapshotEvents, snapshotLsn } from '../../src/postgres/snapshot-events';
import type { TableReading } from '../../src/store/stream-record';
import { conditionOf } from './asked-readings';
import type { Delivery, Log } from './deliver';
import type { KnownPage } from './known-records';
import { inWords, isSameReading } from './reading-plan';
import { type Step, stepsOf } from './reading-steps';
import { TABLES_AT_ONCE, type TriggerSettings } from './settings';

export interface RowReadingParts {
	readonly settings: Pick<TriggerSettings, 'connection' | 'slot' | 'maxChanges' | 'tablesAtOnce'>;
	readonly origin: EventOrigin;
	readonly log: Log;
	/** The tables to be read, and how far that has come. */
	readonly tables: readonly TableReading[];
	readonly keeper: ReadingKeeper;
	/** See `StepsRequest`. Absent: all have the same. */
	readonly rankOf?: ((reading: TableReading) => number) | undefined;
	/** See `StepsRequest`. Absent: no conditions. */
	readonly whereOf?: ((reading: TableReading) => string | null) | undefined;
	/** How long rows are read at a stretch when changes wait; default 5,000. */
	readonly turnMs?: number | undefined;
	/** When to try again where no slot can be made for rows that were asked for; default 30,000. */
	readonly retryMs?: number | undefined;
	/** Told of rows that somebody asked for and that cannot be read. */
	readonly onRefused?: ((error: SyncError) => void) | undefined;
}

/** Rows that somebody asked for cannot be read. */
export function refusal({ table }: Pick<TableReading, 'table'>, why: string): SyncError {
	return new SyncError('READ_REFUSED', `The rows of ${table} were asked for, and cannot be read: ${why}`);
}

/** Where it is kept how far reading has come. */
export interface ReadingKeeper {
	/** How often it wants to be told. */
	readonly everyMs: number;
	note(tables: readonly TableReading[]): Promise<void>;
	/** All has been read. */
	finish(tables: readonly TableReading[]): Promise<void>;
	/** Compares what is known of a table with its rows; asked of tables in the phase `known` alone. */
	known(session: SnapshotSession, of: { readonly reading: TableReading; readonly table: EventTable }, after: string | null): Promise<KnownPage>;
}

const TURN_MS = 5_000;
/** How long the stream may wait for a place to be found. */
const MAX_HOLD_MS = 3_000;
/** How often progress is told. */
const TELL_MS = 2_000;
const RETRY_MS = 30_000;
/** Well below what a position can count. */
const MAX_ROWS_PER_PLACE = 50_000_000;

/**
 * Reads rows that are there already into a stream that runs, or is about to run.
 *
 * A slot that lives for a moment gives a snapshot together with the place in the log where it
 * belongs: it holds every transaction that ends before, and none after. So the rows become one
 * virtual transaction at that place, each in the order of its row's versions, as if it had come
 * through the stream. Changes before the place are delivered first, those after it wait, and win.
 *
 * When changes have waited for a while they get their turn, and the rest of the rows is read at a
 * later place, from the last key on. That is sound because each part is exact where it stands: a
 * row that changes after its part was read comes through the stream, one before it is read as it is
 * then. After a crash it goes on in the same way.
 */
export class RowReading {
	#tables: readonly TableReading[];
	#place: NewSlot | null;
	#opening = false;
	/** Whether the stream waits until the next place is known. */
	#holds = false;
	#failure: Error | null = null;
	#isClosed = false;
	#notedMs = performance.now();
	#toldMs = performance.now();

	/** @param first - a snapshot at a place that is known already: that of the stream's own new slot */
	constructor(
		private readonly parts: RowReadingParts,
		first: NewSlot | null,
	) {
		this.#tables = parts.tables;
		this.#place = first;
	}

	get isDone(): boolean {
		return this.#tables.every(({ phase }) => phase === 'done');
	}

	/** Where the next rows belong: after every transaction that ends at or before it. Null while that is not known. */
	get place(): bigint | null {
		return this.#place?.consistentLsn ?? null;
	}

	/**
	 * Transactions that end after it have to wait; null: none has to. Begins to find the next place when there is none.
	 *
	 * @throws what stands in the way: SLOT_LIMIT, …
	 */
	limit(): bigint | null {
		if (this.#failure !== null) throw this.#failure;
		if (!this.#place && !this.#opening && !this.isDone) void this.#findPlace();
		return this.place ?? (this.#holds ? 0n : null);
	}

	/**
	 * Hands over rows, when everything before the place has been delivered, and nothing after it.
	 *
	 * @param isWaitedFor - whether changes wait meanwhile
	 */
	async deliver(delivery: Delivery, isWaitedFor: () => boolean): Promise<void> {
		const place = this.#place;
		if (!place) return;
		// A transaction that came before we heard of the place: its rows would look as if they had been observed.
		const isPassed = delivery.position > this.#positionAt(place);
		this.#holds = isPassed;
		try {
			if (!isPassed) await this.#deliverAt(place, { delivery, isWaitedFor });
		} finally {
			this.#place = null;
			await place.release();
		}
		if (this.isDone) await this.parts.keeper.finish(this.#tables);
		else await this.#note();
	}

	#positionAt({ consistentLsn }: NewSlot): Position {
		return positionOf(snapshotLsn(consistentLsn), 0, this.parts.origin.lineage);
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#place?.release();
		this.#place = null;
	}

	/**
	 * Making the slot waits for all transactions that are open now, so the stream goes on meanwhile. Where it was
	 * too fast, the next attempt holds it up, but not for long.
	 */
	async #findPlace(): Promise<void> {
		this.#opening = true;
		const { connection, slot } = this.parts.settings;
		const name = `${slot.slice(0, 50)}_${randomBytes(4).toString('hex')}`;
		try {
			const timeoutMs = this.#holds ? MAX_HOLD_MS : undefined;
			const place = await createSlot(connection, { name, temporary: true, timeoutMs });
			if (this.#isClosed) await place.release();
			else this.#place = place;
		} catch (error) {
			await this.#noPlace(error instanceof Error ? error : new Error(String(error)));
		} finally {
			this.#opening = false;
		}
	}

	/** A transaction that stays open, or rows that somebody has only asked for, are no reason to end the stream: changes go on meanwhile. */
	async #noPlace(error: Error): Promise<void> {
		const { log, retryMs = RETRY_MS } = this.parts;
		const isBlocked = error instanceof SyncError && error.code === 'SLOT_BLOCKED';
		if (!isBlocked && this.#tables.some(({ phase, asked }) => phase !== 'done' && asked === undefined)) {
			this.#failure = error;
			return;
		}
		if (!this.#holds) log.warn(`${error.message}. Rows are read once a slot can be made; changes go on meanwhile`);
		this.#holds = false;
		// It has waited long enough for the transaction.
		if (!isBlocked) await setTimeout(retryMs, undefined, { ref: false });
	}

	async #deliverAt(
		{ consistentLsn, snapshotName }: NewSlot,
		{ delivery, isWaitedFor }: { delivery: Delivery; isWaitedFor: () => boolean },
	): Promise<void> {
		const startedMs = performance.now();
		const at = { lsn: snapshotLsn(consistentLsn), tsMs: Date.now() };
		let index = 1;
		for await (const { changes, table, before, failure } of this.#steps(snapshotName)) {
			const { restoredTo, estimate, asked } = table;
			const reading = { before, estimate, asked };
			if (failure) this.parts.onRefused?.(refusal(table, failure.message));
			const events = snapshotEvents(changes, this.parts.origin, { ...at, index, restoredTo, reading });
			index += events.length;
			if (!(await delivery.deliver(events, async () => undefined))) return;
			await this.#reached(table, failure === undefined);
			const isLong = performance.now() - startedMs > (this.parts.turnMs ?? TURN_MS);
			if ((isLong && isWaitedFor()) || index > MAX_ROWS_PER_PLACE) return;
		}
	}

	#steps(snapshotName: string): AsyncGenerator<Step, void, undefined> {
		const { settings, keeper, rankOf = () => 0, whereOf = () => null } = this.parts;
		const { connection, maxChanges: pageSize, tablesAtOnce = TABLES_AT_ONCE } = settings;
		return stepsOf({
			connection,
			snapshotName,
			pageSize,
			tablesAtOnce,
			tables: this.#tables,
			rankOf,
			whereOf: (reading) => both(whereOf(reading), conditionOf(reading, this.#tableOf(reading))),
			tableOf: (reading) => this.#tableOf(reading),
			known: async (session, reading, after) => await keeper.known(session, { reading, table: this.#tableOf(reading) }, after),
		});
	}

	#tableOf({ table }: TableReading): EventTable {
		const found = this.parts.origin.tables.all.find((one) => labelOf(one) === table);
		if (found) return found;
		throw new SyncError('TABLE_MISSING', `There is no table ${table} among those that are read`);
	}

	async #reached(reached: TableReading, isRead: boolean): Promise<void> {
		const { log, keeper } = this.parts;
		this.#tables = this.#tables.map((one) => (isSameReading(one, reached) ? reached : one));
		const nowMs = performance.now();
		const isTold = isRead && (reached.phase === 'done' || nowMs - this.#toldMs > TELL_MS);
		if (isTold) {
			log.info(inWords(reached));
			this.#toldMs = nowMs;
		}
		if (nowMs - this.#notedMs >= keeper.everyMs) await this.#note();
	}

	async #note(): Promise<void> {
		this.#notedMs = performance.now();
		await this.parts.keeper.note(this.#tables);
	}
}

function both(one: string | null, other: string | null): string | null {
	if (one === null || other === null) return one ?? other;
	return `(${one}) and (${other})`;
}
