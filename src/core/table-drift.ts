import { columnsRead, type Policy } from './policy';
import { columnsOfTable } from './record-parts';
import { type Scope, scopeText } from './scopes';

/** A column that the policy names and the table does not have. */
export interface GoneColumn extends Scope {
	readonly schema: string;
	readonly table: string;
	readonly column: string;
}

/**
 * The columns that fields of a system need, and that its tables do not have (any more): dropped, renamed, or never
 * there. Such a field is absent, which is not null: it waits, and all others flow. Pure.
 *
 * @param columnsOf - of a table; null for one that is not there at all, which is another matter
 */
export function goneColumns(
	policy: Policy,
	system: string,
	columnsOf: (table: { readonly schema: string; readonly table: string }) => Pick<ReadonlySet<string>, 'has'> | null,
): GoneColumn[] {
	return [...policy.entities.values()].flatMap((entity) => {
		const binding = entity.tables.get(system);
		const tables = binding ? [binding, ...binding.parts.values()] : [];
		return tables.flatMap(({ schema, table }): GoneColumn[] => {
			const present = columnsOf({ schema, table });
			if (!binding || present === null) return [];
			return [...entity.fields.values()].flatMap((field) =>
				columnsOfTable(binding, { schema, table }, columnsRead(field, system))
					.filter((column) => !present.has(column))
					.map((column) => ({ entity: entity.name, field: field.name, system, schema, table, column })),
			);
		});
	});
}

/** The scopes that wait until their columns are back. Sorted, each once. */
export function scopesOf(gone: readonly GoneColumn[]): string[] {
	return [...new Set(gone.map(scopeText))].sort();
}

/** A table's column, as `schema.table.column`. */
export function columnLabel({ schema, table }: { readonly schema: string; readonly table: string }, column: string): string {
	return `${schema}.${table}.${column}`;
}

/** A column with its type, as a stream is registered with it: `schema.table.column : type`. */
export function typedLabel(label: string, type: string): string {
	return `${label} : ${type}`;
}

/** The label and the type of a column; null for one whose type was not noted. */
export function parseTyped(text: string): { readonly label: string; readonly type: string | null } {
	const at = text.lastIndexOf(' : ');
	return at < 0 ? { label: text, type: null } : { label: text.slice(0, at), type: text.slice(at + 3) };
}

/** A column of a field whose type is another one than when its values were read. */
export interface RetypedColumn extends GoneColumn {
	readonly from: string;
	readonly to: string;
}

/**
 * The columns of fields whose types have changed since the stream was registered. What was read of them says
 * nothing any more: 5 and '5' are two values, and no change of any row tells that all of them are others now. Pure.
 *
 * @param known - typed labels of then
 * @param now - typed labels of now
 */
export function retypedColumns(policy: Policy, system: string, known: readonly string[], now: readonly string[]): RetypedColumn[] {
	const before = new Map(known.map(parseTyped).map(({ label, type }) => [label, type]));
	const changed = new Map<string, { from: string; to: string }>();
	for (const { label, type } of now.map(parseTyped)) {
		const from = before.get(label) ?? null;
		if (from !== null && type !== null && from !== type) changed.set(label, { from, to: type });
	}
	// Those that were changed are as good as gone: their fields are the ones that wait.
	const found = goneColumns(policy, system, (table) => ({ has: (column) => !changed.has(columnLabel(table, column)) }));
	return found.map((column) => ({ ...column, ...changed.get(columnLabel(column, column.column))! }));
}

/** All columns of a system's tables that the policy names, for whatever reason, as labels. */
export function namedColumns(policy: Policy, system: string): ReadonlySet<string> {
	const labels = [...policy.entities.values()].flatMap((entity) => {
		const binding = entity.tables.get(system);
		if (!binding) return [];
		const { key, where, insert, stamp, parts } = binding;
		const fields = [...entity.fields.values()].flatMap((field) => columnsRead(field, system));
		const soft = entity.deletes.as.get(system)?.column;
		const own = [...key, ...where.keys(), ...insert.keys(), ...stamp.keys(), ...(soft === undefined ? [] : [soft])];
		return [
			...[...own, ...columnsOfTable(binding, binding, fields)].map((column) => columnLabel(binding, column)),
			...[...parts.values()].flatMap((part) => {
				const ofPart = [...part.key, ...part.insert.keys(), ...part.stamp.keys(), ...columnsOfTable(binding, part, fields)];
				return ofPart.map((column) => columnLabel(part, column));
			}),
		];
	});
	return new Set(labels);
}

/** The columns that were known of a system's tables, and those of them that a person has been told of, and has not dismissed. */
export interface KnownColumns {
	readonly columns: readonly string[];
	readonly told: readonly string[];
}

/**
 * What is new since the columns were last looked at: of tables that were known then, columns that the policy
 * does not name. One that the policy names by now, or that is gone again, is no news any more. Pure.
 *
 * @param now - labels of all columns of the system's tables
 */
export function columnNews({ columns, told }: KnownColumns, now: readonly string[], named: ReadonlySet<string>): { readonly added: readonly string[]; readonly told: readonly string[] } {
	const tableOf = (label: string): string => label.slice(0, label.lastIndexOf('.'));
	const tables = new Set(columns.map(tableOf));
	const known = new Set(columns);
	const isNews = (label: string): boolean => !named.has(label);
	const added = now.filter((label) => !known.has(label) && tables.has(tableOf(label)) && isNews(label));
	const still = told.filter((label) => now.includes(label) && isNews(label));
	return { added, told: [...new Set([...still, ...added])].sort() };
}
