import type { ColumnFacts, ColumnKind, ForeignKey, PublicationFacts, TableFacts } from '../core/table-facts';
import { readTables, type StorageFacts, type TableFacts as ServerTable } from './preflight-facts';
import { type PublicationState, readPublication, type TableName } from './publication';
import { query, type Queryable } from './sql';

/** Which tables to ask about. */
export interface FactsRequest {
	readonly system: string;
	readonly tables: readonly TableName[];
	/** The publication that is to carry them. */
	readonly publication?: string | undefined;
}

/**
 * Asks a database what lint has to know about tables. A table that does not exist is left out.
 *
 * @throws SyncError when the database cannot be reached or refuses the role
 */
export async function readTableFacts(
	db: Queryable,
	{ system, tables, publication: name }: FactsRequest,
): Promise<readonly TableFacts[]> {
	const publication = name === undefined ? null : await readPublication(db, name);
	const states = await readTables(db, tables);
	const columns = await query<ColumnRow>(db, COLUMN_FACTS, [
		tables.map(({ schema }) => schema),
		tables.map(({ table }) => table),
	]);
	const foreignKeys = await readForeignKeys(db, tables);
	return tables.flatMap((table, index): TableFacts[] => {
		const state = states[index];
		if (!state) return [];
		const mine = columns.filter((row) => row.schema === table.schema && row.table === table.table);
		return [
			{
				system,
				...table,
				columns: mine.map(columnFacts),
				uniqueKeys: state.uniqueKeys,
				foreignKeys: foreignKeys[index] ?? [],
				...identityOf(state),
				...(publication ? { publication: publicationFacts(publication, table) } : {}),
			},
		];
	});
}

/** In the order of the tables. A deferred one counts: at the commit it holds. */
async function readForeignKeys(db: Queryable, tables: readonly TableName[]): Promise<(readonly ForeignKey[])[]> {
	const rows = await query<{ keys: readonly ForeignKey[] }>(db, FOREIGN_KEYS, [
		tables.map(({ schema }) => schema),
		tables.map(({ table }) => table),
	]);
	return rows.map(({ keys }) => keys);
}

const FOREIGN_KEYS = `
select (
	select coalesce(jsonb_agg(jsonb_build_object('schema', tn.nspname, 'table', t.relname,
	         'columns', (select jsonb_agg(a.attname order by k.i) from unnest(f.conkey) with ordinality as k(num, i)
	                     join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.num),
	         'to', (select jsonb_agg(a.attname order by k.i) from unnest(f.confkey) with ordinality as k(num, i)
	                join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.num)) order by f.conname), '[]')
	from pg_class c
	join pg_namespace n on n.oid = c.relnamespace
	join pg_constraint f on f.conrelid = c.oid and f.contype = 'f' and f.convalidated
	join pg_class t on t.oid = f.confrelid
	join pg_namespace tn on tn.oid = t.relnamespace
	where n.nspname = w.schema and c.relname = w.name) as keys
from unnest($1::text[], $2::text[]) with ordinality as w (schema, name, place)
order by w.place`;

interface ColumnRow extends TableName {
	readonly name: string;
	readonly not_null: boolean;
	readonly has_default: boolean;
	readonly type_oid: number;
	readonly category: string;
	/** Of the column, or of the innermost domain that has one; -1: none. */
	readonly modifier: number;
	readonly storage: string;
	readonly labels: readonly string[] | null;
	/** Definitions of check constraints on this column alone. */
	readonly checks: readonly string[];
}

/** A domain counts as the type below it. */
const COLUMN_FACTS = `
with recursive col as (
	select n.nspname as schema, c.relname as table, a.attname as name, a.attnum, a.attrelid,
	       a.attnotnull as not_null, a.atthasdef or a.attidentity <> '' as has_default,
	       a.attstorage as storage, a.atttypid as type, a.atttypmod as modifier
	from unnest($1::text[], $2::text[]) as w (schema, name)
	join pg_namespace n on n.nspname = w.schema
	join pg_class c on c.relnamespace = n.oid and c.relname = w.name
	join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
	union all
	select col.schema, col.table, col.name, col.attnum, col.attrelid, col.not_null or t.typnotnull,
	       col.has_default or t.typdefault is not null, col.storage, t.typbasetype,
	       case when col.modifier = -1 then t.typtypmod else col.modifier end
	from col join pg_type t on t.oid = col.type and t.typtype = 'd')
select col.schema, col.table, col.name, col.not_null, col.has_default, col.storage, col.modifier,
       t.oid::int as type_oid, t.typcategory as category,
       (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels,
       (select coalesce(jsonb_agg(pg_get_constraintdef(k.oid)), '[]') from pg_constraint k
        where k.conrelid = col.attrelid and k.contype = 'c' and k.conkey = array[col.attnum]) as checks
from col join pg_type t on t.oid = col.type and t.typtype <> 'd'
order by col.schema, col.table, col.attnum`;

