import type pg from 'pg';

import { SyncError } from '../core/errors';
import { type HashedBucket, oneBucket } from '../core/hashed-bucket';
import { columnOfPart } from '../core/record-parts';
import type { Operation } from '../core/link';
import type { DigestShape } from '../core/row-digest';
import { type LedgerEntry, readEntries } from './ledger-claims';
import { connect, OUTPUT_SETTINGS, type PgSettings } from './connect';
import type { Tuple } from './pgoutput-reader';
import { RowHashes } from './row-hashes';
import { rowsByText } from './rows-by-text';
import {
	labelOf,
	nullKeys,
	readShape,
	type SnapshotColumn,
	type SnapshotTable,
	type TableShape,
} from './snapshot-columns';
import { AS_TEXT, codeOf, ident, literal, query, tableName, toSyncError } from './sql';

/** Some rows of one table. */
export interface SnapshotPage {
	readonly table: SnapshotTable;
	readonly columns: readonly SnapshotColumn[];
	/** The server's texts in the order of `columns`, as in a change stream; see `rowValues`. */
	readonly rows: readonly Tuple[];
	/** Of each row, the transaction that wrote it, as the server prints it; none where it was not asked for. */
	readonly writtenBy: readonly string[];
}

/** Texts of a key's columns, as the server prints them. */
export type KeyTexts = readonly string[];

export interface PageOptions {
	/** Rows read at once; default 1,000. */
	readonly pageSize?: number | undefined;
	/** Goes on from the row with this key, which comes once more. */
	readonly from?: KeyTexts | null | undefined;
	/** Reads in the opposite order: the last keys first. */
	readonly newestFirst?: boolean | undefined;
	/** Only rows that fulfil this condition, in SQL as the server prints it. Absent or null: all. */
	readonly where?: string | null | undefined;
	/** The columns of the key alone, instead of all. */
	readonly keysOnly?: boolean | undefined;
	/** Asks for `writtenBy`. */
	readonly withWriters?: boolean | undefined;
}

export interface SnapshotSettings extends PageOptions {
	readonly connection: PgSettings;
	/** From `createSlot`; without one, the tables as they are now, all at one instant. */
	readonly snapshotName?: string | undefined;
	readonly tables: readonly SnapshotTable[];
}

/**
 * Reads tables in pages, each row once, in the order of its key, as they were at the snapshot. A table
 * without rows gives no page. Stopping early ends the session.
 *
 * @throws SyncError TABLE_MISSING, PRIVILEGE_MISSING (also when row level security would hide rows),
 * SNAPSHOT_GONE, DATABASE_UNREACHABLE
 */
export async function* readSnapshot({
	connection,
	snapshotName,
	tables,
	...options
}: SnapshotSettings): AsyncGenerator<SnapshotPage, void, undefined> {
	const session = await openSnapshot(connection, snapshotName);
	try {
		for (const table of tables) yield* session.pages(table, options);
	} finally {
		await session.close();
	}
}

/** @throws SyncError SNAPSHOT_GONE, and those of `connect` */
export async function openSnapshot(
	connection: PgSettings,
	snapshotName?: string,
): Promise<SnapshotSession> {
	const client = await connect(connection);
	try {
		await beginSnapshot(client, snapshotName);
		return new SnapshotSession(client);
	} catch (error) {
		await client.end();
		throw error;
	}
}

/** The tables of a database as they were at one instant. */
export class SnapshotSession {
	#cursors = 0;

	constructor(protected readonly client: pg.Client) {}

