import type { Json } from '../../src/core/canonical-json';
import { entityOfTable } from '../../src/core/mapping';
import { type Marker, parseMarker } from '../../src/core/marker';
import { asPart } from '../../src/core/record-parts';
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
	const found = changes.flatMap((change) => (change.kind === 'row' ? [rowOf(change, system, policy)] : []));
	const rows = joined(found).map((row) => {
		const { entity } = row;
		const isOf = (marker: Marker): boolean =>
			marker.entity === entity && hasKey(row.after ?? row.before, marker.key);
		const marker = [...rowless].find(isOf) ?? null;
		if (marker) rowless.delete(marker);
		const { table, before, after } = row;
		return { table, before, after, marker };
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

interface FoundRow extends Omit<WitnessedRow, 'marker'> {
	readonly entity: string | undefined;
	/** The record's place, of a row of one of its parts; null for a row of its own. */
	readonly partOf: string | null;
	readonly key: readonly string[];
}

function rowOf(change: RowChange, system: string, policy: Policy): FoundRow {
	const { schema, name } = change.relation;
	const entity = entityOfTable(policy, system, schema, name);
	const after = change.new === null ? null : rowValues(change.relation, change.new).values;
	const before = oldRowValues(change)?.values ?? null;
	const binding = entity?.tables.get(system);
	const part = [...(binding?.parts.values() ?? [])].find((one) => one.schema === schema && one.table === name);
	if (!binding || !part) return { entity: entity?.name, table: name, before, after, partOf: null, key: binding?.key ?? [] };
	const known = before ?? after ?? {};
	const key = Object.fromEntries(binding.key.map((column, at) => [column, known[part.key[at] ?? ''] ?? null]));
	const inRecord = (values: WitnessedValues | null, other: WitnessedValues): WitnessedValues => ({
		...key,
		// A row that is not there any more says null; one that was not there before said nothing.
		...(values ? asPart(part.name, values) : other),
	});
	const gone = asPart(part.name, Object.fromEntries(Object.keys(known).map((column) => [column, null])));
	const row = { before: inRecord(before, {}), after: inRecord(after, gone) };
	return { entity: entity?.name, table: binding.table, ...row, partOf: placeOf(row.after, binding.key), key: binding.key };
}

const placeOf = (row: WitnessedValues, key: readonly string[]): string => key.map((column) => String(row[column])).join(' ');

/** The rows of a transaction, those of a record's parts with the record's own. */
function joined(rows: readonly FoundRow[]): FoundRow[] {
	const records: FoundRow[] = [];
	for (const row of rows) {
		const at = records.findIndex((other) => isSameRecord(row, other));
		const other = records[at];
		if (!other) records.push(row);
		else {
			const whole = (a: WitnessedValues | null, b: WitnessedValues | null) => (a === null || b === null ? null : { ...a, ...b });
			const partOf = row.partOf === null || other.partOf === null ? null : row.partOf;
			records[at] = { ...other, before: whole(other.before, row.before), after: whole(other.after, row.after), partOf };
		}
	}
	return records;
}

function isSameRecord(row: FoundRow, other: FoundRow): boolean {
	if (row.table !== other.table || (row.partOf === null && other.partOf === null)) return false;
	const [mine, others] = [row, other].map(({ before, after, key }) => placeOf(after ?? before ?? {}, key));
	return mine === others;
}

function hasKey(row: WitnessedValues | null, key: Marker['key']): boolean {
	if (row === null || key === null) return false;
	return Object.entries(key).every(([column, value]) => String(row[column]) === String(value));
}
