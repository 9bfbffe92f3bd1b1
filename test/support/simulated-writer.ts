import { equalJson, type Json } from '../../src/core/canonical-json';
import type { Key, Operation } from '../../src/core/link';
import type { Row } from '../../src/core/mapping';
import { formatMarker, parseMarker, type Marker, type Outcome } from '../../src/core/marker';
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
import { emptyRow, nextKey, RECORD_FIELD, violatesUnique } from './simulated-users';
import {
	authorsOf,
	foreignVersion,
	initialVersion,
	operationVersion,
	type TrueVersion,
	type TrueWrite,
	type TrueWrites,
} from './true-causality';

/** A user's value that one of our operations replaced. */
export interface Overwrite {
	readonly op: string;
	readonly record: string;
	readonly field: string;
	/** The foreign write whose value is gone. */
	readonly write: number;
	/** What stands there now; undefined when the row was deleted. */
	readonly by: Json | undefined;
}

export interface Written {
	readonly db: SimulatedDatabase;
	readonly outcomes: readonly { readonly op: string; readonly outcome: Outcome; readonly recorded: boolean }[];
	readonly overwrites: readonly Overwrite[];
	/** What triggers made of our values. */
	readonly writes: readonly TrueWrite[];
}

export interface WriterContext {
	readonly rules: DatabaseRules;
	readonly macKey: string;
	readonly truth: TrueWrites;
	readonly nextId: () => number;
}

interface Attempt {
	readonly db: SimulatedDatabase;
	readonly outcome: Outcome;
	readonly key: Key | null;
	readonly error?: string;
	readonly line?: Omit<LogLine, 'marker'>;
	readonly overwrites: readonly Overwrite[];
	readonly writes: readonly TrueWrite[];
}

/**
 * R3: one transaction on the target. Claims each operation in the ledger, compares and sets,
 * stores the outcome and leaves a marker. A second attempt, and a zombie with a lower number, do nothing.
 */
export function applyOperations(
	start: SimulatedDatabase,
	ops: readonly Operation[],
	context: WriterContext,
): Written {
	let db = start;
	const lines: LogLine[] = [];
	const written: { outcomes: Written['outcomes'][number][]; overwrites: Overwrite[]; writes: TrueWrite[] } = {
		outcomes: [],
		overwrites: [],
		writes: [],
	};
	for (const op of ops) {
		const recorded = db.ledger[op.link];
		if (recorded && recorded.number >= op.number && !context.rules.defects?.reusableOperations) {
			written.outcomes.push({ op: op.id, outcome: recorded.outcome, recorded: true });
			continue;
		}
		const attempt = attemptOf(db, op, context);
		const { outcome } = attempt;
		db = { ...attempt.db, ledger: { ...db.ledger, [op.link]: { number: op.number, outcome } } };
		const marker = markerOf(op, attempt, context.macKey);
		const bare = { op: 'm' as const, key: attempt.key ?? {}, before: null, after: null };
		lines.push({ ...(context.rules.hidesOurRows ? bare : (attempt.line ?? bare)), marker });
		written.outcomes.push({ op: op.id, outcome, recorded: false });
		written.overwrites.push(...attempt.overwrites);
		written.writes.push(...attempt.writes);
	}
	return { db: commitTransaction(db, context.rules.entity.name, lines), ...written };
}

function attemptOf(db: SimulatedDatabase, op: Operation, context: WriterContext): Attempt {
	switch (op.kind) {
		case 'insert':
			return insert(db, op, context);
		case 'update':
			return update(db, op, context);
		case 'delete':
			return remove(db, op, context);
	}
}

function update(db: SimulatedDatabase, op: Operation, context: WriterContext): Attempt {
	const { rules } = context;
	const row = rowThatMatches(db, op, rules);
	if (row === null) return nothing(db, 'stale', op.key);
	const asked = { ...row.columns, ...nextColumns(db, op, rules) };
	const error = rules.refuses?.(asked) ?? null;
	if (error !== null) return { ...nothing(db, 'refused', op.key), error };
	const columns = rules.trigger ? rules.trigger(asked) : asked;
	const stored = store(db, { row, columns, asked, op }, context);
	const line = updateLine(rules, { key: row.key, before: row.columns, after: columns });
	return { db: stored.db, outcome: 'applied', key: row.key, line, overwrites: stored.overwrites, writes: stored.writes };
}

function insert(db: SimulatedDatabase, op: Operation, context: WriterContext): Attempt {
	const { rules } = context;
	const { serial, key } = nextKey(db, rules);
	const asked = { ...emptyRow(rules, db.system), ...nextColumns(db, op, rules), ...key };
	const error = rules.refuses?.(asked) ?? null;
	if (error !== null) return { ...nothing(db, 'refused', null), error };
	if (violatesUnique(db, asked, rules)) return nothing(db, 'exists', null);
	const columns = rules.trigger ? rules.trigger(asked) : asked;
	const stored = store({ ...db, serial }, { row: { key, columns, versions: {} }, columns, asked, op }, context);
	const line = { op: 'c' as const, key, before: null, after: columns };
	return { db: stored.db, outcome: 'applied', key, line, overwrites: [], writes: stored.writes };
}

