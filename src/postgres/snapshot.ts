import type pg from 'pg';

import { SyncError } from '../core/errors';
import { connect, OUTPUT_SETTINGS, type PgSettings } from './connect';
import type { Tuple } from './pgoutput-reader';
import type { TableName } from './publication';
import { ident, literal, query, tableName, toSyncError } from './sql';

export interface SnapshotSettings {
	readonly connection: PgSettings;
	/** From `createSlot`; without one, the tables as they are now, all at one instant. */
	readonly snapshotName?: string | undefined;
	readonly tables: readonly SnapshotTable[];
	/** Rows read at once; default 1,000. */
	readonly pageSize?: number | undefined;
	/** Reads in the opposite order: the last keys first. */
	readonly newestFirst?: boolean | undefined;
}

export interface SnapshotTable extends TableName {
	/** Rows come in this order. */
	readonly key: readonly string[];
	/** Default: all that the change stream would send, which leaves out generated columns. */
	readonly columns?: readonly string[] | undefined;
}

/** Some rows of one table. */
export interface SnapshotPage {
	readonly table: SnapshotTable;
	readonly columns: readonly SnapshotColumn[];
	/** The server's texts in the order of `columns`, as in a change stream; see `rowValues`. */
	readonly rows: readonly Tuple[];
}

export interface SnapshotColumn {
	readonly name: string;
	/** As a change stream has it: a domain's own number, not that of its base type. */
	readonly typeOid: number;
}

/**
 * Reads tables in pages, each row once, in the order of its key, as they were at the snapshot. A table
 * without rows gives no page. Stopping early ends the session.
 *
 * Pages come from a server-side cursor. Asking for "keys greater than the last one" instead would lose
 * rows whose key is null or occurs twice, without a word, when it falls on the edge of a page.
 *
 * @throws SyncError TABLE_MISSING, PRIVILEGE_MISSING (also when row level security would hide rows),
 * SNAPSHOT_GONE, DATABASE_UNREACHABLE
 */
export async function* readSnapshot(
	settings: SnapshotSettings,
): AsyncGenerator<SnapshotPage, void, undefined> {
	const client = await connect(settings.connection);
	try {
		await beginSnapshot(client, settings.snapshotName);
		for (const table of settings.tables) yield* readTable(client, table, settings);
		await query(client, 'commit');
	} finally {
		await client.end();
	}
}

const INVALID_SNAPSHOT = new Set(['22023', '42704']);

async function beginSnapshot(client: pg.Client, snapshotName: string | undefined): Promise<void> {
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

async function* readTable(
	client: pg.Client,
	table: SnapshotTable,
	{ pageSize = 1_000, newestFirst = false }: SnapshotSettings,
): AsyncGenerator<SnapshotPage, void, undefined> {
	const { columns, isPartitioned } = await readColumns(client, table);
	const list = columns.map(({ name }) => ident(name)).join(', ');
	// A publication sends the children of an inherited table as tables of their own.
	const source = `${isPartitioned ? '' : 'only '}${tableName(table)}`;
	const order = table.key
		.map((column) => `${ident(column)}${newestFirst ? ' desc' : ''}`)
		.join(', ');
	await run(
		client,
		table,
		`declare page no scroll cursor for select ${list} from ${source} order by ${order}`,
	);
	for (;;) {
		const rows = await fetchPage(client, table, pageSize);
		if (rows.length > 0) yield { table, columns, rows };
		if (rows.length < pageSize) break;
	}
	await query(client, 'close page');
}

interface ColumnRow {
	readonly name: string;
	readonly typeOid: number;
	readonly isGenerated: boolean;
	readonly isPartitioned: boolean;
}

async function readColumns(
	client: pg.Client,
	table: SnapshotTable,
): Promise<{ columns: readonly SnapshotColumn[]; isPartitioned: boolean }> {
	const rows = await query<ColumnRow>(
		client,
		`select a.attname as name, a.atttypid::int8::float8 as "typeOid", a.attgenerated <> '' as "isGenerated",
		        c.relkind = 'p' as "isPartitioned"
		 from pg_class c
		 join pg_namespace n on n.oid = c.relnamespace
		 join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		 where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
		 order by a.attnum`,
		[table.schema, table.table],
	);
	const byName = new Map(rows.map((row) => [row.name, row]));
	const wanted = table.columns ?? rows.filter((row) => !row.isGenerated).map(({ name }) => name);
	const missing = [...wanted, ...table.key].filter((name) => !byName.has(name));
	if (rows.length === 0)
		throw new SyncError('TABLE_MISSING', `There is no table ${labelOf(table)}`);
	if (missing.length > 0) {
		throw new SyncError('TABLE_MISSING', `Table ${labelOf(table)} has no column "${missing[0]}"`);
	}
	return {
		columns: wanted.map((name) => ({ name, typeOid: byName.get(name)!.typeOid })),
		isPartitioned: rows[0]!.isPartitioned,
	};
}

async function fetchPage(
	client: pg.Client,
	table: SnapshotTable,
	pageSize: number,
): Promise<Tuple[]> {
	const result = await run(client, table, `fetch ${pageSize} from page`);
	return result.rows;
}

/** The values as the server prints them: no parser of the driver touches them. */
const AS_TEXT = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

async function run(
	client: pg.Client,
	table: SnapshotTable,
	text: string,
): Promise<pg.QueryArrayResult<(string | null)[]>> {
	try {
		return await client.query<(string | null)[]>({ text, rowMode: 'array', types: AS_TEXT });
	} catch (error) {
		throw toSyncError(error, `table ${labelOf(table)}`);
	}
}

const labelOf = ({ schema, table }: TableName): string => `${schema}.${table}`;
