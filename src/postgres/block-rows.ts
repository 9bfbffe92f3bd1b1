import type pg from 'pg';

import { query } from './sql';

/** Some neighbouring blocks of a table's file, with the rows that a snapshot sees in them. */
export interface BlockRange {
	/** The number of its first block. */
	readonly first: number;
	readonly rows: number;
	/** Whether any of the rows may have been written since the earlier look. */
	readonly isNew: boolean;
}

/** What is read of the rows of a range. */
export interface RangeNumbers {
	readonly first: number;
	/** Row after row, number after number: 8 bytes each, the highest first, two's complement. */
	readonly bytes: Buffer;
}

export interface BlockRowsParts {
	/** In the transaction whose snapshot is looked at. */
	readonly client: pg.ClientBase;
	/** Quoted, with its schema. */
	readonly table: string;
	/** Conditions over `t`; all rows without one. */
	readonly where?: string;
	/** Of each row, as SQL over `t`: bigints that are never null. */
	readonly numbers: readonly string[];
}

/** Blocks of a range: some hundred rows, of which few are read in vain when one has changed. */
const RANGE = 4;
/** Ranges that are read in one statement. */
const READ = 512;
/** The counter of transactions turns over at 2^32, and compares within half of that. */
const MAX_AGE = 1_000_000_000;

/**
 * The rows of a table by where they stand, so that a second look reads only what has changed since the first.
 *
 * Rows of a range that were all written before the first look, and are as many as they were then, are the same ones: a row
 * that is there now and was written before every transaction that was open then was there then, too, so that none has come,
 * and as many as have not gone are left. Holds while the file is the same one, which `identity` says (rewriting a
 * table keeps its rows' transactions), and while the server's history is: whoever puts a server back to an older copy
 * begins anew. By ranges of `ctid`, and `xmin`: "System Columns" and "Transactions and Identifiers" in the manual.
 */
export class BlockRows {
	constructor(private readonly parts: BlockRowsParts) {}

	/** Of the table's file; null: it has none (a partitioned table, a view), or the server reads no ranges of it (before Postgres 14). */
	async identity(): Promise<string | null> {
		const [found] = await this.#query<{ identity: string | null }>(
			`select case when c.relkind in ('r', 'm') and current_setting('server_version_num')::int >= 140000
				then concat_ws('/', c.oid, pg_relation_filenode(c.oid), current_setting('block_size')) end as identity
			from pg_class c where c.oid = $1::regclass`,
			[this.parts.table],
		);
		return found?.identity ?? null;
	}

	/** Whatever is written later, or was not finished, has this number of a transaction or a higher one. */
	async horizon(): Promise<string> {
		const [found] = await this.#query<{ horizon: string }>(`select pg_snapshot_xmin(pg_current_snapshot())::text as horizon`);
		return found?.horizon ?? '0';
	}

	/** @param since - the horizon of the earlier look; null: there was none. @returns the ranges that have rows */
	async ranges(since: string | null): Promise<readonly BlockRange[]> {
		const reaches = since !== null && (await this.#reaches(since));
		const isNew = reaches ? 'coalesce(bool_or(age(t.xmin) <= age($2::xid8::xid)), false)' : 'true';
		return await this.#query<BlockRange & pg.QueryResultRow>(
			`select r.first::int as first, x.rows::int as rows, x.is_new as "isNew"
			from generate_series(0::bigint, pg_relation_size($1::regclass) / current_setting('block_size')::int, ${RANGE}) as r (first),
			lateral (select count(*) as rows, ${isNew} as is_new from only ${this.parts.table} t where ${this.#within('r.first')}) x
			where x.rows > 0`,
			reaches ? [this.parts.table, since] : [this.parts.table],
		);
	}

	/** The rows of some ranges, in the order of the ranges. */
	async *numbers(firsts: readonly number[]): AsyncGenerator<RangeNumbers, void, undefined> {
		const row = this.parts.numbers.map((number) => `int8send(${number})`).join(' || ');
		for (let at = 0; at < firsts.length; at += READ) {
			yield* await this.#query<RangeNumbers & pg.QueryResultRow>(
				`select r.first, coalesce(x.bytes, '') as bytes from unnest($1::int[]) with ordinality as r (first, place),
				lateral (select string_agg(${row}, '' order by t.ctid) as bytes from only ${this.parts.table} t where ${this.#within('r.first')}) x order by r.place`,
				[firsts.slice(at, at + READ)],
			);
		}
	}

	/** Whether ages up to that horizon can be told apart. */
	async #reaches(since: string): Promise<boolean> {
		const [found] = await this.#query<{ age: string }>(`select (pg_snapshot_xmax(pg_current_snapshot())::text::numeric - $1::numeric)::text as age`, [since]);
		const age = Number(found?.age);
		return age >= 0 && age < MAX_AGE;
	}

	#within(first: string): string {
		const range = `t.ctid >= format('(%s,0)', ${first})::tid and t.ctid < format('(%s,0)', ${first} + ${RANGE})::tid`;
		return this.parts.where === undefined ? range : `${range} and (${this.parts.where})`;
	}

	async #query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
		return await query<Row>(this.parts.client, text, [...values]);
	}
}
