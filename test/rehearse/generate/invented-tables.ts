import type { Json } from '../../../src/core/canonical-json';
import type { Row } from '../../../src/core/mapping';
import type { EntityPolicy, InsertValue, StampValue, TableBinding } from '../../../src/core/policy';
import { ident, literal as quoted } from '../../../src/postgres/sql';
import { quotedName, shortName, type TableName } from '../table-name';

/** The rows of one table that make up (a part of) a record. */
export interface TableRow extends TableName {
	readonly key: readonly string[];
	readonly row: Row;
}

/** A record's columns, as rows of the tables they are in; a part of which nothing is known has no row. */
export function tableRows(binding: TableBinding, row: Row): TableRow[] {
	const entries = Object.entries(row);
	const isPart = (column: string): boolean => [...binding.parts.keys()].some((name) => column.startsWith(`${name}.`));
	const main = { schema: binding.schema, table: binding.table, key: binding.key, row: Object.fromEntries(entries.filter(([column]) => !isPart(column))) };
	const parts = [...binding.parts.values()].map(({ name, schema, table, key }): TableRow => {
		const own = entries.flatMap(([column, value]) => (column.startsWith(`${name}.`) ? [[column.slice(name.length + 1), value] as const] : []));
		const keys = key.map((column, place) => [column, row[binding.key[place] ?? ''] ?? null] as const);
		return { schema, table, key, row: Object.fromEntries([...own, ...keys]) };
	});
	return [main, ...parts.filter(({ key, row: own }) => Object.entries(own).some(([column, value]) => value !== null && !key.includes(column)))];
}

/**
 * Statements that make the tables of a record in one system, with columns of types that hold all these rows.
 *
 * @param rows - as the system may ever hold the record, by column
 */
export function createTables({ deletes }: EntityPolicy, binding: TableBinding, rows: readonly Row[]): string[] {
	const soft = deletes.as.get(binding.system);
	const dated = soft !== undefined && 'passed' in soft ? [soft.column] : [];
	const all = rows.flatMap((row) => tableRows(binding, row));
	const places = [
		{ schema: binding.schema, table: binding.table, key: binding.key, insert: binding.insert, stamp: binding.stamp, main: null },
		...[...binding.parts.values()].map((part) => ({ ...part, main: binding })),
	];
	return places.flatMap(({ schema, table, key, insert, stamp, main }) => {
		const own = all.filter((row) => row.schema === schema && row.table === table).map(({ row }) => row);
		const names = [...new Set([...key, ...own.flatMap((row) => Object.keys(row)), ...insert.keys(), ...stamp.keys()])];
		const columns = names.map((name) => {
			const values = own.map((row) => row[name] ?? null);
			const type = dated.includes(name) ? 'timestamptz' : (typeOfFixed(insert.get(name) ?? stamp.get(name)) ?? typeFor(values));
			return `${ident(name)} ${type}${defaultOf(insert.get(name)) ?? (main === null && key.includes(name) && type === 'text' ? ' default gen_random_uuid()::text' : '')}`;
		});
		const reference = main === null ? [] : [`foreign key (${key.map(ident).join(', ')}) references ${quotedName(main)} on delete cascade`];
		const body = [...columns, `primary key (${key.map(ident).join(', ')})`, ...reference];
		return [...schemaOf(schema), ...[...insert.values()].flatMap(sequenceOf), `create table ${shortSql({ schema, table })} (${body.join(', ')})`];
	});
}

/** The Postgres type that holds all the values as they are. */
export function typeFor(values: readonly Json[]): string {
	const said = values.filter((value) => value !== null);
	const all = (is: (value: Json) => boolean): boolean => said.length > 0 && said.every(is);
	if (all((value) => typeof value === 'boolean')) return 'boolean';
	if (all((value) => typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) < 2 ** 31)) return 'int';
	if (all((value) => typeof value === 'number')) return 'double precision';
	if (all((value) => Array.isArray(value) && value.every((one) => typeof one === 'string'))) return 'text[]';
	return said.some((value) => typeof value === 'object') ? 'jsonb' : 'text';
}

function typeOfFixed(value: InsertValue | StampValue | undefined): string | null {
	if (value?.kind === 'now') return 'timestamptz';
	if (value?.kind === 'sequence') return 'bigint';
	return value?.kind === 'constant' ? typeFor([value.value]) : null;
}

function defaultOf(value: InsertValue | undefined): string | null {
	return value?.kind === 'default' ? " default 'of the database'" : null;
}

function sequenceOf(value: InsertValue): string[] {
	return value.kind === 'sequence' ? [...schemaOf(value.schema), `create sequence if not exists ${quotedName({ schema: value.schema, table: value.sequence })}`] : [];
}

const schemaOf = (schema: string): string[] => (schema === 'public' ? [] : [`create schema if not exists ${ident(schema)}`]);

const shortSql = (name: TableName): string => (name.schema === 'public' ? ident(name.table) : quotedName(name));

/** What a user's statement says for the value. */
export function literal(value: Json): string {
	if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
	if (typeof value === 'string') return quoted(value);
	if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return `array[${value.map(quoted).join(', ')}]::text[]`;
	return `${quoted(JSON.stringify(value))}::jsonb`;
}

/** Rows by the short names of their tables, as scenarios write them. */
export function byTable(rows: readonly TableRow[]): Record<string, Row[]> {
	const found: Record<string, Row[]> = {};
	for (const { row, ...name } of rows) (found[shortName(name)] ??= []).push(row);
	return found;
}

/** A user's `update` of one column of the record, or of the row of its part. */
export function updateSql(binding: TableBinding, row: Row, { column, raw }: { column: string; raw: Json }): string {
	const part = [...binding.parts.values()].find(({ name }) => column.startsWith(`${name}.`));
	const place = part ?? binding;
	const key = place.key.map((name, index) => `${ident(name)} = ${literal(row[binding.key[index] ?? ''] ?? null)}`);
	const own = part === undefined ? column : column.slice(part.name.length + 1);
	return `update ${shortSql(place)} set ${ident(own)} = ${literal(raw)} where ${key.join(' and ')}`;
}

/** A user's `delete` of the record. */
export function deleteSql(binding: TableBinding, row: Row): string {
	return `delete from ${shortSql(binding)} where ${binding.key.map((name) => `${ident(name)} = ${literal(row[name] ?? null)}`).join(' and ')}`;
}