	/**
	 * Pages come from a server-side cursor. Asking each time for "keys greater than the last one" would lose
	 * rows whose key is null or occurs twice, without a word, when it falls on the edge of a page.
	 *
	 * @throws SyncError TABLE_MISSING, PRIVILEGE_MISSING
	 */
	async *pages(
		table: SnapshotTable,
		{ pageSize = 1_000, from = null, newestFirst = false, where = null, keysOnly = false, withWriters = false }: PageOptions = {},
	): AsyncGenerator<SnapshotPage, void, undefined> {
		const shape = await readShape(this.client, table);
		const joined = keysOnly ? keysOf(table, shape) : await this.#join(table, shape);
		const cursor = `page_${++this.#cursors}`;
		const order = table.key.map((column) => `t.${ident(column)}${newestFirst ? ' desc' : ''}`);
		const conditions = [fromKey(shape, from), where].flatMap((one) => (one === null ? [] : [`(${one})`]));
		const rows = `select ${joined.list}${withWriters ? WRITER : ''} from ${joined.source}${conditions.length > 0 ? ` where ${conditions.join(' and ')}` : ''}`;
		await this.#run(
			table,
			`declare ${cursor} no scroll cursor for ${rows} order by ${order.join(', ')}`,
		);
		for (;;) {
			const page = await this.#run(table, `fetch ${pageSize} from ${cursor}`);
			if (page.length > 0) yield pageOf(table, joined.columns, page);
			if (page.length < pageSize) break;
		}
		await query(this.client, `close ${cursor}`);
	}

	/** The rows with these keys, in any order: the key's columns only. A key that the columns cannot hold is not there. */
	async find(table: SnapshotTable, keys: readonly KeyTexts[]): Promise<SnapshotPage> {
		const shape = await readShape(this.client, table);
		const { keyColumns } = shape;
		const select = `select ${listOf(keyColumns)} from ${sourceOf(table, shape)} as t`;
		return pageOf(table, keyColumns, await this.#find(table, select, keys));
	}

	/** The same with all columns, as `pages` gives them, and with `writtenBy`. */
	async read(table: SnapshotTable, keys: readonly KeyTexts[]): Promise<SnapshotPage> {
		const { columns, list, source } = await this.#join(table, await readShape(this.client, table));
		return pageOf(table, columns, await this.#find(table, `select ${list}${WRITER} from ${source}`, keys));
	}

	/** What the ledger held of these operations, by their ids; null where there is none that we may read. */
	async ledger(
		storeId: string,
		ops: readonly Operation[],
	): Promise<ReadonlyMap<string, LedgerEntry> | null> {
		await query(this.client, 'savepoint ledger');
		try {
			return await readEntries(this.client, storeId, ops);
		} catch (error) {
			if (!(error instanceof SyncError) || error.code !== 'LEDGER_MISSING') throw error;
			await query(this.client, 'rollback to savepoint ledger');
			return null;
		}
	}

	/** The columns of the table's key, in its order. */
	async keyColumns(table: SnapshotTable): Promise<readonly SnapshotColumn[]> {
		return (await readShape(this.client, table)).keyColumns;
	}

	/** How many rows the table has, by the server's statistics; null when there are none. */
	async estimate(table: SnapshotTable): Promise<number | null> {
		return (await readShape(this.client, table)).estimate;
	}

	/** Hashes of its rows, by which many are compared without reading them; a text says why there are none. */
	async hashes(table: SnapshotTable, shape: DigestShape): Promise<RowHashes | string> {
		return await RowHashes.of(this.client, table, shape);
	}

	/** The hashes of the rows with these keys, as if they were a bucket. */
	async hashesOf(table: SnapshotTable, { listing }: RowHashes, keys: readonly KeyTexts[]): Promise<readonly HashedBucket[]> {
		const rows = await this.#find(table, listing, keys);
		return oneBucket(rows.map(([hash, place]) => [String(hash), String(place)]));
	}

	/** Its rows in the order of their keys' texts; see `rows-by-text.ts`. */
	byText(table: SnapshotTable): ReturnType<typeof rowsByText> {
		return rowsByText(this.client, table);
	}

	/** How many rows have no whole key. */
	async countWithoutKey(table: SnapshotTable): Promise<number> {
		const shape = await readShape(this.client, table);
		const nulls = nullKeys(shape);
		if (nulls.length === 0) return 0;
		const [[count] = []] = await this.#run(table, `select count(*) from ${sourceOf(table, shape)} as t where ${nulls.join(' or ')}`);
		return Number(count);
	}

	async close(): Promise<void> {
		await this.client.end();
	}

	/** The table with its parts. A row of the main table without one has null for all of the part's columns, the key's among them. */
	async #join(table: SnapshotTable, shape: TableShape): Promise<Joined> {
		const columns = [...shape.columns];
		const list = shape.columns.map(({ name }) => `t.${ident(name)}`);
		let source = `${sourceOf(table, shape)} as t`;
		for (const [index, part] of (table.parts ?? []).entries()) {
			const own = await readShape(this.client, part);
			const alias = `p${index}`;
			const on = part.key.map((column, at) => `${alias}.${ident(column)} = t.${ident(table.key[at] ?? '')}`);
			source += ` left join ${sourceOf(part, own)} as ${alias} on ${on.join(' and ')}`;
			list.push(...own.columns.map(({ name }) => `${alias}.${ident(name)}`));
			columns.push(...own.columns.map(({ name, typeOid }) => ({ name: columnOfPart(part.name, name), typeOid })));
		}
		return { list: list.join(', '), source, columns };
	}

	/** A key that is no value of its type fails the statement: the others are asked for without it. */
	async #find(table: SnapshotTable, select: string, keys: readonly KeyTexts[]): Promise<Tuple[]> {
		if (keys.length === 0) return [];
		const list = table.key.map((column) => `t.${ident(column)}`).join(', ');
		const wanted = keys.map((key) => `(${key.map((text) => literal(text)).join(', ')})`);
		await query(this.client, 'savepoint find');
		try {
			return await this.#run(table, `${select} where (${list}) in (${wanted.join(', ')})`);
		} catch (error) {
			if (!isDataException(error)) throw error;
			await query(this.client, 'rollback to savepoint find');
			if (keys.length === 1) return [];
			const half = Math.ceil(keys.length / 2);
			const first = await this.#find(table, select, keys.slice(0, half));
			return [...first, ...(await this.#find(table, select, keys.slice(half)))];
		}
	}

	async #run(table: SnapshotTable, text: string): Promise<Tuple[]> {
		try {
			const { rows } = await this.client.query<(string | null)[]>({
				text,
				rowMode: 'array',
				types: AS_TEXT,
			});
			return rows;
		} catch (error) {
			throw toSyncError(error, `table ${labelOf(table)}`);
		}
	}
}

