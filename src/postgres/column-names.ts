import { askServer, type PgSettings } from './connect';
import type { TableName } from './publication';
import { query, tableName } from './sql';

/** By column name, its type; see {@link readColumnNames}. */
export type NamedTypes = ReadonlyMap<string, string>;

/**
 * The columns that tables have now, and their types as far as they decide how values are printed: a length that is
 * only a limit is left out, and all texts are one type.
 *
 * @returns by quoted name, as `tableName` makes it; a table that is not there is missing
 * @throws SyncError as `connect`
 */
export async function readColumnNames(
	settings: PgSettings,
	tables: readonly TableName[],
): Promise<ReadonlyMap<string, NamedTypes>> {
	return await askServer(settings, async (client) => {
		const rows = await query<TableName & { readonly columns: readonly string[] | null; readonly types: readonly string[] | null }>(
			client,
			`select w.schema, w.name as table, array_agg(a.attname::text order by a.attnum) filter (where a.attname is not null) as columns,
			        array_agg(case when a.atttypid in ('text'::regtype, 'varchar'::regtype) then 'text'
			                       when a.atttypid = 'varbit'::regtype then format_type(a.atttypid, null)
			                       else format_type(a.atttypid, a.atttypmod) end
			                  order by a.attnum) filter (where a.attname is not null) as types
			 from unnest($1::text[], $2::text[]) as w (schema, name)
			 join pg_catalog.pg_namespace n on n.nspname = w.schema
			 join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
			 left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			 group by w.schema, w.name`,
			[tables.map(({ schema }) => schema), tables.map(({ table }) => table)],
		);
		return new Map(rows.map((row) => [tableName(row), new Map((row.columns ?? []).map((name, at) => [name, row.types?.[at] ?? '']))]));
	});
}
