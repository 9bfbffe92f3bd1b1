import type pg from 'pg';

import { VALUE_KIND, TEXT_KIND, NULL_KIND } from '../core/digest-text';
import type { HashedBucket } from '../core/hashed-bucket';
import { type DigestShape, type HashSums, KEY_SEED } from '../core/row-digest';
import { hasReader } from './column-values';
import type { Tuple } from './pgoutput-reader';
import { nullKeys, readShape, type SnapshotColumn, type SnapshotTable, type TableShape } from './snapshot-columns';
import { AS_TEXT, ident, query, tableName } from './sql';
import { type Ask, horizonOf, tableIdentity, writtenSince } from './written-since';

/** Keys of some rows. */
export interface KeyRows {
	readonly columns: readonly SnapshotColumn[];
	/** As the server prints them. */
	readonly rows: readonly Tuple[];
}

/** What has been written of a table since an earlier look. */
export interface ChangedRows {
	/** All that there are. */
	readonly rows: number;
	/** Places of the rows that have been written since. */
	readonly ids: readonly string[];
}

/** All rows that there are. */
export interface KeySum {
	readonly rows: number;
	/** Of the hashes of all keys that have no null. */
	readonly sum: bigint;
}

/** Rows that are looked up at once. */
const PLACES = 10_000;

/** The server's answer: how many rows, and `bucket:sum,bucket:sum`. */
export function parseSums({ rows, sums }: { readonly rows: string | null; readonly sums: string | null }): HashSums {
	const pairs = (sums ?? '').split(',').flatMap((pair): [number, string][] => {
		const colon = pair.indexOf(':');
		return colon === -1 ? [] : [[Number(pair.slice(0, colon)), pair.slice(colon + 1)]];
	});
	return { rows: Number(rows ?? 0), sums: new Map(pairs) };
}

interface HashedTable extends Pick<TableShape, 'keyColumns' | 'estimate'> {
	/** In SQL, by the name `t`. */
	readonly source: string;
	readonly identity: string | null;
}

/** Hashes of a table's rows, computed by its server in the transaction of the session. */
export class RowHashes {
	private constructor(
		private readonly client: pg.ClientBase,
		private readonly expressions: HashExpressions,
		private readonly table: HashedTable,
	) {}

	/** See `tableIdentity`. */
	get identity(): string | null {
		return this.table.identity;
	}

	/** Rows, by the server's statistics; null: it has none. */
	get estimate(): number | null {
		return this.table.estimate;
	}

	/** @returns why not, where the server or a column cannot be hashed as the sync does it */
	static async of(client: pg.ClientBase, table: SnapshotTable, shape: DigestShape): Promise<RowHashes | string> {
		if (!(await hashesAlike(client))) return 'its server does not hash as the sync does (Postgres 11, UTF8)';
		const { keyColumns, isPartitioned, estimate } = await readShape(client as pg.Client, { schema: table.schema, table: table.table, key: [...shape.key, ...shape.fields.map(({ column }) => column)], columns: [] });
		const expressions = hashExpressions(shape, keyColumns);
		if (typeof expressions === 'string') return expressions;
		const source = `${isPartitioned ? '' : 'only '}${tableName(table)} as t`;
		// Holds the table and its partitions as they are until the transaction ends: one that were written anew in between would have its rows elsewhere.
		await query(client, `select from ${source} limit 0`);
		const identity = await tableIdentity(async (text, values) => await query(client, text, values), tableName(table), keyColumns.map(({ name }) => name));
		return new RowHashes(client, expressions, { source, keyColumns: keyColumns.slice(0, shape.key.length), estimate, identity });
	}