/** Of the main row, last in the list. */
const WRITER = ', t.xmin';

function pageOf(table: SnapshotTable, columns: readonly SnapshotColumn[], rows: readonly Tuple[]): SnapshotPage {
	const withWriters = rows[0] !== undefined && rows[0].length > columns.length;
	if (!withWriters) return { table, columns, rows, writtenBy: [] };
	return { table, columns, rows: rows.map((row) => row.slice(0, columns.length)), writtenBy: rows.map((row) => String(row.at(-1))) };
}

function keysOf(table: SnapshotTable, shape: TableShape): Joined {
	return { list: shape.keyColumns.map(({ name }) => `t.${ident(name)}`).join(', '), source: `${sourceOf(table, shape)} as t`, columns: shape.keyColumns };
}

/** What is read of a table, together with its parts. */
interface Joined {
	readonly list: string;
	readonly source: string;
	readonly columns: readonly SnapshotColumn[];
}

const listOf = (columns: readonly SnapshotColumn[]): string =>
	columns.map(({ name }) => ident(name)).join(', ');

/** A publication sends the children of an inherited table as tables of their own. */
const sourceOf = (table: SnapshotTable, { isPartitioned }: TableShape): string =>
	`${isPartitioned ? '' : 'only '}${tableName(table)}`;

/** Inclusive, for a key that occurs twice; with the rows that have none, which come last and are compared with nothing. */
function fromKey(shape: TableShape, from: KeyTexts | null): string | null {
	if (from === null) return null;
	const texts = from.map((text) => literal(text)).join(', ');
	const key = shape.keyColumns.map(({ name }) => `t.${ident(name)}`).join(', ');
	return [`(${key}) >= (${texts})`, ...nullKeys(shape)].join(' or ');
}

/** SQLSTATE class 22: the text is no value of the type. */
function isDataException(error: unknown): boolean {
	const state = codeOf(error instanceof SyncError ? error.cause : error);
	return state?.startsWith('22') ?? false;
}

const INVALID_SNAPSHOT = new Set(['22023', '42704']);

export async function beginSnapshot(client: pg.Client, snapshotName?: string): Promise<void> {
	await query(client, 'begin transaction isolation level repeatable read, read only');
	if (snapshotName !== undefined) {
		try {
			await query(client, `set transaction snapshot ${literal(snapshotName)}`);
		} catch (cause) {
			if (!INVALID_SNAPSHOT.has((cause as { code?: string }).code ?? '')) throw cause;
			throw new SyncError('SNAPSHOT_GONE', `The snapshot ${snapshotName} is not there any more`, {
				cause,
			});
		}
	}
	const parameters = Object.entries({ ...OUTPUT_SETTINGS, ...SNAPSHOT_SETTINGS });
	await query(
		client,
		`select set_config(name, value, true) from unnest($1::text[], $2::text[]) as wanted (name, value)
		 join pg_settings using (name)`, // Older servers lack some.
		[parameters.map(([name]) => name), parameters.map(([, value]) => value)],
	);
}

const SNAPSHOT_SETTINGS = {
	/** A policy that would hide rows is an error then, instead of a gap. */
	row_security: 'off',
	/** The reader may take its time between two pages. */
	statement_timeout: '0',
	transaction_timeout: '0',
	idle_in_transaction_session_timeout: '0',
};
