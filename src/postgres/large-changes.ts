import { ChangeSpool } from './change-spool';
import type { EventOrigin } from './event-envelope';
import { NarrowRows } from './narrow-rows';
import { NumberList } from './number-list';
import { decodePgoutput, type RowMessage, type WantedColumns } from './pgoutput';
import { malformed } from './pgoutput-reader';
import { type GroupedItem, RecordGroups } from './record-groups';
import type { Relation, RowChange, SourceChange } from './source-transaction';
import { isRow, rowChange } from './transaction-assembler';
import { type Draft, drafting, recordsOf } from './transaction-events';

/** A shape that a table has had. */
interface Shape {
	readonly rows: NarrowRows;
	/** Where in the file its rows begin. */
	readonly from: number;
}

/**
 * The changes of a transaction that is too large for memory: its rows in a file, and here where they stand there, and which
 * of them are of the same record. That is worked out while they arrive, so that nothing but reading is left to do when
 * the transaction ends. Takes some twenty bytes of memory for each row.
 */
export class LargeChanges {
	readonly #spool: ChangeSpool;
	readonly #groups = new RecordGroups();
	readonly #draftsOf: (change: SourceChange) => readonly Draft[];
	readonly #rowCounts = new Map<string, number>();
	/** By item: where it stands in the file; or -1 less its place in `#inMemory`. */
	readonly #places = new NumberList(Float64Array);
	readonly #inMemory: SourceChange[] = [];
	/** The last one first. */
	readonly #shapes: Shape[] = [];
	/** By table, as it is now. */
	readonly #rows = new Map<number, NarrowRows>();
	#end = 0;
	#hasMarkers = false;
	readonly #wanted: WantedColumns = (oid) => this.#rows.get(oid)?.places ?? [];

	/** @throws SyncError SPOOL_FAILED */
	constructor(
		directory: string,
		readonly origin: EventOrigin,
	) {
		this.#spool = new ChangeSpool(directory);
		this.#draftsOf = drafting(origin);
	}

	/** Row events of each entity. */
	get rowCounts(): ReadonlyMap<string, number> {
		return this.#rowCounts;
	}

	/** Whether any marker is among them. */
	get hasMarkers(): boolean {
		return this.#hasMarkers;
	}

	/** A change that is kept in memory. @throws SyncError KEY_INCOMPLETE */
	add(change: SourceChange): void {
		const drafts = this.#draftsOf(change);
		if (drafts.length === 0) return;
		this.#hasMarkers ||= change.kind === 'message';
		this.#noteDrafts(drafts, -1 - this.#inMemory.length);
		this.#inMemory.push(change);
	}

	/** Rows of the table have this shape from now on. */
	announce(relation: Relation): void {
		if (this.#rows.get(relation.oid)?.whole === relation) return;
		const rows = new NarrowRows(relation, this.origin.tables);
		this.#rows.set(relation.oid, rows);
		this.#shapes.unshift({ rows, from: this.#end });
	}

	/**
	 * A row as it came; `bytes` are used again afterwards.
	 *
	 * @throws SyncError DECODE_FAILED, SPOOL_FAILED, KEY_INCOMPLETE
	 */
	addRow(bytes: Buffer, start: number, lsn: bigint): void {
		const message = decodePgoutput(bytes, start, this.#wanted);
		if (!isRow(message)) throw malformed(`a ${message.tag} in the place of a row`);
		const rows = this.#rows.get(message.relationOid);
		if (rows === undefined) throw malformed(`a row of the unannounced table ${message.relationOid}`);
		if (!rows.isMapped) return;
		const records = rows.recordsOf(message);
		if (records !== null && rows.entity !== null) {
			this.#count(rows.entity);
			this.#note(records, this.#append(bytes, start, lsn));
			return;
		}
		const drafts = this.#draftsOf(rowChange(rows.relation, message, lsn));
		if (drafts.length > 0) this.#noteDrafts(drafts, this.#append(bytes, start, lsn));
		rows.isProven ||= message.tag !== 'insert';
	}

	/** Records in the order of their first changes, and their changes in order: what `changeAt` takes. */
	inOrder(): Iterable<GroupedItem> {
		return this.#groups.inOrder();
	}

	/** @throws SyncError DECODE_FAILED, SPOOL_FAILED */
	changeAt(item: number): SourceChange {
		const place = this.#places.at(item);
		const kept = place < 0 ? this.#inMemory[-1 - place] : undefined;
		return kept ?? this.#rowAt(place);
	}

	get isClosed(): boolean {
		return this.#spool.isClosed;
	}

	/** Removes the file. */
	close(): void {
		this.#spool.close();
	}

	#append(bytes: Buffer, start: number, lsn: bigint): number {
		const place = this.#spool.append(bytes, start, lsn);
		this.#end = place + 1;
		return place;
	}

	#noteDrafts(drafts: readonly Draft[], place: number): void {
		for (const { op, entity } of drafts) if (op !== 'm' && op !== 't') this.#count(entity);
		this.#note(drafts.flatMap((draft) => recordsOf(draft)), place);
	}

	#count(entity: string): void {
		this.#rowCounts.set(entity, (this.#rowCounts.get(entity) ?? 0) + 1);
	}

	#note(records: readonly string[], place: number): void {
		this.#groups.add(records);
		this.#places.push(place);
	}

	#rowAt(place: number): RowChange {
		const { message, lsn } = this.#spool.read(place);
		if (!isRow(message)) throw malformed('another kind than before');
		return rowChange(this.#relationAt(message, place), message, lsn);
	}

	#relationAt({ relationOid }: RowMessage, place: number): Relation {
		for (const { rows, from } of this.#shapes) if (rows.whole.oid === relationOid && from <= place) return rows.whole;
		throw malformed(`a row of the unannounced table ${relationOid}`);
	}
}
