import type { Json } from '../core/canonical-json';
import { SyncError } from '../core/errors';
import type { Operation, OperationField } from '../core/link';
import type { InsertValue, PartBinding, SoftDelete, StampValue, TableBinding } from '../core/policy';
import { partColumn } from '../core/record-parts';
import { tableName } from './sql';
import type { TableColumns } from './table-columns';
import { cellsOf, invalid, keyValues, type MappedFields, type Named, type PartWrite, sequencesOf } from './write-cells';

/** An operation by the columns of its record, those of parts among them. */
interface WholeWrite {
	readonly op: Operation;
	readonly binding: TableBinding;
	readonly soft: SoftDelete | undefined;
	readonly fields: MappedFields;
	readonly guards: Named;
}

/**
 * What an operation does to rows of parts: a delete concerns them all, because the main row may not go before
 * them; everything else those of which it writes or expects something.
 *
 * @throws SyncError OPERATION_INVALID; TABLE_MISSING when a part's table or a column of it is not there
 */
export function planParts(whole: WholeWrite, tables: ReadonlyMap<string, TableColumns>): PartWrite[] {
	const { op, soft } = whole;
	return [...whole.binding.parts.values()].flatMap((part) => {
		const fields = ofPart(whole, part, whole.fields);
		const guards = ofPart(whole, part, whole.guards);
		const isNothingNew = fields.every(([, { next }]) => (next ?? null) === null);
		if (op.kind === 'insert' && isNothingNew) return [];
		const takesRow = op.kind === 'delete' && soft === undefined;
		if (!takesRow && fields.length + guards.length === 0) return [];
		return [planPart({ ...whole, fields, guards }, part, tables)];
	});
}

function planPart(
	{ op, binding, fields, guards }: WholeWrite,
	part: PartBinding,
	tables: ReadonlyMap<string, TableColumns>,
): PartWrite {
	const table = tables.get(tableName(part));
	if (!table) throw new SyncError('TABLE_MISSING', `${op.system} has no table ${tableName(part)}`);
	const { place, cells } = cellsOf(table, op);
	const written = op.kind === 'delete' ? [] : newValues(op, fields);
	const isWritten = written.length > 0;
	const known = op.kind === 'insert' ? [] : fields.filter(([, { expected }]) => expected !== undefined);
	return {
		op,
		table,
		key: cells(keyValues(op, binding).map(([, value], at) => [part.key[at] ?? '', value])),
		sets: isWritten ? cells([...constantsOf(part.stamp), ...written]) : [],
		stampedNow: isWritten ? [...part.stamp].flatMap(([column, { kind }]) => (kind === 'now' ? [place(column)] : [])) : [],
		fresh: isWritten ? cells(constantsOf(part.insert)) : [],
		numbered: isWritten ? sequencesOf(part).map(([column, sequence]) => ({ ...place(column), sequence })) : [],
		scope: [],
		unless: [],
		expects: cells([...known.map(([column, { expected = null }]) => [column, expected] as const), ...guards]),
		isAbsent: op.kind !== 'insert' && known.length < Math.max(fields.length, op.kind === 'delete' ? 1 : 0),
		keyColumns: part.key.map(place),
	};
}

function newValues(op: Operation, fields: MappedFields): Named {
	return fields.flatMap(([column, { next }]) => {
		if (next !== undefined) return [[column, next] as const];
		if (op.kind === 'insert') return [];
		throw invalid(op, `it has no new value for the column "${column}"`);
	});
}

function constantsOf(given: ReadonlyMap<string, InsertValue | StampValue>): Named {
	return [...given].flatMap(([column, value]) => (value.kind === 'constant' ? [[column, value.value] as const] : []));
}

/** What is said of a part's columns, by their names in its own table. */
function ofPart<T extends OperationField | Json>(
	{ binding }: WholeWrite,
	part: PartBinding,
	all: readonly (readonly [string, T])[],
): (readonly [string, T])[] {
	return all.flatMap(([column, said]) => {
		const found = partColumn(binding, column);
		return found?.part === part ? [[found.column, said] as const] : [];
	});
}
