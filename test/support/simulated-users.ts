import { equalJson, type Json } from '../../src/core/canonical-json';
import type { Key } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import {
	columnOf,
	commitTransaction,
	fieldsOfRow,
	keyTextOf,
	updateLine,
	type DatabaseRules,
	type LogLine,
	type SimulatedDatabase,
	type SimulatedRow,
} from './simulated-database';
import { foreignVersion, GONE, type TrueVersion, type TrueWrite } from './true-causality';

/** A user's statement; fields, not columns, so that a script reads the same for both systems. */
export type Statement =
	| { readonly do: 'set'; readonly record: string; readonly fields: Readonly<Record<string, Json>> }
	/** Adds to what stands in the fields, in decimal. */
	| { readonly do: 'add'; readonly record: string; readonly field: string; readonly by: number }
	| { readonly do: 'insert'; readonly fields: Readonly<Record<string, Json>> }
	| { readonly do: 'delete'; readonly record: string }
	/** Gives the row another primary key, if that one is free. */
	| { readonly do: 'rekey'; readonly record: string; readonly key: string };

/** Names the record that a row stands for; the same in every system and never changed by anybody. */
export const RECORD_FIELD = 'ref';

/** Runs statements as one user transaction. A statement without a row to work on does nothing. */
export function userTransaction(
	start: SimulatedDatabase,
	statements: readonly Statement[],
	{ rules, nextId }: { rules: DatabaseRules; nextId: () => number },
): { db: SimulatedDatabase; writes: readonly TrueWrite[] } {
	let db = start;
	const lines: LogLine[] = [];
	const writes: TrueWrite[] = [];
	for (const statement of statements) {
		const done = run(db, statement, { rules, nextId });
		if (done === null) continue;
		db = done.db;
		lines.push(done.line);
		writes.push(...done.writes);
	}
	const told = writes.map((write) => ({ ...write, changesNothing: standsAsBefore(start, write, rules) }));
	return { db: commitTransaction(db, rules.entity.name, lines), writes: told };
}

/** Whether the write only leaves what stood there when its transaction began: to everybody else nothing has happened. */
function standsAsBefore(start: SimulatedDatabase, { record, field, value }: TrueWrite, rules: DatabaseRules): boolean {
	const before = rowOfRecord(start, record, rules)?.columns[columnOf(rules.entity, start.system, field)];
	return before !== undefined && equalJson(before, value);
}

interface Context {
	readonly rules: DatabaseRules;
	readonly nextId: () => number;
}

interface Done {
	readonly db: SimulatedDatabase;
	readonly line: LogLine;
	readonly writes: readonly TrueWrite[];
}

function run(db: SimulatedDatabase, statement: Statement, context: Context): Done | null {
	if (statement.do === 'insert') return insert(db, statement.fields, context);
	const row = rowOfRecord(db, statement.record, context.rules);
	if (row === undefined) return null;
	if (statement.do === 'set') return update(db, { row, fields: statement.fields }, context);
	if (statement.do === 'add') {
		const { field, by } = statement;
		const before = row.columns[columnOf(context.rules.entity, db.system, field)] ?? null;
		return update(db, { row, fields: { [field]: String(Number(before) + by) } }, context);
	}
	if (statement.do === 'rekey') return rekey(db, row, statement.key);
	return remove(db, row, context);
}

function remove(db: SimulatedDatabase, row: SimulatedRow, { rules, nextId }: Context): Done {
	const { columns, key, versions } = row;
	const { [keyTextOf(key)]: _gone, ...rows } = db.rows;
	const made = fieldsOfRow(rules.entity, db.system, columns).map(([field]) => {
		const before = versions[columnOf(rules.entity, db.system, field)];
		return writeOf({ db, rules, columns }, { field, value: GONE, before, id: nextId() });
	});
	return {
		db: { ...db, rows },
		line: { op: 'd', key, before: columns, after: null, marker: null },
		writes: made.map(({ write }) => write),
	};
}

export function rowOfRecord(
	db: SimulatedDatabase,
	record: string,
	{ entity }: DatabaseRules,
): SimulatedRow | undefined {
	const column = columnOf(entity, db.system, RECORD_FIELD);
	return Object.values(db.rows).find(({ columns }) => columns[column] === record);
}

