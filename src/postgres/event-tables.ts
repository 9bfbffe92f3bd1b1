import { keyOf, keyText, type Row } from '../core/mapping';
import type { Key } from '../core/link';
import type { PartBinding, Policy } from '../core/policy';
import { SyncError } from '../core/errors';
import type { RelationMessage } from './pgoutput';
import type { TableName } from './publication';

/** A table whose rows are records, and how to tell them apart. */
export interface EventTable extends TableName {
	readonly entity: string;
	/** Columns of a unique key. */
	readonly key: readonly string[];
	/** @throws SyncError KEY_INCOMPLETE when a key column is absent or null */
	keyOf(row: Row): Key;
	/** Tables that hold further columns of the same records. */
	readonly parts: readonly EventPart[];
	/** What is read of its rows. Absent: all but generated columns. */
	readonly columns?: readonly string[] | undefined;
}

/** A table joined one-to-one to another one. */
export interface EventPart extends TableName {
	readonly name: string;
	readonly entity: string;
	/** The columns that hold the main row's key, in the order of its columns. */
	readonly key: readonly string[];
	/** The main row's key; null for a row that belongs to none. */
	keyOf(row: Row): Key | null;
}

/** What the rows of a table are: records, or parts of records. */
export type RowKind =
	| { readonly kind: 'record'; readonly table: EventTable }
	| { readonly kind: 'part'; readonly table: EventPart };

/** The tables of one system, by schema and name. */
export class EventTables {
	readonly #byName: ReadonlyMap<string, RowKind>;
	/** Null for a table that is none of them. */
	readonly #byRelation = new WeakMap<Pick<RelationMessage, 'schema' | 'name'>, RowKind | null>();
	/** All tables whose changes are events. */
	readonly published: readonly (TableName & { readonly entity: string; readonly key: readonly string[] })[];

	/** @param all - those of records, in the order in which their rows are first read */
	constructor(readonly all: readonly EventTable[]) {
		const kinds = all.flatMap((table): RowKind[] => [
			{ kind: 'record', table },
			...table.parts.map((part) => ({ kind: 'part', table: part }) as const),
		]);
		this.#byName = new Map(kinds.map((one) => [nameOf(one.table.schema, one.table.table), one]));
		this.published = kinds.map(({ table }) => table);
	}

	find(schema: string, table: string): RowKind | undefined {
		return this.#byName.get(nameOf(schema, table));
	}

	/** As `find`, looked up once for each table that a stream announces. */
	ofRelation(relation: Pick<RelationMessage, 'schema' | 'name'>): RowKind | undefined {
		const known = this.#byRelation.get(relation);
		if (known !== undefined) return known ?? undefined;
		const found = this.find(relation.schema, relation.name);
		this.#byRelation.set(relation, found ?? null);
		return found;
	}
}

/** The tables that a policy names for `system`, ordered by entity. */
export function policyTables(policy: Policy, system: string): EventTables {
	const tables: EventTable[] = [];
	for (const entity of policy.entities.values()) {
		const binding = entity.tables.get(system);
		if (!binding || binding.api !== undefined) continue;
		const { schema, table, key, parts } = binding;
		tables.push({
			schema,
			table,
			entity: entity.name,
			key,
			keyOf: (row) => keyOf(entity, system, row),
			parts: [...parts.values()].map((part) => eventPart(part, { entity: entity.name, key })),
		});
	}
	return new EventTables(tables.sort((a, b) => (a.entity < b.entity ? -1 : 1)));
}

function eventPart(
	{ name, schema, table, key: columns }: PartBinding,
	{ entity, key }: Pick<EventTable, 'entity' | 'key'>,
): EventPart {
	return {
		name,
		entity,
		schema,
		table,
		key: columns,
		keyOf: (row) => {
			const values = columns.map((column) => (Object.hasOwn(row, column) ? (row[column] ?? null) : null));
			if (values.includes(null)) return null;
			return Object.fromEntries(key.map((column, at) => [column, keyText(values[at] ?? null)]));
		},
	};
}

/**
 * Tables without a policy: each is an entity of its own, named as the table.
 *
 * @param published - what the log has of their rows; null: all columns, or nobody knows
 */
export function plainTables(
	tables: readonly (TableName & { readonly key: readonly string[] })[],
	published: (table: TableName) => readonly string[] | null = () => null,
): EventTables {
	return new EventTables(
		tables.map(({ schema, table, key }) => {
			const entity = `${schema}.${table}`;
			const columns = published({ schema, table });
			const read = columns === null ? {} : { columns: [...new Set([...columns, ...key])] };
			return { schema, table, entity, key, keyOf: (row) => plainKey(entity, key, row), parts: [], ...read };
		}),
	);
}

function plainKey(entity: string, columns: readonly string[], row: Row): Key {
	const key: Record<string, string> = {};
	for (const column of columns) {
		const value = Object.hasOwn(row, column) ? (row[column] ?? null) : null;
		if (value === null) {
			throw new SyncError(
				'KEY_INCOMPLETE',
				`The key column "${column}" of a row of ${entity} is missing or null`,
			);
		}
		setOwn(key, column, keyText(value));
	}
	return key;
}

/** Not by assigning, which drops a column named __proto__. */
function setOwn(key: Record<string, string>, column: string, value: string): void {
	if (column !== '__proto__') key[column] = value;
	else Object.defineProperty(key, column, { value, enumerable: true, configurable: true, writable: true });
}

// A dot can be part of a name.
const nameOf = (schema: string, table: string): string => JSON.stringify([schema, table]);
