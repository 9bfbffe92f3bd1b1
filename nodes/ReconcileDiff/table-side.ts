import type { Json } from '../../src/core/canonical-json';
import type { HashedBucket } from '../../src/core/hashed-bucket';
import type { DigestShape, HashSums } from '../../src/core/row-digest';
import type { PgSettings } from '../../src/postgres/connect';
import { type EventTable, plainTables } from '../../src/postgres/event-tables';
import type { KeySum, RowHashes } from '../../src/postgres/row-hashes';
import { openSnapshot, type SnapshotSession } from '../../src/postgres/snapshot';
import type { SnapshotColumn, SnapshotTable } from '../../src/postgres/snapshot-columns';
import { rowsOf } from '../../src/postgres/snapshot-rows';

export type Row = Readonly<Record<string, Json>>;
export type KeyTexts = readonly string[];

export const distinctKeys = (keys: readonly KeyTexts[]): KeyTexts[] => [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];

/** One table as it is at one moment. */
export class TableSide {
	#hashes: RowHashes | null = null;

	private constructor(
		private readonly connection: PgSettings,
		private readonly session: SnapshotSession,
		readonly table: SnapshotTable,
	) {}

	/** @throws SyncError TABLE_MISSING, PRIVILEGE_MISSING, and those of `connect` */
	static async open(connection: PgSettings, table: SnapshotTable): Promise<TableSide> {
		return new TableSide(connection, await openSnapshot(connection), table);
	}

	/** The same table at a later moment, with these columns beside the key's. */
	async later(columns: readonly string[]): Promise<TableSide> {
		return await TableSide.open(this.connection, { ...this.table, columns: [...new Set([...this.table.key, ...columns])] });
	}

	/** All that would be read: of each its type. */
	async columns(): Promise<readonly SnapshotColumn[]> {
		return (await this.session.read(this.table, [])).columns;
	}

	async typesOf(columns: readonly string[]): Promise<readonly SnapshotColumn[]> {
		return await this.session.keyColumns({ ...this.table, key: columns });
	}

	/** Whether rows can be told by hashes; a text says why not. */
	async prepareHashes(columns: readonly string[]): Promise<string | null> {
		const fields = columns.map((column) => ({ name: column, column }));
		const shape: DigestShape = { system: '', entity: '', tag: 0n, place: 0, key: this.table.key, fields };
		const hashes = await this.session.hashes(this.table, shape);
		if (typeof hashes === 'string') return hashes;
		this.#hashes = hashes;
		return null;
	}

	get estimate(): number | null {
		return this.#hashes?.estimate ?? null;
	}

	/** See `Seen`. Null: what has been written since cannot be told. */
	get identity(): string | null {
		return this.#prepared.identity;
	}

	async horizon(): Promise<string> {
		return await this.#prepared.horizon();
	}

	async sums(mask: number): Promise<HashSums> {
		return await this.#prepared.sums(mask);
	}

	async inBuckets(mask: number, buckets: readonly number[]): Promise<readonly HashedBucket[]> {
		return await this.#prepared.inBuckets(mask, buckets);
	}

	/** Keys of the rows that have been written since. Null: see `RowHashes.writtenSince`. */
	async writtenSince(horizon: string, most: number): Promise<readonly KeyTexts[] | null> {
		const ids = await this.#prepared.writtenSince(horizon, most);
		return ids && (await this.keysAt(ids));
	}

	async keySum(): Promise<KeySum> {
		return await this.#prepared.keySum();
	}

	/** The hashes of the rows with these keys, as if they were a bucket. */
	async find(keys: readonly KeyTexts[]): Promise<readonly HashedBucket[]> {
		return await this.session.hashesOf(this.table, this.#prepared, keys);
	}

	/** Of the rows with these ids. What has no whole key is compared with nothing, and counted apart. */
	async keysAt(ids: readonly string[]): Promise<KeyTexts[]> {
		const { columns, rows } = await this.#prepared.keysAt(ids);
		return this.#valuesOf(columns, rows.filter((row) => !row.includes(null))).map((row) => this.keyOf(row));
	}

	async *sorted(): AsyncGenerator<{ readonly key: KeyTexts; readonly row: Row }, void, undefined> {
		for await (const { columns, rows } of this.session.byText(this.table)) {
			const values = this.#valuesOf(columns, rows.map(({ texts }) => texts));
			for (const [at, { key }] of rows.entries()) yield { key, row: values[at] ?? {} };
		}
	}

	/** The rows with these keys. */
	async read(keys: readonly KeyTexts[]): Promise<Row[]> {
		const { columns, rows } = await this.session.read(this.table, keys);
		return this.#valuesOf(columns, rows.map((row) => row.slice(0, columns.length)));
	}

	async rowsWithoutKey(): Promise<number> {
		return await this.session.countWithoutKey(this.table);
	}

	/** As a condition takes it. */
	keyOf(row: Row): KeyTexts {
		return Object.values(this.#events.keyOf(row)).map(String);
	}

	async close(): Promise<void> {
		await this.session.close();
	}

	get #prepared(): RowHashes {
		if (!this.#hashes) throw new TypeError('the hashes were not prepared');
		return this.#hashes;
	}

	get #events(): EventTable {
		const [table] = plainTables([this.table]).all;
		if (!table) throw new TypeError('a table was not taken for one');
		return table;
	}

	#valuesOf(columns: readonly SnapshotColumn[], rows: Parameters<typeof rowsOf>[0]['rows']): Row[] {
		return rowsOf({ table: this.table, columns, rows }, this.#events).map(({ values }) => values);
	}
}

export interface Sides {
	readonly a: TableSide;
	readonly b: TableSide;
}
