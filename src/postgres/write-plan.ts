import { canonicalJson, type Json } from '../core/canonical-json';
import { SyncError } from '../core/errors';
import type { Key, Operation, OperationField } from '../core/link';
import { keyText } from '../core/mapping';
import type { EntityPolicy, Policy, SoftDelete, TableBinding } from '../core/policy';
import { depthsOf, referredEntities } from '../core/reference-graph';
import { columnText } from './column-text';
import { tableName } from './sql';
import type { ColumnType, TableColumns } from './table-columns';

/** An operation in terms of its table: columns and texts instead of fields and values. */
export interface PlannedWrite {
	readonly op: Operation;
	readonly table: TableColumns;
	/** The row to find; of an insert, empty. */
	readonly key: readonly Cell[];
	readonly sets: readonly Cell[];
	/** Columns that get the target's time. */
	readonly stampedNow: readonly ColumnPlace[];
	/** Columns of a new row that get the next number of a sequence, by its quoted name. */
	readonly numbered: readonly (ColumnPlace & { readonly sequence: string })[];
	/** Columns that must have one of these texts: a row that has left the policy's rows is none of ours. */
	readonly scope: readonly (ColumnPlace & { readonly texts: readonly (string | null)[] })[];
	/** What the row must not say: that it is deleted. Whoever said so meanwhile has not seen our write. */
	readonly unless: readonly Cell[];
	/** What the row must hold, or the write does not happen. */
	readonly expects: readonly Cell[];
	/** How deep the entity stands below those that it refers to. */
	readonly depth: number;
	/** Whether others refer to it. */
	readonly isReferred: boolean;
	/** The key's columns: an insert asks for what the database made of them. */
	readonly keyColumns: readonly ColumnPlace[];
}

export interface ColumnPlace {
	readonly column: string;
	readonly type: ColumnType;
}

export interface Cell extends ColumnPlace {
	readonly text: string | null;
}

/** Writes that differ in nothing but their values: one statement does them all. */
export interface WriteGroup {
	readonly kind: Operation['kind'];
	/** Of one shape; never empty. */
	readonly writes: readonly [PlannedWrite, ...PlannedWrite[]];
}

/** The table that an operation goes to. @throws SyncError OPERATION_INVALID */
export function bindingOf(op: Operation, policy: Policy): TableBinding {
	const binding = entityOf(op, policy).tables.get(op.system);
	if (!binding) throw invalid(op, `${op.entity} has no table in ${op.system}`);
	return binding;
}

/**
 * Turns an operation into columns and texts.
 *
 * @throws SyncError OPERATION_INVALID when it does not fit the policy or would write or delete
 * without comparing; TABLE_MISSING when its table or a column is not there
 */
export function planWrite(
	op: Operation,
	policy: Policy,
	tables: ReadonlyMap<string, TableColumns>,
): PlannedWrite {
	const binding = bindingOf(op, policy);
	const table = tables.get(tableName(binding));
	if (!table)
		throw new SyncError('TABLE_MISSING', `${op.system} has no table ${tableName(binding)}`);
	const fields = mappedFields(op, entityOf(op, policy));
	const soft = entityOf(op, policy).deletes.as.get(op.system);
	const place = (column: string): ColumnPlace => placeOf(table, column, op);
	const cells = (values: Named): Cell[] =>
		values.map(([column, value]) => {
			const { type } = place(column);
			return { column, type, text: columnText(value, type) };
		});
	return {
		op,
		table,
		key: cells(keyValues(op, binding)),
		sets: cells(newValues(op, fields, { binding, soft })),
		stampedNow: columnsStampedNow(op, { binding, soft }).map(place),
		numbered: op.kind === 'insert' ? sequencesOf(binding).map(([column, sequence]) => ({ ...place(column), sequence })) : [],
		scope: [...binding.where].map(([column, values]) => {
			const { type } = place(column);
			return { column, type, texts: values.map((value) => columnText(value, type)) };
		}),
		unless: cells(archivedValues(op, soft)),
		expects: cells([...expectedValues(op, fields, soft), ...guardValues(op, entityOf(op, policy))]),
		depth: depthsOf(policy).get(op.entity) ?? 0,
		isReferred: referredEntities(policy).has(op.entity),
		keyColumns: binding.key.map(place),
	};
}

/**
 * Sorts what is to be written: deletes make room, inserts may need it, and equal orders do not deadlock.
 * Parents are there before their children, and go after them: also after those that are given to
 * another parent, which a cascade would take along.
 */
export function inWriteOrder(writes: readonly PlannedWrite[]): PlannedWrite[] {
	const placed = writes.map((write) => ({ write, ...placeInOrder(write) }));
	placed.sort((a, b) => a.rank - b.rank || a.depth - b.depth || (a.place < b.place ? -1 : 1));
	return placed.map(({ write }) => write);
}

function placeInOrder({ op, depth, isReferred }: PlannedWrite): { rank: number; depth: number; place: string } {
	const { kind, entity, key, link } = op;
	return {
		rank: { delete: isReferred ? 2 : 0, update: 1, insert: 3 }[kind],
		depth: kind === 'delete' ? -depth : depth,
		place: canonicalJson([entity, key ?? link]),
	};
}

/** Groups writes of one shape, keeping their order. */
export function groupWrites(writes: readonly PlannedWrite[]): WriteGroup[] {
	const groups = new Map<string, [PlannedWrite, ...PlannedWrite[]]>();
	for (const write of writes) {
		const shape = shapeOf(write);
		const group = groups.get(shape);
		if (group) group.push(write);
		else groups.set(shape, [write]);
	}
	return [...groups.values()].map((group) => ({ kind: group[0].op.kind, writes: group }));
}

