import { keyOf, keyText, type Row } from '../core/mapping';
import type { Key } from '../core/link';
import type { Policy } from '../core/policy';
import { SyncError } from '../core/errors';
import type { TableName } from './publication';

/** A table whose rows are records, and how to tell them apart. */
export interface EventTable extends TableName {
	readonly entity: string;
	/** Columns of a unique key. */
	readonly key: readonly string[];
	/** @throws SyncError KEY_INCOMPLETE when a key column is absent or null */
	keyOf(row: Row): Key;
}

/** The tables of one system, by schema and name. */
export class EventTables {
	readonly #byName: ReadonlyMap<string, EventTable>;

	/** @param all - in the order in which their rows are first read */
	constructor(readonly all: readonly EventTable[]) {
		this.#byName = new Map(all.map((table) => [nameOf(table.schema, table.table), table]));
	}

	find(schema: string, table: string): EventTable | undefined {
		return this.#byName.get(nameOf(schema, table));
	}
}

/** The tables that a policy names for `system`, ordered by entity. */
export function policyTables(policy: Policy, system: string): EventTables {
	const tables: EventTable[] = [];
	for (const entity of policy.entities.values()) {
		const binding = entity.tables.get(system);
		if (!binding) continue;
		const { schema, table, key } = binding;
		tables.push({
			schema,
			table,
			entity: entity.name,
			key,
			keyOf: (row) => keyOf(entity, system, row),
		});
	}
	return new EventTables(tables.sort((a, b) => (a.entity < b.entity ? -1 : 1)));
}

/** Tables without a policy: each is an entity of its own, named as the table. */
export function plainTables(
	tables: readonly (TableName & { readonly key: readonly string[] })[],
): EventTables {
	return new EventTables(
		tables.map(({ schema, table, key }) => {
			const entity = `${schema}.${table}`;
			return { schema, table, entity, key, keyOf: (row) => plainKey(entity, key, row) };
		}),
	);
}

function plainKey(entity: string, columns: readonly string[], row: Row): Key {
	return Object.fromEntries(
		columns.map((column) => {
			const value = Object.hasOwn(row, column) ? (row[column] ?? null) : null;
			if (value !== null) return [column, keyText(value)];
			throw new SyncError(
				'KEY_INCOMPLETE',
				`The key column "${column}" of a row of ${entity} is missing or null`,
			);
		}),
	);
}

// A dot can be part of a name.
const nameOf = (schema: string, table: string): string => JSON.stringify([schema, table]);