/** By type number: they are the same in every version of Postgres. */
const KINDS: ReadonlyMap<number, ColumnKind> = new Map([
	[16, 'boolean'],
	[21, 'integer'],
	[23, 'integer'],
	[26, 'integer'],
	[20, 'bigint'],
	[1700, 'numeric'],
	[700, 'float'],
	[701, 'float'],
	[114, 'json'],
	[3802, 'json'],
	[1082, 'date'],
	[1114, 'timestamp'],
	[1184, 'timestamptz'],
]);
const BPCHAR = 1042;
const LENGTH_TYPES: readonly number[] = [BPCHAR, 1043];
/** A modifier holds the length, or precision and scale, above a header of four bytes. */
const HEADER = 4;

function columnFacts(row: ColumnRow): ColumnFacts {
	const { name, not_null: notNull, has_default: hasDefault, modifier, type_oid: oid } = row;
	const kind = kindOf(row);
	const hasLimit = LENGTH_TYPES.includes(oid) && modifier >= HEADER;
	return {
		name,
		notNull,
		hasDefault,
		kind,
		isToastable: row.storage === 'x' || row.storage === 'e',
		values: row.labels ?? checkedValues(row.checks),
		...(kind === 'text' ? { maxLength: hasLimit ? modifier - HEADER : null } : {}),
		...(oid === BPCHAR ? { isPadded: true } : {}),
		// Eleven bits with a sign; a scale below zero keeps no digits after the point either.
		...(kind === 'numeric' ? { scale: modifier < HEADER ? null : scaleOf(modifier) } : {}),
	};
}

function kindOf({ type_oid: oid, category }: ColumnRow): ColumnKind {
	if (category === 'A') return 'list';
	// S: text types; E: enums.
	return KINDS.get(oid) ?? (category === 'S' || category === 'E' ? 'text' : 'other');
}

function scaleOf(modifier: number): number {
	const scale = (modifier - HEADER) & 0x7ff;
	return scale > 0x3ff ? 0 : scale;
}

/** As the server prints `check (column in ('a', 'b'))`, with the casts of each text type. */
const IN_LIST = /^CHECK \(+[^()=]+\)?(?:::text)? = ANY \(\(?ARRAY\[(.*?)\]\)?(?:::text\[\])?\)+$/;
const TEXT_LITERAL = /'((?:[^']|'')*)'::(?:text|character varying|bpchar)(?:, |$)/gy;

/** The values that a check constraint lists, or null when none says so plainly. */
function checkedValues(checks: readonly string[]): readonly string[] | null {
	for (const check of checks) {
		const list = IN_LIST.exec(check)?.[1];
		const values = list === undefined ? null : literalsIn(list);
		if (values !== null) return values;
	}
	return null;
}

function literalsIn(list: string): string[] | null {
	const found = [...list.matchAll(TEXT_LITERAL)];
	const length = found.reduce((sum, [whole]) => sum + whole.length, 0);
	return length === list.length ? found.map(([, text = '']) => text.replaceAll("''", "'")) : null;
}

/** Of a partitioned table the weakest partition counts, or the table itself if that is weaker. */
function identityOf({
	storage,
	root = null,
}: ServerTable): Pick<TableFacts, 'replicaIdentity' | 'identityColumns'> {
	const [first, ...others] = storage.length === 0 || root === null ? storage : [...storage, root];
	if (!first) return {}; // A view, or a table without partitions: nothing is logged of it.
	const weakest = others.reduce((a, b) => (strength(b) < strength(a) ? b : a), first);
	const columns = others.reduce(
		(known, { identityColumns }) => known.filter((name) => identityColumns.includes(name)),
		first.identityColumns,
	);
	// The primary key is the identity by default; a table without one has none.
	const isNothing = weakest.identityColumns.length === 0;
	return {
		replicaIdentity: isNothing ? 'nothing' : weakest.replicaIdentity,
		identityColumns: columns,
	};
}

function strength({ replicaIdentity, identityColumns }: StorageFacts): number {
	if (identityColumns.length === 0) return 0;
	return replicaIdentity === 'full' ? 2 : 1;
}

function publicationFacts({ name, tables }: PublicationState, table: TableName): PublicationFacts {
	const published = tables.find(
		(other) => other.schema === table.schema && other.table === table.table,
	);
	return { name, columns: published ? published.columns : [] };
}
