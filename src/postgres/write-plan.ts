import { canonicalJson, type Json } from '../core/canonical-json';
import { SyncError } from '../core/errors';
import { EXISTENCE, type Operation } from '../core/link';
import type { EntityPolicy, Policy, SoftDelete, TableBinding } from '../core/policy';
import { partColumn } from '../core/record-parts';
import { depthsOf, referredEntities } from '../core/reference-graph';
import { columnText } from './column-text';
import { tableName } from './sql';
import type { TableColumns } from './table-columns';
import { type Cell, cellsOf, invalid, keyValues, type MappedFields, type Named, type PartWrite, type RowWrite, sequencesOf } from './write-cells';
import { planParts } from './write-parts-plan';

/** An operation in terms of its tables: its main row, and what is to be done about rows of the record's parts. */
export interface PlannedWrite extends RowWrite {
	/** Mostly none: what concerns the main row alone is written together with others. */
	readonly parts: readonly PartWrite[];
	/** How deep the entity stands below those that it refers to. */
	readonly depth: number;
	/** Whether others refer to it. */
	readonly isReferred: boolean;
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
	const entity = entityOf(op, policy);
	const all = mappedFields(op, entity);
	const fields = all.filter(([column]) => partColumn(binding, column) === null);
	const guards = guardValues(op, entity);
	const soft = entity.deletes.as.get(op.system);
	if (op.kind !== 'insert' && all.length === 0) throw invalid(op, `it compares nothing, and would ${op.kind} whatever is there`);
	const { place, cells } = cellsOf(table, op);
	// Where only parts are written, the main row is not, and not stamped.
	const isLeftAlone = op.kind === 'update' && op.existence === null && fields.length === 0;
	return {
		op,
		table,
		key: cells(keyValues(op, binding)),
		sets: isLeftAlone ? [] : cells(newValues(op, fields, { binding, soft })),
		stampedNow: isLeftAlone ? [] : [...columnsStampedNow(op, { binding, soft }).map(place), ...columnsEnded(op, soft).map((column) => ({ ...place(column), ends: true as const }))],
		numbered: op.kind === 'insert' ? sequencesOf(binding).map(([column, sequence]) => ({ ...place(column), sequence })) : [],
		scope: [...binding.where].map(([column, values]) => {
			const { type } = place(column);
			return { column, type, texts: values.map((value) => columnText(value, type)) };
		}),
		unless: cells(archivedValues(op, soft)),
		expects: cells([...expectedValues(op, fields, soft), ...guards.filter(([column]) => partColumn(binding, column) === null)]),
		parts: planParts({ op, binding, soft, fields: all, guards }, tables),
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

function shapeOf({ op, table, sets, expects, parts }: PlannedWrite): string {
	// Several rows are written one after the other, and all of them or none.
	if (parts.length > 0) return canonicalJson([op.id]);
	const names = (cells: readonly Cell[]) => cells.map(({ column }) => column);
	// An insert is a statement of its own, whatever its columns: only the table must be the same.
	if (op.kind === 'insert') return canonicalJson([op.kind, table.name]);
	return canonicalJson([op.kind, table.name, names(sets), names(expects)]);
}

/** In the order of the field names, so that operations on the same fields have the same shape. */
function mappedFields(op: Operation, entity: EntityPolicy): MappedFields {
	const fields = Object.entries(op.fields).sort(([a], [b]) => (a < b ? -1 : 1));
	return fields.map(([name, field]) => [columnOf(op, entity, name), field]);
}

/** The policy names a column once: as a field, or under insert, or under stamp; a new row lies within its scope. */
function newValues(op: Operation, fields: MappedFields, { binding, soft }: OfTable): Named {
	if (op.kind === 'delete' && !soft) return [];
	const constants = [...(op.kind === 'insert' ? binding.insert : []), ...binding.stamp];
	const written = op.kind === 'delete' ? [] : fields;
	return [
		...markedValues(op, soft),
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

/** What says in the row whether it is deleted, where that is not the time of the write. */
function markedValues(op: Operation, soft: SoftDelete | undefined): Named {
	if (soft === undefined || op.existence === null) return [];
	if (op.kind !== 'delete') return [[soft.column, soft.live]];
	return 'passed' in soft ? [] : [[soft.column, soft.deleted]];
}

/** What puts a new row into the scope, where nothing else fills the column. */
function scopeValues({ where, insert, stamp }: TableBinding, fields: MappedFields): Named {
	return [...where].flatMap(([column, [value = null]]) => {
		const isGiven = insert.has(column) || stamp.has(column) || fields.some(([name]) => name === column);
		return isGiven ? [] : [[column, value] as const];
	});
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

function columnsEnded({ kind, existence }: Operation, soft: SoftDelete | undefined): string[] {
	return soft && 'passed' in soft && kind === 'delete' && existence !== null ? [soft.column] : [];
}

function expectedValues(op: Operation, fields: MappedFields, soft: SoftDelete | undefined): Named {
	if (op.kind === 'insert') return [];
	const revived = soft && !('passed' in soft) && op.kind === 'update' && op.existence !== null && !fields.some(([column]) => column === soft.column);
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
	// Of a date the op says what it expects (see `Operation.guards`): as long as it is that one, nobody has been there.
	return soft && !('passed' in soft) && op.kind !== 'insert' && !bringsBack ? [[soft.column, soft.deleted]] : [];
}

function guardValues(op: Operation, entity: EntityPolicy): Named {
	const guards = Object.entries(op.guards).sort(([a], [b]) => (a < b ? -1 : 1));
	return guards.map(([name, expected]) => [columnOf(op, entity, name), expected]);
}

function columnOf(op: Operation, entity: EntityPolicy, field: string): string {
	const says = field === EXISTENCE ? entity.deletes.as.get(op.system) : entity.fields.get(field)?.columns.get(op.system);
	const column = says?.column;
	if (column === undefined) throw invalid(op, `the field ${field} has no column in ${op.system}`);
	return column;
}

function entityOf(op: Operation, policy: Policy): EntityPolicy {
	const entity = policy.entities.get(op.entity);
	if (!entity) throw invalid(op, `the policy ${policy.name} has no entity ${op.entity}`);
	return entity;
}
