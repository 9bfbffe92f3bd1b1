import fc from 'fast-check';
import pg from 'pg';

import { OWN_TYPE_TEXTS, TYPE_TEXTS } from './type-texts';

/** How a type is written, and what may stand in a column of it, as SQL. */
export interface SubjectType {
	readonly type: string;
	readonly sql: fc.Arbitrary<string>;
}

export interface SubjectColumn {
	readonly name: string;
	readonly type: string;
}

export type Identity = 'default' | 'full' | 'index' | 'nothing';

export interface Subject {
	readonly columns: readonly SubjectColumn[];
	readonly identity: Identity;
	readonly isPartitioned: boolean;
	/** A column that the server computes: stored, from the key. */
	readonly isGenerated: boolean;
	readonly steps: readonly Step[];
}

/** What users do to the table. Values are SQL, one for each column, null for a column that a step leaves alone. */
export type Step =
	| { readonly do: 'insert'; readonly key: number; readonly values: readonly string[] }
	| { readonly do: 'update'; readonly key: number; readonly values: readonly (string | null)[]; readonly moveTo: number | null }
	| { readonly do: 'delete'; readonly key: number }
	| { readonly do: 'truncate' | 'commit' | 'savepoint' | 'rollback to savepoint' | 'release savepoint' }
	| { readonly do: 'add' | 'drop' | 'rename' | 'retype'; readonly at: number };

const literal = (text: string): string => pg.escapeLiteral(text);

/** Values of one type, then of an array of it: of one or two dimensions, with nulls, or with bounds of its own. */
function sqlOf(type: string, texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
	return fc.option(texts.map((text) => `${literal(text)}::${type}`), { freq: 8 }).map((sql) => sql ?? 'null');
}

function arraySql(type: string, texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
	const row = fc.array(sqlOf(type, texts), { maxLength: 4 }).map((elements) => `array[${elements.join(',')}]::${type}[]`);
	return fc.oneof(
		{ weight: 6, arbitrary: row },
		{ weight: 1, arbitrary: sqlOf(type, texts).map((sql) => `array_fill(${sql}, array[2,2], array[1,3])`) },
		{ weight: 1, arbitrary: fc.tuple(sqlOf(type, texts), sqlOf(type, texts)).map(([a, b]) => `array[[${a}],[${b}]]::${type}[]`) },
		{ weight: 1, arbitrary: fc.constant('null') },
	);
}

const quotedType = (name: string): string => (/^\w+$/.test(name) ? pg.escapeIdentifier(name) : name);

/** A domain over an array is no element of arrays that `array[…]` could make. */
const hasArrays = (name: string): boolean => !['moods', 'int2vector', 'oidvector'].includes(name);

/** Every type, and the array of every type. */
export const SUBJECT_TYPES: readonly SubjectType[] = Object.entries({ ...TYPE_TEXTS, ...OWN_TYPE_TEXTS }).flatMap(([name, texts]) => {
	const type = quotedType(name);
	const scalar = { type, sql: sqlOf(type, texts) };
	return hasArrays(name) ? [scalar, { type: `${type}[]`, sql: arraySql(type, texts) }] : [scalar];
});

const NAMES = ['a', 'B', 'select', 'with "quotes"', "it's", '__proto__', 'ünï', 'a.b', ' ', 'constructor', 'c1', 'c2'];

const key = fc.nat({ max: 5 });

function step(all: readonly SubjectType[]): fc.Arbitrary<Step> {
	const values = fc.tuple(...all.map(({ sql }) => sql));
	const some = fc.tuple(...all.map(({ sql }) => fc.option(sql, { freq: 1 })));
	return fc.oneof(
		{ weight: 6, arbitrary: fc.record({ do: fc.constant('insert' as const), key, values }) },
		{ weight: 6, arbitrary: fc.record({ do: fc.constant('update' as const), key, values: some, moveTo: fc.option(key, { freq: 3 }) }) },
		{ weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
		{ weight: 3, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'savepoint' as const, 'rollback to savepoint' as const, 'release savepoint' as const) }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constantFrom('add' as const, 'drop' as const, 'rename' as const, 'retype' as const), at: fc.nat({ max: 20 }) }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const) }) },
	);
}

