import { isJsonType } from './column-text';
import { ident } from './sql';
import type { Cell, ColumnPlace, RowWrite, StampedPlace } from './write-cells';

/** One statement and its parameters. */
export interface Statement {
	readonly text: string;
	readonly values: readonly unknown[];
}

type Writes = readonly [RowWrite, ...RowWrite[]];

/**
 * Sets columns of each row that holds what is expected of it. Returns `i`, the index of each write
 * that happened.
 *
 * A row that another transaction has locked is waited for and compared again as that one left it
 * ("Read Committed Isolation Level" in the manual).
 */
export function updateStatement(writes: Writes): Statement {
	const { table, sets, stampedNow } = writes[0];
	const x = rowsOf(writes);
	const match = matchOf(writes[0], x.values);
	const assignments = [
		...sets.map(({ column, type }, index) => `${ident(column)} = x.n${index}::${type.cast}`),
		...stampedNow.map((place) => `${ident(place.column)} = ${timeOf(place)}`),
	];
	return {
		text: `update ${table.name} as t set ${assignments.join(', ')}
			from ${x.source} where ${match.text} returning x.i::int - 1 as i`,
		values: match.values,
	};
}

/** Removes each row that holds what is expected of it. Returns `i`, the index of each write that happened. */
export function deleteStatement(writes: Writes): Statement {
	const x = rowsOf(writes);
	const match = matchOf(writes[0], x.values);
	return {
		text: `delete from ${writes[0].table.name} as t
			using ${x.source} where ${match.text} returning x.i::int - 1 as i`,
		values: match.values,
	};
}

/** Locks the row if it holds what is expected of it. Returns one row if so. */
export function lockStatement(write: RowWrite): Statement {
	const x = rowsOf([write]);
	const match = matchOf(write, x.values);
	const strength = write.op.kind === 'delete' ? 'update' : 'no key update';
	return {
		text: `select 1 from ${x.source}, ${write.table.name} as t where ${match.text} for ${strength} of t`,
		values: match.values,
	};
}

/** Returns `i`, the index of each write whose row somebody else holds a lock on; locks the others. */
export function lockedRowsStatement(writes: Writes): Statement {
	const { table, op } = writes[0];
	const x = rowsOf(writes);
	const strength = op.kind === 'delete' ? 'update' : 'no key update';
	return {
		text: `with free as materialized (
				select x.i from ${x.source}, ${table.name} as t where ${keyMatchOf(writes[0])}
				for ${strength} of t skip locked
			)
			select x.i::int - 1 as i from ${x.source}, ${table.name} as t
			where ${keyMatchOf(writes[0])} and x.i not in (select i from free)`,
		values: x.values,
	};
}

/**
 * Adds rows, each by a statement of its own within the one that is sent: only so is it known which
 * returned key belongs to which operation. Returns `i` and, in `key`, the key columns' texts.
 *
 * @param onConflict - `skip`: a row with a unique value that is taken is left out; `fail`: it is an error
 */
export function insertStatement(writes: Writes, onConflict: 'skip' | 'fail'): Statement {
	const values: (string | null)[] = [];
	const inserts = writes.map(({ table, sets, stampedNow, numbered, keyColumns }, index) => {
		const columns = [...sets, ...stampedNow, ...numbered].map(({ column }) => ident(column));
		const parameters = sets.map(({ text, type }) => `$${values.push(text)}::text::${type.cast}`);
		const numbers = numbered.map(
			({ sequence, type }) => `nextval($${values.push(sequence)}::text::regclass)::${type.cast}`,
		);
		const given = [...parameters, ...stampedNow.map(timeOf), ...numbers];
		const row =
			columns.length > 0
				? `(${columns.join(', ')}) values (${given.join(', ')})`
				: 'default values';
		return `w${index} as (insert into ${table.name} as t ${row}
			${onConflict === 'skip' ? 'on conflict do nothing' : ''}
			returning array[${keyColumns.map(keyTextOf).join(', ')}] as key)`;
	});
	const answers = writes.map((_, index) => `select ${index} as i, key from w${index}`);
	return { text: `with ${inserts.join(',\n')}\n${answers.join(' union all ')}`, values };
}

type Texts = readonly (string | null)[];

