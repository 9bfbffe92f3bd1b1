import { connect, type PgSettings } from './connect';
import type { TableName } from './publication';
import { query, tableName } from './sql';

/**
 * The columns that tables have now.
 *
 * @returns by quoted name, as `tableName` makes it; a table that is not there is missing
 * @throws SyncError as `connect`
 */
export async function readColumnNames(
	settings: PgSettings,
	tables: readonly TableName[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
	const client = await connect(settings);
	try {
		const rows = await query<TableName & { readonly columns: readonly string[] }>(
			client,
			`select w.schema, w.name as table, array_agg(a.attname::text) filter (where a.attname is not null) as columns
			 from unnest($1::text[], $2::text[]) as w (schema, name)
			 join pg_catalog.pg_namespace n on n.nspname = w.schema
			 join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
			 left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			 group by w.schema, w.name`,
			[tables.map(({ schema }) => schema), tables.map(({ table }) => table)],
		);
		return new Map(rows.map((row) => [tableName(row), new Set(row.columns ?? [])]));
	} finally {
		await client.end();
	}
}