/** A table with columns of these types, and what becomes of its rows. */
export function subjectWith(types: readonly SubjectType[], names: readonly string[]): fc.Arbitrary<Subject> {
	return fc.record({
		columns: fc.constant(types.map(({ type }, at) => ({ name: names[at] ?? `column_${at}`, type }))),
		identity: fc.constantFrom<Identity>('default', 'default', 'full', 'full', 'index', 'nothing'),
		isPartitioned: fc.boolean(),
		isGenerated: fc.boolean(),
		steps: fc.array(step(types), { minLength: 6, maxLength: 24 }),
	});
}

/** Values that are kept apart from their row, and are not sent with it while they do not change. */
const LARGE_TYPES: readonly SubjectType[] = [
	['"text"', `repeat('ü', 5000)`, `repeat('x', 9000)`],
	['"bytea"', `decode(repeat('ff00', 3000), 'hex')`],
	['"jsonb"', `to_jsonb(repeat('"', 5000))`],
	['"text"[]', `array[repeat('x', 5000), null]`],
].map(([type = '', ...values]) => ({ type, sql: fc.constantFrom(...values) }));

/** A table of random columns. */
export const subject: fc.Arbitrary<Subject> = fc
	.tuple(fc.array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...SUBJECT_TYPES) }, { weight: 1, arbitrary: fc.constantFrom(...LARGE_TYPES) }), { minLength: 2, maxLength: 10 }), fc.shuffledSubarray(NAMES, { minLength: NAMES.length }))
	.chain(([types, names]) => subjectWith(types, names));

const ident = (name: string): string => pg.escapeIdentifier(name);

/** The statements that make the table. Large values are kept apart and uncompressed, so that some of them stay unsent. */
export function creation(table: string, { columns: all, identity, isPartitioned, isGenerated }: Subject): string {
	const lines = [
		'id int primary key',
		'twin int not null',
		...(isGenerated ? ['computed int generated always as (id + 1) stored'] : []),
		...all.map(({ name, type }) => `${ident(name)} ${type}`),
	];
	const parts = isPartitioned
		? `create table ${table}_low partition of ${table} for values from (minvalue) to (3);
		   create table ${table}_high partition of ${table} for values from (3) to (maxvalue);`
		: '';
	const stored = all.filter(({ type }) => TOASTED.has(type)).map(({ name }) => `alter table ${table} alter ${ident(name)} set storage external;`);
	return `create table ${table} (${lines.join(', ')}) ${isPartitioned ? 'partition by range (id)' : ''};
		${parts} ${isPartitioned ? '' : stored.join(' ')}
		create unique index ${table}_twin on ${table} (twin, id);
		${identitySql(table, identity, isPartitioned)}
		create trigger note_rows after insert or update or delete on ${table} for each row execute function audit.note();
		create trigger note_truncate after truncate on ${table} for each statement execute function audit.note();`;
}

const TOASTED: ReadonlySet<string> = new Set(['"text"', '"bytea"', '"jsonb"', '"json"', '"text"[]']);

/** What the log has of an old row is a property of each partition, not of the table. */
function identitySql(table: string, identity: Identity, isPartitioned: boolean): string {
	const tables = isPartitioned ? [table, `${table}_low`, `${table}_high`] : [table];
	return tables
		.map((name) => `alter table ${name} replica identity ${identity === 'index' ? `using index ${indexOf(name, table)}` : identity};`)
		.join(' ');
}

/** The server names the index of a partition itself. */
const indexOf = (name: string, table: string): string => (name === table ? `${table}_twin` : `${name}_twin_id_idx`);