function remove(db: SimulatedDatabase, op: Operation, { rules }: WriterContext): Attempt {
	const row = rowThatMatches(db, op, rules);
	if (row === null) return nothing(db, 'stale', op.key);
	const { [keyTextOf(row.key)]: _gone, ...rows } = db.rows;
	const overwrites = fieldsOfRow(rules.entity, db.system, row.columns).flatMap(([field]) => {
		const write = row.versions[columnOf(rules.entity, db.system, field)]?.by ?? null;
		return write === null ? [] : [overwriteOf(row, { db, op, rules }, { field, write, by: undefined })];
	});
	const line = { op: 'd' as const, key: row.key, before: row.columns, after: null };
	return { db: { ...db, rows }, outcome: 'applied', key: row.key, line, overwrites, writes: [] };
}

/** Puts the row with who really made each value: we, or a trigger that changed ours. */
function store(
	db: SimulatedDatabase,
	change: { row: SimulatedRow; columns: Row; asked: Row; op: Operation },
	{ rules, truth, nextId }: WriterContext,
): Pick<Written, 'db' | 'overwrites' | 'writes'> {
	const { row, columns, asked, op } = change;
	const versions: Record<string, TrueVersion> = { ...row.versions };
	const overwrites: Overwrite[] = [];
	const writes: TrueWrite[] = [];
	const record = recordOf(columns, db, rules);
	for (const [field, value] of fieldsOfRow(rules.entity, db.system, columns)) {
		const column = columnOf(rules.entity, db.system, field);
		const before = versions[column];
		const wrote = op.fields[field];
		const given = asked[column] ?? null;
		if (wrote !== undefined) {
			const authors = authorsOf(truth, { record, field, value: wrote.canon });
			versions[column] = operationVersion(before, given, authors);
			if (before?.by != null) overwrites.push(overwriteOf(row, { db, op, rules }, { field, write: before.by, by: wrote.canon }));
		} else if (before === undefined) {
			versions[column] = initialVersion(value);
		}
		if (!equalJson(value, given)) {
			const version = foreignVersion(versions[column], nextId(), value);
			versions[column] = version;
			const { by, past, sure, run } = version;
			writes.push({ id: by ?? 0, system: db.system, record, field, value, past, sure, run });
		}
	}
	const rows = { ...db.rows, [keyTextOf(row.key)]: { ...row, columns, versions } };
	return { db: { ...db, rows }, overwrites, writes };
}

/** The row with the op's key, if it holds what the op expects. */
function rowThatMatches(db: SimulatedDatabase, op: Operation, rules: DatabaseRules): SimulatedRow | null {
	const row = op.key === null ? undefined : db.rows[keyTextOf(op.key)];
	if (row === undefined || rules.blocks?.(row.columns)) return null;
	if (rules.defects?.noCompareAndSet) return row;
	const expectations = Object.entries(op.fields).map(([field, { expected }]): [string, Json] => [field, expected ?? null]);
	const matches = [...expectations, ...Object.entries(op.guards)].every(([field, expected]) =>
		equalJson(row.columns[columnOf(rules.entity, db.system, field)] ?? null, expected),
	);
	return matches ? row : null;
}

function nextColumns(db: SimulatedDatabase, op: Operation, { entity }: DatabaseRules): Row {
	const given = Object.entries(op.fields).filter(([, { next }]) => next !== undefined);
	return Object.fromEntries(given.map(([field, { next = null }]) => [columnOf(entity, db.system, field), next]));
}

function overwriteOf(
	row: SimulatedRow,
	{ db, op, rules }: { db: SimulatedDatabase; op: Operation; rules: DatabaseRules },
	what: Pick<Overwrite, 'field' | 'write' | 'by'>,
): Overwrite {
	return { op: op.id, record: recordOf(row.columns, db, rules), ...what };
}

function recordOf(columns: Row, db: SimulatedDatabase, { entity }: DatabaseRules): string {
	return String(columns[columnOf(entity, db.system, RECORD_FIELD)] ?? '');
}

function nothing(db: SimulatedDatabase, outcome: Outcome, key: Key | null): Attempt {
	return { db, outcome, key, overwrites: [], writes: [] };
}

function markerOf(op: Operation, { outcome, key, error }: Attempt, macKey: string): Marker {
	const { id, link, system, entity } = op;
	const said = { op: id, link, system, entity, outcome, key, ...(error === undefined ? {} : { error }) };
	const marker = parseMarker(formatMarker(said, macKey));
	if (marker === null) throw new Error('a marker does not read back');
	return marker;
}