	/** One look at all rows. */
	async sums(mask: number): Promise<HashSums> {
		const { key, row } = this.expressions;
		const grouped = `select ${key} & ${mask} as bucket, count(*) as n, sum(${row}) as total from ${this.table.source} group by 1`;
		const [sums] = await this.#grouping(async () =>
			await this.#ask<{ rows: string | null; sums: string | null }>(`select sum(n)::text as rows, string_agg(bucket || ':' || total, ',') as sums from (${grouped}) as b`),
		);
		return parseSums(sums ?? { rows: null, sums: null });
	}

	/** The rows in some buckets; the id of each is its place in this snapshot. */
	async inBuckets(mask: number, buckets: readonly number[]): Promise<readonly HashedBucket[]> {
		const { key, row } = this.expressions;
		const listed = `select ${key} & ${mask} as bucket, ${key} || ' ' || ${row} as hash, ${PLACE} as place from ${this.table.source} where (${key} & ${mask}) in (select unnest($1::bigint[]))`;
		return await this.#grouping(async () =>
			await this.#ask<HashedBucket & pg.QueryResultRow>(`select bucket::int as bucket, string_agg(hash, ',') as hashes, string_agg(place, ' ') as ids from (${listed}) as l group by 1`, [buckets]),
		);
	}

	/** The keys of the rows at these places. */
	async keysAt(places: readonly string[]): Promise<KeyRows> {
		const { keyColumns: columns } = this.table;
		const list = columns.map(({ name }) => `t.${ident(name)}`).join(', ');
		const found: Tuple[] = [];
		for (let at = 0; at < places.length; at += PLACES) {
			const some = places.slice(at, at + PLACES);
			const { rows } = await this.client.query<(string | null)[]>({
				text: `select ${list} from ${this.table.source} where t.ctid = any ($1::tid[]) and ${PLACE} = any ($2::text[])`,
				values: [some.map((place) => place.slice(place.indexOf('('))), some],
				rowMode: 'array',
				types: AS_TEXT,
			});
			found.push(...rows);
		}
		return { columns, rows: found };
	}

	/** See `horizonOf`. Only of a table that has an identity. */
	async horizon(): Promise<string> {
		return await horizonOf(this.#ask);
	}

	/** Two looks at all rows, which hash none. Null: see `writtenSince`. */
	async changedSince(horizon: string, most: number): Promise<ChangedRows | null> {
		const ids = await this.writtenSince(horizon, most);
		if (ids === null) return null;
		const [found] = await this.#ask<{ rows: string }>(`select count(*)::text as rows from ${this.table.source}`);
		return { rows: Number(found?.rows), ids };
	}

	/** Places of the rows that have been written since. Null: that horizon is too far away, or more have been written than that. */
	async writtenSince(horizon: string, most: number): Promise<readonly string[] | null> {
		const isWritten = await writtenSince(this.#ask, horizon, 't');
		if (isWritten === null) return null;
		const written = await this.#ask<{ id: string }>(`select ${PLACE} as id from ${this.table.source} where ${isWritten} limit ${most + 1}`);
		return written.length > most ? null : written.map(({ id }) => id);
	}

	/** One look at all rows, which hashes their keys alone. */
	async keySum(): Promise<KeySum> {
		const nulls = nullKeys(this.table);
		const keyed = nulls.length === 0 ? '' : ` filter (where not (${nulls.join(' or ')}))`;
		const [found] = await this.#ask<Record<'rows' | 'sum', string>>(
			`select count(*)::text as rows, coalesce(sum(${this.expressions.key})${keyed}, 0)::text as sum from ${this.table.source}`,
		);
		return { rows: Number(found?.rows), sum: BigInt(found?.sum ?? 0) };
	}

	/** A statement without its condition, over `t`: of each row the text of its hashes (see `HashedBucket`), and its place. */
	get listing(): string {
		const { key, row } = this.expressions;
		return `select ${key} || ' ' || ${row}, ${PLACE} from ${this.table.source}`;
	}

	/** The planner takes each key's hash for a group of its own, and would sort all rows by it. */
	async #grouping<T>(work: () => Promise<T>): Promise<T> {
		await query(this.client, 'savepoint grouping');
		await query(this.client, `select set_config('enable_sort', 'off', true), set_config('work_mem', '128MB', true)`);
		const result = await work();
		await query(this.client, 'rollback to savepoint grouping');
		return result;
	}

	readonly #ask: Ask = async (text, values) => await query(this.client, text, values);
}

/** Of one partition, and in it. */
const PLACE = `t.tableoid::bigint || t.ctid::text`;

/** Whether a text hashes on that server as `ChainedHash` says: one that is known does. */
async function hashesAlike(client: pg.ClientBase): Promise<boolean> {
	const [facts] = await query<{ is_new: boolean; encoding: string }>(client, `select current_setting('server_version_num')::int >= 110000 as is_new, current_setting('server_encoding') as encoding`);
	if (facts?.is_new !== true || facts.encoding !== 'UTF8') return false;
	const [probe] = await query<{ hash: string }>(client, `select hashtextextended('äöü€😀' collate "C", 77)::text as hash`);
	return probe?.hash === '-8388436317929946800';
}

/** A row's hashes as SQL, over `t`. */
export interface HashExpressions {
	readonly key: string;
	readonly row: string;
}

type HashedColumn = SnapshotColumn & { readonly isNullable: boolean };

