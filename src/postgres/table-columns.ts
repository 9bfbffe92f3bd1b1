import { ident, query, type Queryable, tableName } from './sql';

/** What a write must know about a table, read from the catalogue. */
export interface TableColumns {
	/** Quoted, with its schema. */
	readonly name: string;
	/** By column name. */
	readonly columns: ReadonlyMap<string, ColumnType>;
	/** A unique or exclusion constraint is deferrable: the server then refuses `on conflict`. */
	readonly hasDeferrableUnique: boolean;
}

/** A column's type; for a domain, the type below it. */
export interface ColumnType {
	/**
	 * The type's name, quoted, with its schema and without a modifier. With one, a cast would quietly
	 * cut a text to its length; without, the assignment to the column refuses it.
	 */
	readonly cast: string;
	readonly oid: number;
	/** The type number of an array's elements; null when the type is no array. */
	readonly elementOid: number | null;
}

/** Names a table of {@link readTableColumns}' answer. */
export interface TableRef {
	readonly schema: string;
	readonly table: string;
	/** Further tables of the same records. */
	readonly parts?: ReadonlyMap<string, TableRef>;
}

/**
 * Reads the columns of several tables, and of their parts, in one round trip. Not kept for the next time: a column whose
 * type was changed meanwhile would be compared by the rules of another type.
 *
 * @returns by quoted name; a table that does not exist is missing
 */
export async function readTableColumns(
	db: Queryable,
	named: readonly TableRef[],
): Promise<ReadonlyMap<string, TableColumns>> {
	const tables = named.flatMap((table) => [table, ...(table.parts?.values() ?? [])]);
	const rows = await query<ColumnRow>(db, COLUMNS_QUERY, [
		tables.map(({ schema }) => schema),
		tables.map(({ table }) => table),
	]);
	const found = new Map<string, TableColumns & { columns: Map<string, ColumnType> }>();
	for (const row of rows) {
		const name = tableName(row);
		let table = found.get(name);
		if (!table) {
			table = { name, columns: new Map(), hasDeferrableUnique: row.has_deferrable_unique };
			found.set(name, table);
		}
		const cast = `${ident(row.type_schema)}.${ident(row.type_name)}`;
		table.columns.set(row.column, { cast, oid: row.type_oid, elementOid: row.element_oid });
	}
	return found;
}

interface ColumnRow {
	readonly schema: string;
	readonly table: string;
	readonly column: string;
	readonly type_oid: number;
	readonly type_schema: string;
	readonly type_name: string;
	readonly element_oid: number | null;
	readonly has_deferrable_unique: boolean;
}

/** Follows a domain down to the type it is made of: that is the type with operators and array elements. */
const COLUMNS_QUERY = `
with recursive asked as (
	select c.oid as relation, a.schema, a.name
	from unnest($1::text[], $2::text[]) as a(schema, name)
	join pg_catalog.pg_namespace n on n.nspname = a.schema
	join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = a.name
), typed as (
	select a.relation, a.schema, a.name, att.attname, att.atttypid as type
	from asked a
	join pg_catalog.pg_attribute att on att.attrelid = a.relation and att.attnum > 0 and not att.attisdropped
	union
	select d.relation, d.schema, d.name, d.attname, t.typbasetype
	from typed d join pg_catalog.pg_type t on t.oid = d.type and t.typtype = 'd'
)
select d.schema, d.name as table, d.attname as column, t.oid as type_oid, n.nspname as type_schema, t.typname as type_name,
	case when t.typcategory = 'A' then t.typelem end as element_oid,
	exists (select from pg_catalog.pg_index i where i.indrelid = d.relation and not i.indimmediate) as has_deferrable_unique
from typed d
join pg_catalog.pg_type t on t.oid = d.type and t.typtype <> 'd'
join pg_catalog.pg_namespace n on n.oid = t.typnamespace`;
