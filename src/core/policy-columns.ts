import type { Json } from './canonical-json';
import type { InsertValue, Scalar, StampValue, TableBinding } from './policy';
import type { PolicyPath, PolicyProblems } from './policy-problems';
import { scalar, sequenceShape } from './policy-schema';
import type { RowScope } from './row-scope';

/** What a table's columns hold that are no fields: given to new rows, stamped on written ones, the same in all that count. */
export type ColumnRules = Pick<TableBinding, 'insert' | 'stamp' | 'where'>;

interface ColumnsContext {
	readonly problems: PolicyProblems;
	/** Ends with the system's name. */
	readonly path: PolicyPath;
}

export function readColumnRules(
	{ insert, stamp, where }: { readonly insert?: unknown; readonly stamp?: unknown; readonly where?: unknown },
	context: ColumnsContext,
): ColumnRules {
	const read = <T>(value: unknown, part: string, one: (value: unknown, place: ColumnsContext) => T | undefined) =>
		readByColumn(value, { ...context, path: [...context.path, part] }, one);
	return {
		insert: read(insert, 'insert', readInsertValue),
		stamp: read(stamp, 'stamp', readStampValue),
		where: read(where, 'where', readAllowed),
	};
}

/** The rules as the document writes them; a scope of all rows is not mentioned. */
export function documentOfColumnRules({ insert, stamp, where }: ColumnRules): { [key: string]: Json } {
	return {
		insert: fromMap(insert, documentOfInsert),
		stamp: fromMap(stamp, (value) => (value.kind === 'now' ? 'now' : value.value)),
		...(where.size > 0 ? { where: documentOfWhere(where) } : {}),
	};
}

export function documentOfWhere(where: RowScope): Json {
	return fromMap(where, (values) => (values.length === 1 ? (values[0] ?? null) : [...values]));
}

/**
 * What the policy gives to a column must not be given by anything else.
 *
 * @param filled - by column, what fills it already
 */
export function checkGiven(
	{ insert, stamp }: Pick<ColumnRules, 'insert' | 'stamp'>,
	filled: ReadonlyMap<string, string>,
	{ problems, path }: ColumnsContext,
): void {
	for (const [rule, columns] of Object.entries({ insert, stamp })) {
		for (const column of columns.keys()) {
			const by = filled.get(column);
			const place = [...path, rule, column];
			if (by !== undefined) problems.add(place, `is ${by}, which fills it`);
			if (rule === 'stamp' && insert.has(column)) problems.add(place, 'is also under insert');
		}
	}
}

/** A column that a field is mapped to, as `checkGiven` names it. */
export function columnOfField(field: string): string {
	return `the column of the field "${field}"`;
}

/** `default`, `{ sequence: public.numbers }`, or a constant. */
function readInsertValue(value: unknown, { problems, path }: ColumnsContext): InsertValue | undefined {
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
		const { sequence } = problems.readObject(value, sequenceShape, path);
		return sequence ? { kind: 'sequence', schema: sequence.schema, sequence: sequence.table } : undefined;
	}
	const constant = problems.read(scalar, value, path);
	if (constant === undefined) return undefined;
	return constant === 'default' ? { kind: 'default' } : { kind: 'constant', value: constant };
}

function readStampValue(value: unknown, { problems, path }: ColumnsContext): StampValue | undefined {
	const constant = problems.read(scalar, value, path);
	if (constant === undefined) return undefined;
	return constant === 'now' ? { kind: 'now' } : { kind: 'constant', value: constant };
}

/** One value, or a list of which a row must have one. */
function readAllowed(value: unknown, { problems, path }: ColumnsContext): readonly Scalar[] | undefined {
	const given: unknown[] = Array.isArray(value) ? value : [value];
	if (given.length === 0) problems.add(path, 'must have at least one value');
	const values = given.map((one, index) => problems.read(scalar, one, Array.isArray(value) ? [...path, index] : path));
	return values.filter((one) => one !== undefined);
}

function readByColumn<T>(
	value: unknown,
	context: ColumnsContext,
	one: (value: unknown, place: ColumnsContext) => T | undefined,
): ReadonlyMap<string, T> {
	if (value === undefined) return new Map();
	const { problems, path } = context;
	const entries = problems.readEntries(value, path).flatMap(([column, given]): [string, T][] => {
		const read = one(given, { problems, path: [...path, column] });
		return read === undefined ? [] : [[column, read]];
	});
	return new Map(entries);
}

function documentOfInsert(value: InsertValue): Json {
	switch (value.kind) {
		case 'default':
			return 'default';
		case 'sequence':
			return { sequence: [value.schema, value.sequence].map(quoteName).join('.') };
		case 'constant':
			return value.value;
	}
}

/** A name as the document has it: with a dot or a quote in it, in double quotes. */
export function quoteName(name: string): string {
	return /[."]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}

function fromMap<T>(map: ReadonlyMap<string, T>, toJson: (value: T) => Json): { [key: string]: Json } {
	return Object.fromEntries([...map].map(([key, value]) => [key, toJson(value)]));
}
