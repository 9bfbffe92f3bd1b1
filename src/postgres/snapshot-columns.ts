import type pg from 'pg';

import { SyncError } from '../core/errors';
import type { TableName } from './publication';
import { ident, query } from './sql';

export interface SnapshotTable extends TableName {
	/** Rows come in this order. */
	readonly key: readonly string[];
	/** Default: all that the change stream would send, which leaves out generated columns. */
	readonly columns?: readonly string[] | undefined;
	/** Tables whose rows are read together with this one's; their columns are called `part.column`. */
	readonly parts?: readonly SnapshotPart[] | undefined;
}

/** A table joined one-to-one to another one. */
export interface SnapshotPart extends TableName {
	readonly name: string;
	/** The columns that hold the main row's key, in the order of its columns. */
	readonly key: readonly string[];
}

export interface SnapshotColumn {
	readonly name: string;
	/** As a change stream has it: a domain's own number, not that of its base type. */
	readonly typeOid: number;
}

export interface TableShape {
	readonly columns: readonly SnapshotColumn[];
	/** In the order of the table's key. */
	readonly keyColumns: readonly (SnapshotColumn & { readonly isNullable: boolean })[];
	readonly isPartitioned: boolean;
	/** How many rows the server's statistics know of; null before the first ANALYZE. */
	readonly estimate: number | null;
}

interface ColumnRow {
	readonly name: string;
	readonly typeOid: number;
	readonly isGenerated: boolean;
	readonly isNullable: boolean;
	readonly isPartitioned: boolean;
	readonly estimate: number;
}

/** @throws SyncError TABLE_MISSING when the table or one of the columns is not there */
export async function readShape(client: pg.Client, table: SnapshotTable): Promise<TableShape> {
	const rows = await query<ColumnRow>(
		client,
		`select a.attname as name, a.atttypid::int8::float8 as "typeOid", a.attgenerated <> '' as "isGenerated",
		        not a.attnotnull as "isNullable", c.relkind = 'p' as "isPartitioned",
		        case c.relkind when 'r' then c.reltuples::float8 else
		        (select coalesce(sum(leaf.reltuples), -1)::float8 from pg_partition_tree(c.oid) part
		         join pg_class leaf on leaf.oid = part.relid and leaf.relkind = 'r' and leaf.reltuples >= 0) end as estimate
		 from pg_class c
		 join pg_namespace n on n.oid = c.relnamespace
		 join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		 where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
		 order by a.attnum`,
		[table.schema, table.table],
	);
	const [first] = rows;
	if (!first) throw new SyncError('TABLE_MISSING', `There is no table ${labelOf(table)}`);
	const wanted = table.columns ?? rows.filter((row) => !row.isGenerated).map(({ name }) => name);
	const { isPartitioned, estimate } = first;
	return {
		columns: wanted.map((name) => columnNamed(rows, name, table)),
		keyColumns: table.key.map((name) => columnNamed(rows, name, table)),
		isPartitioned,
		estimate: estimate < 0 ? null : estimate,
	};
}

/** Conditions over `t`, one of which holds for a row without a whole key. None: each row has one. */
export const nullKeys = ({ keyColumns }: Pick<TableShape, 'keyColumns'>): string[] =>
	keyColumns.flatMap(({ name, isNullable }) => (isNullable ? [`t.${ident(name)} is null`] : []));

function columnNamed(
	rows: readonly ColumnRow[],
	wanted: string,
	table: TableName,
): TableShape['keyColumns'][number] {
	const found = rows.find(({ name }) => name === wanted);
	if (!found) {
		throw new SyncError('TABLE_MISSING', `Table ${labelOf(table)} has no column "${wanted}"`);
	}
	const { name, typeOid, isNullable } = found;
	return { name, typeOid, isNullable };
}

export const labelOf = ({ schema, table }: TableName): string => `${schema}.${table}`;
