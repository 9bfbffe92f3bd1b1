import type { Operation } from '../../src/core/link';
import { type Position, positionOf } from '../../src/core/position';
import { readHash } from '../../src/core/scopes';
import { scopesOf } from '../../src/core/table-drift';
import type { EventTable } from '../../src/postgres/event-tables';
import { PollSnapshot } from '../../src/postgres/poll-snapshot';
import { labelOf } from '../../src/postgres/snapshot-columns';
import { type SnapshotChange, snapshotEvents } from '../../src/postgres/snapshot-events';
import { rowsOf } from '../../src/postgres/snapshot-rows';
import { policyInForce } from '../../src/store/published-policy';
import type { StreamRecord, StreamRegistration, TableReading } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { askForApproval } from './approval';
import type { Delivery, Log } from './deliver';
import { lookForKnown } from './known-records';
import { echoesOf } from './polled-echoes';
import { placeOfPoll } from './poll-loop';
import type { PollingSettings } from './settings';
import { type PreparedStream, registrationOf, toRead } from './start-stream';
import { originOf } from './store-reader';

export interface PolledStreamParts extends PreparedStream {
	readonly store: SyncStore;
	readonly polling: PollingSettings;
	readonly log: Log;
}

/**
 * A system that is polled, as a stream: each poll is one virtual transaction, with everything that the snapshot shows, at
 * a place after all earlier ones.
 *
 * What became of our own writes is asked of the ledger in the same snapshot and comes first, as after a gap: a write that
 * the ledger of the snapshot holds stood in the row before whatever else the row shows; one that it does not hold
 * was made, if at all, after all of this. So who had seen what is known of the fields that we wrote, exactly as from the log.
 */
export class PolledStream {
	#tables: readonly TableReading[];
	#polls = 0;

	private constructor(
		private readonly parts: PolledStreamParts,
		private readonly record: StreamRecord,
		tables: readonly TableReading[],
	) {
		this.#tables = tables;
	}

	/** Registers the stream, with what has to be read. */
	static async start(parts: PolledStreamParts): Promise<PolledStream> {
		const { store, prepared } = parts;
		const before = prepared.record;
		const isBegun = prepared.decision.kind === 'begin';
		const wasPolled = !isBegun && before?.reading?.some(({ horizon }) => horizon !== undefined);
		// What was read from the log until now is compared as a whole: nobody knows how far it is behind.
		const unread = isBegun || !before ? { filterHash: '', reading: null } : before;
		const missing = toRead(parts, wasPolled || isBegun ? unread : { filterHash: '', reading: null });
		const start = before && !isBegun ? before.start : positionOf(prepared.server.walLsn, 0, prepared.lineage);
		const registration = { ...registrationOf(parts, missing), start };
		const tables = readingsOf(parts, missing);
		const record = await store.registerStream({ ...registration, reading: tables });
		if (missing.length > 0) parts.log.info(`Reading the rows of ${missing.map(({ table }) => table).join(', ')}`);
		return new PolledStream(parts, record, tables);
	}

	get position(): Position {
		return this.record.position;
	}

	/** Whether rows that were there already have yet to be read. */
	get isReading(): boolean {
		return this.#tables.some(({ phase }) => phase !== 'done');
	}