/** The writes' values as rows: key columns k0…, new values n0…, expected values e0…, and the index i from 1. */
function rowsOf(writes: Writes): { readonly source: string; readonly values: readonly Texts[] } {
	const kinds = [
		['k', ({ key }: RowWrite) => key],
		['n', ({ sets }: RowWrite) => sets],
		['e', ({ expects }: RowWrite) => expects],
	] as const;
	const names: string[] = [];
	const values: Texts[] = [];
	for (const [prefix, cellsOf] of kinds) {
		cellsOf(writes[0]).forEach((_, index) => {
			names.push(`${prefix}${index}`);
			values.push(writes.map((write) => (cellsOf(write)[index] as Cell).text));
		});
	}
	const parameters = values.map((_, index) => `$${index + 1}::text[]`);
	return {
		source: `unnest(${parameters.join(', ')}) with ordinality as x(${names.join(', ')}, i)`,
		values,
	};
}

function keyMatchOf({ key }: RowWrite): string {
	return key
		.map(({ column, type }, index) => `t.${ident(column)} = x.k${index}::${type.cast}`)
		.join(' and ');
}

/** The condition on the row, with its parameters: those given, and then those that are the same for every row of the table. */
function matchOf(write: RowWrite, given: readonly Texts[]): Statement {
	const values: (Texts | string | null)[] = [...given];
	const unless = write.unless.map(
		({ column, type, text }) => `t.${ident(column)} is distinct from $${values.push(text)}::text::${type.cast}`,
	);
	const scope = write.scope.map(({ column, type, texts }) => {
		const name = `t.${ident(column)}`;
		const isOne = `${name} = any($${values.push(texts)}::text[]::${type.cast}[])`;
		return texts.includes(null) ? `(${name} is null or ${isOne})` : isOne;
	});
	return { text: [keyMatchOf(write), ...write.expects.map(comparison), ...unless, ...scope].join(' and '), values };
}

/** Types whose `=` asks for the same value and does not need the text; above all numeric, where 1.0 is 1.00. */
const COMPARED_BY_VALUE: ReadonlySet<number> = new Set([
	...[16, 20, 21, 23, 26], // bool, int8, int2, int4, oid
	...[700, 701, 1700], // float4, float8, numeric
	...[1082, 1114, 1184, 2950], // date, timestamp, timestamptz, uuid
]);

/**
 * Whether the column still holds what the change stream showed.
 *
 * All but a few types are compared as text, because their `=` is missing (xml, point) or calls
 * different values equal, and a user's edit between the two would be overwritten: citext and
 * collations that ignore case, interval ('1 day' and '24:00:00'), box and circle (equal areas).
 * json has many texts for a value, and what we expect was parsed: it is compared as jsonb, with
 * JSON's null taken for NULL, as the reader takes it.
 */
function comparison({ column, type }: ColumnPlace, index: number): string {
	const [actual, expected] = [`t.${ident(column)}`, `x.e${index}::${type.cast}`];
	const elementOid = type.elementOid ?? type.oid;
	if (isJsonType(type.oid))
		return `nullif(${actual}::jsonb, 'null') is not distinct from ${expected}::jsonb`;
	if (isJsonType(elementOid)) return `${actual}::jsonb[] is not distinct from ${expected}::jsonb[]`;
	if (COMPARED_BY_VALUE.has(elementOid)) return `${actual} is not distinct from ${expected}`;
	return `${actual}::text collate "C" is not distinct from ${expected}::text collate "C"`;
}

const TIMESTAMPTZ = 1184;
const DATE = 1082;

/** The key as text, as the change stream will show it (see `keyOf`), whatever the session's date style. */
function keyTextOf({ column, type }: ColumnPlace): string {
	const value = `t.${ident(column)}`;
	if (type.oid !== TIMESTAMPTZ) return `to_jsonb(${value}) #>> '{}'`;
	return `(to_jsonb(${value} at time zone 'UTC') #>> '{}') || 'Z'`;
}

/** Not now(): that is when the transaction began, possibly before the edit of a user that we waited for. */
function timeOf({ type, ends }: StampedPlace): string {
	if (!ends || type.oid === TIMESTAMPTZ) return `clock_timestamp()::${type.cast}`;
	const utc = `(clock_timestamp() at time zone 'UTC')`;
	// A day has passed when it is over.
	return type.oid === DATE ? `(${utc}::date - 1)` : `${utc}::${type.cast}`;
}
