import type pg from 'pg';

import { SyncError } from '../core/errors';
import { connect, type PgSettings } from './connect';
import { readTables, type WantedTable } from './preflight-facts';
import { readPublication, type TableName } from './publication';
import { columnsToPublish, FILTER_VERSION, probeRowFilter } from './row-filter';
import type { KeyedTable } from './source-setup';
import { messageOf, query, tableName, toSyncError } from './sql';

/** A table of which not all is wanted. */
export interface FilteredTable extends KeyedTable {
	/** Null: all. */
	readonly columns: readonly string[] | null;
	/** As a person typed it; null: all rows. */
	readonly where: string | null;
}

/**
 * How tables are to be published so that what is not wanted does not leave the server, as far as it can do that.
 *
 * @throws SyncError INVALID_SETTING for a condition that it cannot have
 */
export async function filteredTables(
	settings: PgSettings,
	{ publication, tables }: { readonly publication: string; readonly tables: readonly FilteredTable[] },
): Promise<readonly WantedTable[]> {
	const plain = tables.map(({ schema, table, key }) => ({ schema, table, key, columns: [] }));
	if (tables.every(({ columns, where }) => columns === null && where === null)) return plain;
	const client = await connect(settings);
	try {
		const [version] = await query<{ num: number }>(client, `select current_setting('server_version_num')::int as num`);
		const facts = await readTables(client, tables);
		const wanted: WantedTable[] = [];
		for (const [at, table] of tables.entries()) {
			const { columns, key } = table;
			const sent = columns && [...new Set([...key, ...columns])];
			const published = { columns: sent ?? [], publishedColumns: columnsToPublish(sent, facts[at] ?? null, version?.num ?? 0) };
			wanted.push({ ...plain[at], ...table, ...published, ...(await filterOf(client, table, { publication, versionNum: version?.num ?? 0 })) });
		}
		return wanted;
	} finally {
		await client.end();
	}
}

/**
 * The same of tables that are polled: the condition is asked with each query, so it may be whatever a query can ask of a row.
 *
 * @throws SyncError INVALID_SETTING for one that the server cannot make sense of
 */
export async function conditionedTables(settings: PgSettings, tables: readonly FilteredTable[]): Promise<readonly WantedTable[]> {
	const wanted = tables.map(({ schema, table, key, columns, where }) => ({ schema, table, key, columns: columns ?? [], rowFilter: where }));
	if (wanted.every(({ rowFilter }) => rowFilter === null)) return wanted;
	const client = await connect(settings);
	try {
		for (const table of wanted) if (table.rowFilter !== null) await tryCondition(client, table, table.rowFilter);
		return wanted;
	} finally {
		await client.end();
	}
}

async function tryCondition(client: pg.Client, table: TableName, where: string): Promise<void> {
	try {
		// One statement alone: with the simple protocol the text could end it and begin another.
		await client.query({ text: `explain select from ${tableName(table)} as t where (${where}\n)`, queryMode: 'extended' } as pg.QueryConfig);
	} catch (error) {
		const known = toSyncError(error, 'the database');
		if (known instanceof SyncError) throw known;
		throw new SyncError('INVALID_SETTING', `"Only Rows Where" of ${table.schema}.${table.table} is no condition on its rows: ${messageOf(error)}`);
	}
}

async function filterOf(
	client: pg.Client,
	{ schema, table, where }: FilteredTable,
	{ publication, versionNum }: { readonly publication: string; readonly versionNum: number },
): Promise<Pick<WantedTable, 'rowFilter' | 'filterColumns'>> {
	if (where === null) return {};
	if (versionNum < FILTER_VERSION) {
		throw new SyncError('INVALID_SETTING', `"Only Rows Where" of ${schema}.${table} takes Postgres 15 or later. Leave it empty, and filter the items in the workflow`);
	}
	const filter = await probeRowFilter(client, { schema, table }, where);
	if (filter) return { rowFilter: filter.text, filterColumns: filter.columns };
	// Only the owner can make it, and then it is theirs to say what it leaves out.
	const state = await readPublication(client, publication);
	const made = state?.tables.find((one) => one.schema === schema && one.table === table);
	return { rowFilter: made?.rowFilter ?? where };
}
