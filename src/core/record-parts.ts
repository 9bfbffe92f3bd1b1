import { existsIn, type LinkState, type Operation } from './link';
import { columnOf, type EntityPolicy, type PartBinding, type TableBinding } from './policy';

/**
 * A record may be several rows: one of its main table, and at most one of each of its parts. A column
 * of a part is called `part.column`, in the policy and in change events alike, so that a record is one row to
 * everything that decides; only who reads and writes tables has to know where a column stands.
 *
 * The main row says whether the record is there. Where a part has no row, its columns are absent (nothing
 * was ever said), and null once a row that was there is gone.
 */

export interface PartColumn {
	readonly part: PartBinding;
	/** Its name in the part's own table. */
	readonly column: string;
}

/** The part that a column belongs to; null for a column of the main table. */
export function partColumn({ parts }: Pick<TableBinding, 'parts'>, column: string): PartColumn | null {
	const [name = '', own] = splitColumn(column);
	const part = parts.get(name);
	return part === undefined || own === undefined ? null : { part, column: own };
}

/** Of a record's columns those that stand in one of its tables, by their names there. */
export function columnsOfTable(
	binding: TableBinding,
	{ schema, table }: Pick<PartBinding, 'schema' | 'table'>,
	columns: readonly string[],
): string[] {
	return columns.flatMap((column) => {
		const found = partColumn(binding, column);
		const place = found?.part ?? binding;
		return place.schema === schema && place.table === table ? [found?.column ?? column] : [];
	});
}

/** The part in which a system has the field; null when it stands in the main table, or the system has no column for it. */
export function partOfField({ tables, fields }: EntityPolicy, system: string, field: string): PartBinding | null {
	const binding = tables.get(system);
	const column = columnOf({ fields }, field, system);
	return binding === undefined || column === undefined ? null : (partColumn(binding, column)?.part ?? null);
}

/** Whether an update makes the part's row in which the field stands: it expects that there is none. */
export function makesPartOf(op: Operation | null, field: string, entity: EntityPolicy): boolean {
	const part = op?.kind === 'update' ? partOfField(entity, op.system, field) : null;
	if (op === null || part === null) return false;
	return Object.entries(op.fields).some(
		([name, { expected }]) => expected === undefined && partOfField(entity, op.system, name) === part,
	);
}

/** Whether there is a value for a part's row that is not there yet. */
export function anyLacksPart(state: LinkState, entity: EntityPolicy): boolean {
	const withParts = [...entity.tables.values()].filter(({ parts }) => parts.size > 0);
	return withParts.some(({ system }) =>
		[...entity.fields.keys()].some((name) => lacksPart(state, system, { name, entity })),
	);
}

/**
 * Whether the system has never had a value of the field because the record has no row of the part that it stands
 * in, while there is something to be put there. A null says no more than that there is no row.
 */
export function lacksPart(
	state: LinkState,
	system: string,
	{ name, entity }: { readonly name: string; readonly entity: EntityPolicy },
): boolean {
	const { merged = null, views = {} } = state.fields[name] ?? {};
	const isMissing = views[system] === undefined && partOfField(entity, system, name) !== null;
	return isMissing && existsIn(state, system) && merged !== null && merged.canon !== null;
}

/** What a part's column is called in a record. */
export function columnOfPart(part: string, column: string): string {
	return `${part}.${column}`;
}

/** Whether a record's column is one of the part's. */
export function isOfPart(part: string, column: string): boolean {
	return column.startsWith(`${part}.`);
}

/** A part's values under the names that they have in a record. */
export function asPart<T>(part: string, values: Readonly<Record<string, T>>): Record<string, T> {
	return Object.fromEntries(Object.entries(values).map(([column, value]) => [columnOfPart(part, column), value]));
}

function splitColumn(column: string): readonly [string, string?] {
	const dot = column.indexOf('.');
	return dot === -1 ? [column] : [column.slice(0, dot), column.slice(dot + 1)];
}
