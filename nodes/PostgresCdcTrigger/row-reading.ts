import { randomBytes } from 'node:crypto';

import { SyncError } from '../../src/core/errors';
import { type Position, positionOf } from '../../src/core/position';
import { createSlot, type NewSlot } from '../../src/postgres/create-slot';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import type { EventTable } from '../../src/postgres/event-tables';
import { openSnapshot, type SnapshotSession } from '../../src/postgres/snapshot';
import { labelOf } from '../../src/postgres/snapshot-columns';
import {
	type SnapshotChange,
	snapshotEvents,
	snapshotLsn,
} from '../../src/postgres/snapshot-events';
import type { StreamRegistration, TableReading } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import type { Delivery, Log } from './deliver';
import { lookForKnown } from './known-records';
import { inWords } from './reading-plan';
import { lastKey, rowsOf } from '../../src/postgres/snapshot-rows';
import type { TriggerSettings } from './settings';

export interface RowReadingParts {
	readonly store: Pick<SyncStore, 'registerStream' | 'scanLinks'>;
	readonly settings: Pick<TriggerSettings, 'connection' | 'slot' | 'maxChanges'>;
	readonly origin: EventOrigin;
	readonly storeId: string;
	readonly macKey: string;
	readonly log: Log;
	/** The stream as it is registered while rows are read. */
	readonly registration: StreamRegistration;
	/** As it is registered once all rows have been read. */
	readonly finalHash: string;
	/** The tables to be read, and how far that has come. */
	readonly tables: readonly TableReading[];
	readonly onDone: () => Promise<void>;
	/** How long rows are read at a stretch when changes wait; default 5,000. */
	readonly turnMs?: number | undefined;
}

const TURN_MS = 5_000;
/** How long the stream may wait for a place to be found. */
const MAX_HOLD_MS = 3_000;
/** How often progress is stored and told. */
const NOTE_MS = 2_000;
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
	 * @throws what stands in the way: SLOT_BLOCKED, SLOT_LIMIT, …
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
		if (this.isDone) await this.#finish();
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
			if (this.#holds && error instanceof SyncError && error.code === 'SLOT_BLOCKED')
				this.#holds = false;
			else this.#failure = error instanceof Error ? error : new Error(String(error));
		} finally {
			this.#opening = false;
		}
	}

	async #deliverAt(
		{ consistentLsn, snapshotName }: NewSlot,
		{ delivery, isWaitedFor }: { delivery: Delivery; isWaitedFor: () => boolean },
	): Promise<void> {
		const startedMs = performance.now();
		const at = { lsn: snapshotLsn(consistentLsn), tsMs: Date.now() };
		let index = 1;
		const session = await openSnapshot(this.parts.settings.connection, snapshotName);
		try {
			for await (const { changes, table } of this.#steps(session)) {
				const { restoredTo } = table;
				const events = snapshotEvents(changes, this.parts.origin, { ...at, index, restoredTo });
				index += events.length;
				if (!(await delivery.deliver(events, async () => undefined))) return;
				await this.#reached(table);
				const isLong = performance.now() - startedMs > (this.parts.turnMs ?? TURN_MS);
				if ((isLong && isWaitedFor()) || index > MAX_ROWS_PER_PLACE) return;
			}
		} finally {
			await session.close();
		}
	}

	async *#steps(session: SnapshotSession): AsyncGenerator<Step, void, undefined> {
		for (const table of this.#tables) {
			let reading = table;
			while (reading.phase === 'known') {
				const step = await this.#known(session, reading);
				reading = step.table;
				yield step;
			}
			if (reading.phase === 'rows') yield* this.#rows(session, reading);
		}
	}

	async #known(session: SnapshotSession, reading: TableReading): Promise<Step> {
		const { store, registration: stream, storeId, macKey } = this.parts;
		const after = typeof reading.after === 'string' ? reading.after : null;
		const table = this.#tableOf(reading);
		const page = await lookForKnown(session, { store, stream, table, storeId, macKey, after });
		const phase = page.after === null ? 'rows' : 'known';
		return { changes: page.changes, table: { ...reading, phase, after: page.after } };
	}

	async *#rows(
		session: SnapshotSession,
		begun: TableReading,
	): AsyncGenerator<Step, void, undefined> {
		const table = this.#tableOf(begun);
		let reading = { ...begun, estimate: await session.estimate(table) };
		const from = typeof reading.after === 'string' ? null : reading.after;
		const pageSize = this.parts.settings.maxChanges;
		let isOpen = true;
		for await (const page of session.pages(table, { pageSize, from })) {
			const after = lastKey(page, table) ?? reading.after;
			reading = { ...reading, after, rows: reading.rows + page.rows.length };
			isOpen = page.rows.length === pageSize;
			yield { changes: rowsOf(page, table), table: isOpen ? reading : done(reading) };
		}
		// The last page was a full one, or there was none.
		if (isOpen) yield { changes: [], table: done(reading) };
	}

	#tableOf({ table }: TableReading): EventTable {
		const found = this.parts.origin.tables.all.find((one) => labelOf(one) === table);
		if (found) return found;
		throw new SyncError('TABLE_MISSING', `The policy names no table ${table} to be read`);
	}

	async #reached(reached: TableReading): Promise<void> {
		this.#tables = this.#tables.map((one) => (one.table === reached.table ? reached : one));
		const isDone = reached.phase === 'done';
		const isTime = performance.now() - this.#notedMs > NOTE_MS;
		if (isDone || isTime) this.parts.log.info(inWords(reached));
		if (isTime) await this.#note();
	}

	async #note(): Promise<void> {
		this.#notedMs = performance.now();
		await this.parts.store.registerStream({ ...this.parts.registration, reading: this.#tables });
	}

	async #finish(): Promise<void> {
		const { store, registration, finalHash, onDone } = this.parts;
		await store.registerStream({
			...registration,
			filterHash: finalHash,
			snapshot: 'done',
			reading: this.#tables,
		});
		await onDone();
	}
}

/** What to deliver, and where the table stands then. */
interface Step {
	readonly changes: readonly SnapshotChange[];
	readonly table: TableReading;
}

const done = (reading: TableReading): TableReading => ({ ...reading, phase: 'done', after: null });
