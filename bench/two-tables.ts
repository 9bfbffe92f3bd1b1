import { compareTwoTables } from '../nodes/ReconcileDiff/compare-tables';
import type { TablesMemory } from '../nodes/ReconcileDiff/tables-before';
import type { ConnectionSettings } from '../test/support/embedded-postgres';

export interface TablesRound {
	readonly seconds: number;
	readonly differences: number;
	/** All rows were hashed. */
	readonly isWhole: boolean;
}

/** Compares two tables of one name, with what the run before has left in the memory. */
export async function compareTables(databases: { readonly a: ConnectionSettings; readonly b: ConnectionSettings }, name: string, memory: TablesMemory): Promise<TablesRound> {
	const started = performance.now();
	const table = { schema: 'public', table: name };
	const outputs = await compareTwoTables({ databases, tables: { a: table, b: table }, keys: [{ a: 'id', b: 'id' }], fields: [], memory });
	const { differences, lastWhole } = outputs[3]?.[0]?.json ?? {};
	return { seconds: (performance.now() - started) / 1_000, differences: Number(differences), isWhole: lastWhole === undefined };
}
