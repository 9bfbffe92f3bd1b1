import type { Json } from '../core/canonical-json';
import { SyncError } from '../core/errors';
import type { Key, Operation, OperationField } from '../core/link';
import { keyText } from '../core/mapping';
import type { TableBinding } from '../core/policy';
import { columnText } from './column-text';
import { tableName } from './sql';
import type { ColumnType, TableColumns } from './table-columns';

/** What an operation does to one row: columns and texts instead of fields and values. */
export interface RowWrite {
	readonly op: Operation;
	readonly table: TableColumns;
	/** The row to find; of an insert, empty. */
	readonly key: readonly Cell[];
	readonly sets: readonly Cell[];
	/** Columns that get the target's time. */
	readonly stampedNow: readonly StampedPlace[];
	/** Columns of a new row that get the next number of a sequence, by its quoted name. */
	readonly numbered: readonly (ColumnPlace & { readonly sequence: string })[];
	/** Columns that must have one of these texts: a row that has left the policy's rows is none of ours. */
	readonly scope: readonly (ColumnPlace & { readonly texts: readonly (string | null)[] })[];
	/** What the row must not say: that it is deleted. Whoever said so meanwhile has not seen our write. */
	readonly unless: readonly Cell[];
	/** What the row must hold, or the write does not happen. */
	readonly expects: readonly Cell[];
	/** The key's columns: an insert asks for what the database made of them. */
	readonly keyColumns: readonly ColumnPlace[];
}

/** A part's row. Of an insert its key is the one that the main row gets. */
export interface PartWrite extends RowWrite {
	/** What it holds beside `sets` when it is made. */
	readonly fresh: readonly Cell[];
	/** The record has had no row of the part so far: there must be none. */
	readonly isAbsent: boolean;
}

/** `ends`: the time is to have passed at once, as a reader in UTC sees it. */
export interface StampedPlace extends ColumnPlace {
	readonly ends?: true;
}

export interface ColumnPlace {
	readonly column: string;
	readonly type: ColumnType;
}

export interface Cell extends ColumnPlace {
	readonly text: string | null;
}

/** Column and value, in the order in which they stand in the statement. */
export type Named = readonly (readonly [string, Json])[];
export type MappedFields = readonly (readonly [string, OperationField])[];

/** A table's columns, and values for them, as a statement needs them. */
export function cellsOf(table: TableColumns, op: Operation): { place: (column: string) => ColumnPlace; cells: (values: Named) => Cell[] } {
	const place = (column: string): ColumnPlace => placeOf(table, column, op);
	const cells = (values: Named): Cell[] =>
		values.map(([column, value]) => {
			const { type } = place(column);
			return { column, type, text: columnText(value, type) };
		});
	return { place, cells };
}

export function keyValues(op: Operation, binding: Pick<TableBinding, 'key'>): Named {
	if (op.kind === 'insert') return [];
	const key: Key = op.key ?? {};
	return binding.key.map((column) => {
		const value = Object.hasOwn(key, column) ? key[column] : undefined;
		if (value == null) throw invalid(op, `its key lacks the column "${column}"`);
		return [column, keyText(value)];
	});
}

export function sequencesOf({ insert }: Pick<TableBinding, 'insert'>): (readonly [string, string])[] {
	return [...insert].flatMap(([column, given]) =>
		given.kind === 'sequence' ? [[column, tableName({ schema: given.schema, table: given.sequence })] as const] : [],
	);
}

function placeOf(table: TableColumns, column: string, op: Operation): ColumnPlace {
	const type = table.columns.get(column);
	if (type) return { column, type };
	throw new SyncError(
		'TABLE_MISSING',
		`The table ${table.name} of ${op.system} has no column "${column}"`,
	);
}

export function invalid(op: Operation, why: string): SyncError {
	return new SyncError('OPERATION_INVALID', `The operation ${op.id} cannot be written: ${why}`);
}
