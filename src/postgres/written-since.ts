import type pg from 'pg';

/** Sends a statement within a transaction, and gives its rows. */
export type Ask = <Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/**
 * Which rows have been written since an earlier look, by the transactions that wrote them: `xmin`, see "System Columns" and
 * "Transactions and Identifiers" in the manual. Rewriting a table (VACUUM FULL, CLUSTER) keeps them, freezing as well.
 */

/** The counter of transactions turns over at 2^32, and compares within half of that. */
const MAX_AGE = 1_000_000_000;

/** Whatever this snapshot does not see, because it was not finished or comes later, has this number of a transaction or a higher one. */
export async function horizonOf(ask: Ask): Promise<string> {
	const [found] = await ask<{ horizon: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as horizon');
	return found?.horizon ?? '0';
}

/**
 * A condition on the rows of `alias`: written at the horizon or later. Holds in this transaction alone, from whose beginning ages are counted.
 * Null: the horizon is too far away to tell.
 */
export async function writtenSince(ask: Ask, horizon: string, alias: string): Promise<string | null> {
	const [found] = await ask<{ distance: string; age: string }>(
		`select (pg_snapshot_xmax(pg_current_snapshot())::text::numeric - $1::numeric)::text as distance, age($1::text::xid8::xid)::text as age`,
		[horizon],
	);
	const distance = Number(found?.distance);
	if (!(distance >= 0 && distance < MAX_AGE)) return null;
	// The number itself, since for each row a parameter would be read anew. Rows that were frozen half a turn ago seem to come from the future; that is asked last, of few.
	return `age(${alias}.xmin) <= ${Number(found?.age)} and age(${alias}.xmin) >= -${MAX_AGE}`;
}

/**
 * Tells the table, as far as its rows' texts depend on anything but the rows: another one, another column of the same name, a
 * partition that came with its rows, and a renamed label of an enumeration make it another text; so does a server that was started
 * again, for its files may be those of a copy. Null: what a row's transaction says is not enough. There, transactions have no long numbers (before
 * Postgres 13), rows are not in the server's own kind of files, a column is computed whenever it is read, or its text names what may be renamed or altered.
 *
 * @param table - quoted, with its schema
 */
export async function tableIdentity(ask: Ask, table: string, columns: readonly string[]): Promise<string | null> {
	const [found] = await ask<{ identity: string | null }>(
		`with recursive cols as (
			select a.* from pg_attribute a where a.attrelid = $1::regclass and a.attname = any ($2) and a.attnum > 0
		), used (oid) as (
			select atttypid from cols
			union select part.oid from used u join pg_type t on t.oid = u.oid cross join lateral (values (t.typbasetype), (t.typelem)) as part (oid) where part.oid <> 0
		), files as (
			select c.oid, c.relkind, c.relam from pg_class c where c.oid = $1::regclass
			union select l.oid, l.relkind, l.relam from pg_partition_tree($1::regclass) p join pg_class l on l.oid = p.relid
		)
		select case when current_setting('server_version_num')::int >= 130000
				and not exists (select 1 from cols where attgenerated = 'v')
				and not exists (select 1 from files where relkind not in ('r', 'p') or (relkind = 'r' and relam <> (select am.oid from pg_am am where am.amname = 'heap')))
				and not exists (select 1 from used u join pg_type t on t.oid = u.oid where ${NAMES_SOMETHING})
			then concat_ws('/', extract(epoch from pg_postmaster_start_time()),
				(select d.oid from pg_database d where d.datname = current_database()),
				(select string_agg(oid::text, ',' order by oid) from files),
				(select string_agg(concat_ws(':', attname, attnum, atttypid, atttypmod), ',' order by attnum) from cols),
				(select hashtextextended(string_agg(e.oid || e.enumlabel, ',' order by e.oid), 0) from pg_enum e)) end as identity`,
		[table, columns],
	);
	return found?.identity ?? null;
}

/** A composite type may get another attribute, a range another type of bounds, and a reg… type prints a name. */
const NAMES_SOMETHING = `t.typtype not in ('b', 'e', 'd') and t.oid >= 16384 or (t.oid < 16384 and t.typname ~ '^(reg|aclitem)')`;
