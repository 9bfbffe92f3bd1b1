import type { Json } from '../../src/core/canonical-json';
import { entityOfTable } from '../../src/core/mapping';
import { type Marker, parseMarker } from '../../src/core/marker';
import type { Policy } from '../../src/core/policy';
import {
	oldRowValues,
	rowValues,
	type RowChange,
	type SourceTransaction,
} from '../../src/postgres/source-transaction';

/** A row's values by column. */
export type WitnessedValues = Readonly<Record<string, Json>>;

/** A row that somebody inserted, changed or deleted, as it stands in the system's own log. */
export interface WitnessedRow {
	/** Without its schema. */
	readonly table: string;
	/** Null for a new row. */
	readonly before: WitnessedValues | null;
	/** Null after a delete. */
	readonly after: WitnessedValues | null;
	/** Of the operation that wrote it; null: somebody else did. */
	readonly marker: Marker | null;
}

/** A transaction of one system, as anybody can read it. */
export interface WitnessedTransaction {
	readonly system: string;
	/** When it was committed, by the server's clock, milliseconds since 1970. */
	readonly atMs: number;
	readonly rows: readonly WitnessedRow[];
	/** Of operations that wrote no row. */
	readonly rowless: readonly Marker[];
}

/** A write of ours: its marker, and the row that it wrote, if it wrote one. */
export interface WitnessedWrite {
	readonly system: string;
	readonly marker: Marker;
	/** Null for a new row, and when no row was written. */
	readonly before: WitnessedValues | null;
	/** Null after a delete, and when no row was written. */
	readonly after: WitnessedValues | null;
}

/**
 * Gives each row the marker that speaks of it.
 *
 * @param policy - says which table a marker's entity is in
 */
export function witnessed(
	system: string,
	{ changes, commitTsMs }: SourceTransaction,
	policy: Policy,
): WitnessedTransaction {
	const rowless = new Set(
		changes.flatMap((change) => {
			if (change.kind !== 'message' || !change.prefix.startsWith('bisync:')) return [];
			return [parseMarker(change.content)].filter((marker) => marker !== null);
		}),
	);
	const rows = changes.flatMap((change) => {
		if (change.kind !== 'row') return [];
		const row = rowOf(change);
		const { schema, name } = change.relation;
		const entity = entityOfTable(policy, system, schema, name)?.name;
		const isOf = (marker: Marker): boolean =>
			marker.entity === entity && hasKey(row.after ?? row.before, marker.key);
		const marker = [...rowless].find(isOf) ?? null;
		if (marker) rowless.delete(marker);
		return [{ ...row, marker }];
	});
	return { system, atMs: commitTsMs, rows, rowless: [...rowless] };
}

/** What is marked as a write of the sync. */
export function witnessedWrites({ system, rows, rowless }: WitnessedTransaction): WitnessedWrite[] {
	const withRow = rows.flatMap(({ marker, before, after }) =>
		marker ? [{ system, marker, before, after }] : [],
	);
	return [...withRow, ...rowless.map((marker) => ({ system, marker, before: null, after: null }))];
}

function rowOf(change: RowChange): Omit<WitnessedRow, 'marker'> {
	const after = change.new === null ? null : rowValues(change.relation, change.new).values;
	return { table: change.relation.name, before: oldRowValues(change)?.values ?? null, after };
}

function hasKey(row: WitnessedValues | null, key: Marker['key']): boolean {
	if (row === null || key === null) return false;
	return Object.entries(key).every(([column, value]) => String(row[column]) === String(value));
}