/** @returns why not, where a column cannot be hashed as `digestText` says */
export function hashExpressions({ key, fields }: DigestShape, columns: readonly HashedColumn[]): HashExpressions | string {
	const texts = columns.map((column) => textOf(column));
	const bad = columns.find((_, at) => texts[at] === null);
	if (bad) return `the column "${bad.name}" has a type whose text is not that of its value`;
	const hashed = (text: string, seed: string): string => `hashtextextended((${text}) collate "C", ${seed})`;
	let hash = String(KEY_SEED);
	texts.slice(0, key.length).forEach((text, at) => {
		hash = columns[at]?.isNullable ? hashed(`coalesce(${text?.sql}, '')`, seedOf(hash, 0, text?.isNull ?? '')) : hashed(text?.sql ?? '', hash);
	});
	const ofKey = hash;
	texts.slice(key.length).forEach((text, at) => {
		if (!text) return;
		const isNullable = columns[key.length + at]?.isNullable || text.mayBeNull;
		if (isNullable) hash = hashed(`coalesce(${text.sql}, '')`, seedOf(hash, text.kind, text.isNull));
		else hash = hashed(text.sql, text.kind === 0 ? hash : `${hash} # ${text.kind}`);
	});
	return fields.length === 0 ? { key: ofKey, row: ofKey } : { key: ofKey, row: hash };
}

const seedOf = (hash: string, kind: number, isNull: string): string => `${hash} # case when ${isNull} then ${NULL_KIND} else ${kind} end`;

/** A column's text, in SQL, as `digestText` has it for the value that its reader makes of it. */
interface ColumnHashText {
	readonly kind: number;
	readonly sql: string;
	/** A condition. */
	readonly isNull: string;
	/** Also where the column itself is not. */
	readonly mayBeNull?: true;
}

function textOf({ name, typeOid }: SnapshotColumn): ColumnHashText | null {
	const column = `t.${ident(name)}`;
	const isNull = `${column} is null`;
	const make = TEXTS.get(typeOid);
	if (make) return { isNull, ...make(column) };
	// What has a reader of its own and no text here: json, lists of it and of times, floats and padded texts.
	return hasReader(typeOid) ? null : { kind: TEXT_KIND, sql: asPrinted(column), isNull };
}

/** By the type's own output function, which a cast to text is not for all types (char(n), inet, bool). */
const asPrinted = (column: string): string => `concat(${column})`;

type Make = (column: string) => Omit<ColumnHashText, 'isNull'> & { readonly isNull?: string };

const cast =
	(kind: number): Make =>
	(column) => ({ kind, sql: `${column}::text` });
const printed: Make = (column) => ({ kind: TEXT_KIND, sql: asPrinted(column) });
/** As JSON, but for one with bounds of its own, which is a text. */
const list =
	(items: string): Make =>
	(column) => ({ kind: VALUE_KIND, sql: `case when left(${column}::text, 1) = '[' then ${column}::text else to_jsonb(${column}${items})::text end` });

/** By the type's number, see `column-values.ts`. */
const TEXTS: ReadonlyMap<number, Make> = new Map<number, Make>([
	...[16, 21, 23, 26, 701].map((oid): [number, Make] => [oid, cast(VALUE_KIND)]), // bool, int2, int4, oid, float8
	[700, (column) => ({ kind: VALUE_KIND, sql: `${column}::text::float8::text` })], // float4: the number that its text reads as
	...[20, 1700, 25, 1043, 1082, 1083, 1266, 1186, 2950, 17].map((oid): [number, Make] => [oid, cast(TEXT_KIND)]),
	...[1042, 18, 19, 869, 650, 829, 790, 142].map((oid): [number, Make] => [oid, printed]),
	[1114, (column) => ({ kind: TEXT_KIND, sql: `translate(${column}::text, ' ', 'T')` })], // timestamp
	[1184, (column) => ({ kind: TEXT_KIND, sql: `replace(translate(${column}::text, ' ', 'T'), '+00', 'Z')` })], // timestamptz
	[3802, (column) => ({ kind: VALUE_KIND, sql: `nullif(${column}::text, 'null')`, isNull: `${column} is null or jsonb_typeof(${column}) = 'null'`, mayBeNull: true })],
	...[1000, 1005, 1007, 1009, 1015, 2951].map((oid): [number, Make] => [oid, list('')]), // of bool, int2, int4, text, varchar, uuid
	...[1016, 1231].map((oid): [number, Make] => [oid, list('::text[]')]), // of int8 and numeric, which are texts
]);