	/** Reads what has changed, and hands it over. What it could not finish, the next poll does. */
	async poll(delivery: Delivery): Promise<void> {
		const { polling, settings } = this.parts;
		const wasReading = this.isReading;
		const looksForGone = this.#polls++ % polling.deletesEvery === 0;
		const snapshot = await PollSnapshot.open(settings.connection);
		try {
			const run = new PollRun({ ...this.parts, snapshot, delivery });
			if (!(await this.#run(run, looksForGone))) return;
			this.#tables = this.#tables.map((table) => polled(table, snapshot.moment.horizon));
		} finally {
			await snapshot.close();
		}
		await this.#note(wasReading);
	}

	/** @returns false when the trigger was to stop first */
	async #run(run: PollRun, looksForGone: boolean): Promise<boolean> {
		if (!(await run.echoes(this.#tables))) return false;
		for (const table of this.#tables) {
			const isWhole = table.horizon === undefined;
			if ((looksForGone || isWhole) && table.phase !== 'rows' && !(await run.known(table))) return false;
			if (!(await run.rows(table))) return false;
		}
		return true;
	}

	async #note(wasReading: boolean): Promise<void> {
		const { store, source, prepared } = this.parts;
		const { position: _moves, acknowledgedLsn: _grows, ...registration } = this.record;
		const filterHash = readHash(policyInForce(prepared.published).policy, source.system, new Set(scopesOf(prepared.gone)));
		const done = { ...registration, filterHash, snapshot: registration.snapshot === 'none' ? 'none' : 'done', reading: this.#tables } as const;
		await store.registerStream(done satisfies StreamRegistration);
		if (wasReading) await askForApproval(store, source.policy);
	}
}

const polled = ({ restoredTo: _over, ...table }: TableReading, horizon: bigint): TableReading => ({ ...table, phase: 'done', horizon: String(horizon) });

/** All tables of the stream: those that are missing are read whole, the others from their horizons on. */
function readingsOf({ prepared }: PreparedStream, missing: readonly TableReading[]): TableReading[] {
	const whole = new Map(missing.map((table) => [table.table, table]));
	return prepared.tables.all.map((table): TableReading => {
		const label = labelOf(table);
		const before = prepared.record?.reading?.find((one) => one.table === label);
		const plain = { table: label, entity: table.entity, hash: '', phase: 'done', after: null, rows: 0, estimate: null } as const;
		return whole.get(label) ?? (before?.horizon === undefined ? plain : { ...plain, horizon: before.horizon });
	});
}

interface RunParts extends PolledStreamParts {
	readonly snapshot: PollSnapshot;
	readonly delivery: Delivery;
}

/** One poll. Each step is false when the trigger was to stop first. */
class PollRun {
	readonly #place: bigint;
	#index = 1;

	constructor(private readonly parts: RunParts) {
		this.#place = placeOfPoll(parts.snapshot.moment.server.walLsn, parts.delivery.position);
	}

	/** What became of writes to tables that have been read. */
	async echoes(tables: readonly TableReading[]): Promise<boolean> {
		const horizons = tables.flatMap(({ horizon }) => (horizon === undefined ? [] : [BigInt(horizon)]));
		const [first, ...others] = horizons;
		if (first === undefined) return true;
		const horizon = others.reduce((lowest, one) => (one < lowest ? one : lowest), first);
		const { store, source, prepared, snapshot } = this.parts;
		const entities = new Map(tables.flatMap((table) => (table.horizon === undefined ? [] : [[table.entity, this.#tableOf(table)] as const])));
		const written = await snapshot.ledgerSince(prepared.published.storeId, source.system, horizon);
		const tableOf = (op: Operation): EventTable | undefined => entities.get(op.entity);
		for await (const changes of echoesOf({ store, stream: source, snapshot, macKey: prepared.published.macKey, tableOf }, written)) {
			if (!(await this.#deliver(changes))) return false;
		}
		return true;
	}

	/** What the store knows of the table and the table has not; and what became of writes to it. */
	async known({ restoredTo, ...reading }: TableReading): Promise<boolean> {
		const { store, source, prepared, snapshot } = this.parts;
		const { storeId, macKey } = prepared.published;
		for (let after: string | null = null; ; ) {
			const page = await lookForKnown(snapshot, { store, stream: source, table: this.#tableOf(reading), storeId, macKey, after });
			if (!(await this.#deliver(page.changes, restoredTo))) return false;
			if (page.after === null) return true;
			after = page.after;
		}
	}

	async rows({ horizon, restoredTo, ...reading }: TableReading): Promise<boolean> {
		const { snapshot, settings } = this.parts;
		const table = this.#tableOf(reading);
		const where = snapshot.writtenSince(horizon === undefined ? null : BigInt(horizon));
		for await (const page of snapshot.pages(table, { pageSize: settings.maxChanges, where })) {
			if (!(await this.#deliver(rowsOf(page, table), restoredTo))) return false;
		}
		return true;
	}

	async #deliver(changes: readonly SnapshotChange[], restoredTo?: Position): Promise<boolean> {
		const { snapshot, delivery, prepared } = this.parts;
		const at = { lsn: this.#place, tsMs: snapshot.moment.tsMs, index: this.#index, restoredTo };
		this.#index += changes.length;
		return await delivery.deliver(snapshotEvents(changes, originOf(this.parts, prepared), at), async () => undefined);
	}

	#tableOf({ table }: Pick<TableReading, 'table'>): EventTable {
		const found = this.parts.prepared.tables.all.find((one) => labelOf(one) === table);
		if (!found) throw new TypeError(`the policy names no table ${table} to be polled`);
		return found;
	}
}