function shapeOf({ op, table, sets, expects }: PlannedWrite): string {
	const names = (cells: readonly Cell[]) => cells.map(({ column }) => column);
	// An insert is a statement of its own, whatever its columns: only the table must be the same.
	if (op.kind === 'insert') return canonicalJson([op.kind, table.name]);
	return canonicalJson([op.kind, table.name, names(sets), names(expects)]);
}

/** Column and value, in the order in which they stand in the statement. */
type Named = readonly (readonly [string, Json])[];
type MappedFields = readonly (readonly [string, OperationField])[];

/** In the order of the field names, so that operations on the same fields have the same shape. */
function mappedFields(op: Operation, entity: EntityPolicy): MappedFields {
	const fields = Object.entries(op.fields).sort(([a], [b]) => (a < b ? -1 : 1));
	return fields.map(([name, field]) => [columnOf(op, entity, name), field]);
}

function keyValues(op: Operation, binding: TableBinding): Named {
	if (op.kind === 'insert') return [];
	const key: Key = op.key ?? {};
	return binding.key.map((column) => {
		const value = Object.hasOwn(key, column) ? key[column] : undefined;
		if (value == null) throw invalid(op, `its key lacks the column "${column}"`);
		return [column, keyText(value)];
	});
}

/** The policy names a column once: as a field, or under insert, or under stamp; a new row lies within its scope. */
function newValues(op: Operation, fields: MappedFields, { binding, soft }: OfTable): Named {
	if (op.kind === 'delete' && !soft) return [];
	const constants = [...(op.kind === 'insert' ? binding.insert : []), ...binding.stamp];
	const written = op.kind === 'delete' ? [] : fields;
	const saysWhich = soft !== undefined && op.existence !== null;
	return [
		...(saysWhich ? [[soft.column, op.kind === 'delete' ? soft.deleted : soft.live] as const] : []),
		...(op.kind === 'insert' ? scopeValues(binding, fields) : []),
		...constants.flatMap(([column, given]) =>
			given.kind === 'constant' ? [[column, given.value] as const] : [],
		),
		...written.flatMap(([column, { next }]) => {
			if (next !== undefined) return [[column, next] as const];
			if (op.kind === 'insert') return [];
			throw invalid(op, `it has no new value for the column "${column}"`);
		}),
	];
}

/** What puts a new row into the scope, where nothing else fills the column. */
function scopeValues({ where, insert, stamp }: TableBinding, fields: MappedFields): Named {
	return [...where].flatMap(([column, [value = null]]) => {
		const isGiven = insert.has(column) || stamp.has(column) || fields.some(([name]) => name === column);
		return isGiven ? [] : [[column, value] as const];
	});
}

function sequencesOf({ insert }: TableBinding): (readonly [string, string])[] {
	return [...insert].flatMap(([column, given]) =>
		given.kind === 'sequence' ? [[column, tableName({ schema: given.schema, table: given.sequence })] as const] : [],
	);
}

/** A table, and how its rows say that they are deleted, if they stay. */
interface OfTable {
	readonly binding: TableBinding;
	readonly soft: SoftDelete | undefined;
}

function columnsStampedNow({ kind }: Operation, { binding, soft }: OfTable): string[] {
	if (kind === 'delete' && !soft) return [];
	return [...binding.stamp].flatMap(([column, value]) => (value.kind === 'now' ? [column] : []));
}

function expectedValues(op: Operation, fields: MappedFields, soft: SoftDelete | undefined): Named {
	if (op.kind === 'insert') return [];
	const revived = soft && op.kind === 'update' && op.existence !== null && !fields.some(([column]) => column === soft.column);
	if (fields.length === 0)
		throw invalid(op, `it compares nothing, and would ${op.kind} whatever is there`);
	const expects = fields.map(([column, { expected }]): readonly [string, Json] => {
		if (expected === undefined)
			throw invalid(op, `it has no expected value for the column "${column}"`);
		return [column, expected];
	});
	return revived ? [...expects, [soft.column, soft.deleted]] : expects;
}

/** Of a row that is to be brought back the opposite is expected. */
function archivedValues(op: Operation, soft: SoftDelete | undefined): Named {
	const bringsBack = op.kind === 'update' && op.existence !== null;
	return soft && op.kind !== 'insert' && !bringsBack ? [[soft.column, soft.deleted]] : [];
}

function guardValues(op: Operation, entity: EntityPolicy): Named {
	const guards = Object.entries(op.guards).sort(([a], [b]) => (a < b ? -1 : 1));
	return guards.map(([name, expected]) => [columnOf(op, entity, name), expected]);
}

function columnOf(op: Operation, entity: EntityPolicy, field: string): string {
	const column = entity.fields.get(field)?.columns.get(op.system)?.column;
	if (column === undefined) throw invalid(op, `the field ${field} has no column in ${op.system}`);
	return column;
}

function placeOf(table: TableColumns, column: string, op: Operation): ColumnPlace {
	const type = table.columns.get(column);
	if (type) return { column, type };
	throw new SyncError(
		'TABLE_MISSING',
		`The table ${table.name} of ${op.system} has no column "${column}"`,
	);
}

function entityOf(op: Operation, policy: Policy): EntityPolicy {
	const entity = policy.entities.get(op.entity);
	if (!entity) throw invalid(op, `the policy ${policy.name} has no entity ${op.entity}`);
	return entity;
}

function invalid(op: Operation, why: string): SyncError {
	return new SyncError('OPERATION_INVALID', `The operation ${op.id} cannot be written: ${why}`);
}