function insert(
	db: SimulatedDatabase,
	fields: Readonly<Record<string, Json>>,
	{ rules, nextId }: Context,
): Done | null {
	const { entity } = rules;
	const { serial, key } = nextKey(db, rules);
	const columns = stored(rules, { ...emptyRow(rules, db.system), ...toColumns(rules, db.system, fields), ...key });
	if (violatesUnique(db, columns, rules)) return null;
	const made = fieldsOfRow(entity, db.system, columns).map(([field, value]) =>
		writeOf({ db, rules, columns }, { field, value, before: undefined, id: nextId() }),
	);
	const row = { key, columns, versions: Object.fromEntries(made.map(({ column, version }) => [column, version])) };
	return {
		db: { ...db, serial, rows: { ...db.rows, [keyTextOf(key)]: row } },
		line: { op: 'c', key, before: null, after: columns, marker: null },
		writes: made.map(({ write }) => write),
	};
}

function update(
	db: SimulatedDatabase,
	{ row, fields }: { row: SimulatedRow; fields: Readonly<Record<string, Json>> },
	{ rules, nextId }: Context,
): Done | null {
	const columns = stored(rules, { ...row.columns, ...toColumns(rules, db.system, fields) });
	const { [keyTextOf(row.key)]: _own, ...others } = db.rows;
	if (violatesUnique({ ...db, rows: others }, columns, rules)) return null;
	const made = fieldsOfRow(rules.entity, db.system, columns)
		.filter(([field, value]) => {
			const column = columnOf(rules.entity, db.system, field);
			return !equalJson(value, row.columns[column] ?? null);
		})
		.map(([field, value]) => {
			const before = row.versions[columnOf(rules.entity, db.system, field)];
			return writeOf({ db, rules, columns }, { field, value, before, id: nextId() });
		});
	const versions = { ...row.versions, ...Object.fromEntries(made.map(({ column, version }) => [column, version])) };
	return {
		db: { ...db, rows: { ...db.rows, [keyTextOf(row.key)]: { ...row, columns, versions } } },
		line: { ...updateLine(rules, { key: row.key, before: row.columns, after: columns }), marker: null },
		writes: made.map(({ write }) => write),
	};
}

function rekey(db: SimulatedDatabase, row: SimulatedRow, value: string): Done | null {
	const [column = 'id'] = Object.keys(row.key);
	const key = { [column]: value };
	if (db.rows[keyTextOf(key)] !== undefined) return null;
	const columns = { ...row.columns, ...key };
	const { [keyTextOf(row.key)]: _moved, ...rows } = db.rows;
	return {
		db: { ...db, rows: { ...rows, [keyTextOf(key)]: { ...row, key, columns } } },
		line: { op: 'u', key, before: row.columns, after: columns, marker: null },
		writes: [],
	};
}

function writeOf(
	{ db, rules, columns }: { db: SimulatedDatabase; rules: DatabaseRules; columns: Row },
	change: { field: string; value: Json; before: TrueVersion | undefined; id: number },
): { column: string; version: TrueVersion; write: TrueWrite } {
	const { field, value, before, id } = change;
	const version = foreignVersion(before, id, value);
	const record = String(columns[columnOf(rules.entity, db.system, RECORD_FIELD)] ?? '');
	const { past, sure, run: values } = version;
	const write = { id, system: db.system, record, field, value, past, sure, run: values };
	return { column: columnOf(rules.entity, db.system, field), version, write };
}

/** The next number that no row has, and the key it makes. */
export function nextKey(db: SimulatedDatabase, { entity }: DatabaseRules): { serial: number; key: Key } {
	const [column = 'id'] = entity.tables.get(db.system)?.key ?? [];
	let serial = db.serial + 1;
	while (db.rows[String(serial)] !== undefined) serial += 1;
	return { serial, key: { [column]: String(serial) } };
}

export function emptyRow({ entity }: DatabaseRules, system: string): Row {
	const columns = [...entity.fields.values()].flatMap((field) => field.columns.get(system)?.column ?? []);
	return Object.fromEntries(columns.map((column) => [column, null]));
}

export function toColumns(
	{ entity }: DatabaseRules,
	system: string,
	fields: Readonly<Record<string, Json>>,
): Row {
	return Object.fromEntries(
		Object.entries(fields).map(([field, value]) => [columnOf(entity, system, field), value]),
	);
}

export function violatesUnique(db: SimulatedDatabase, row: Row, { unique = [] }: DatabaseRules): boolean {
	return Object.values(db.rows).some(({ columns }) =>
		unique.some((column) => row[column] != null && equalJson(row[column] ?? null, columns[column] ?? null)),
	);
}

const stored = ({ trigger }: DatabaseRules, row: Row): Row => (trigger ? trigger(row) : row);
