import { columnOfPart, isOfPart } from '../core/record-parts';
import type { EventTable } from './event-tables';
import type { KeyTexts, SnapshotPage } from './snapshot';
import type { SnapshotChange } from './snapshot-events';
import { type Relation, rowValues } from './source-transaction';

/** The rows of a page, as they are found in a change stream. */
export function rowsOf(
	{ columns, rows }: Omit<SnapshotPage, 'writtenBy'>,
	table: EventTable,
): Extract<SnapshotChange, { kind: 'row' }>[] {
	const relation: Relation = {
		oid: 0,
		schema: table.schema,
		name: table.table,
		replicaIdentity: 'full',
		columns: columns.map(({ name, typeOid }) => ({
			name,
			typeOid,
			typeModifier: -1,
			isIdentity: true,
		})),
	};
	return rows.map((tuple) => withoutMissing({ kind: 'row', table, values: rowValues(relation, tuple).values }));
}

type Row = Extract<SnapshotChange, { kind: 'row' }>;

/** Where a part has no row, the join shows nulls, those of its key among them. */
function withoutMissing(row: Row): Row {
	const { table, values } = row;
	const missing = table.parts.filter(({ name, key }) => key.some((column) => (values[columnOfPart(name, column)] ?? null) === null));
	if (missing.length === 0) return row;
	const names = missing.map(({ name }) => name);
	const there = Object.entries(values).filter(([column]) => !names.some((name) => isOfPart(name, column)));
	return { ...row, values: Object.fromEntries(there), missing: names };
}

/** The key of a page's last row, to go on from; null when it has none, for such rows come at the end and together. */
export function lastKey({ columns, rows }: Omit<SnapshotPage, 'writtenBy'>, { key }: EventTable): KeyTexts | null {
	const last = rows.at(-1) ?? [];
	const texts = key.map((name) => last[columns.findIndex((column) => column.name === name)]);
	return texts.every((text) => typeof text === 'string') ? texts : null;
}
