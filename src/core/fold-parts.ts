import type { Json } from './canonical-json';
import type { ChangeEvent } from './change-event';
import { isSameRow, keptColumns } from './fold-images';
import type { RecordChange } from './record-change';
import { isOfPart } from './record-parts';

/** A part's row after what a transaction has done so far; null: it has none any more. */
type PartRow = { readonly columns: Readonly<Record<string, Json>>; readonly unchanged: readonly string[] } | null;

/** By part; one that is not in it was not touched. */
export type PartRows = Map<string, PartRow>;

/** @param missing - parts that are known to have no row */
export function partsGone(missing: readonly string[] | undefined): PartRows {
	return new Map((missing ?? []).map((part) => [part, null]));
}

/** Folds one event of a part's row into what is known of the part. */
export function partsOf(rows: PartRows, part: string, { op, before, after, unchanged }: ChangeEvent): void {
	const earlier = rows.get(part) ?? null;
	if (op !== 'd') {
		const kept = op === 'u' && earlier ? keptColumns(earlier.columns, unchanged) : {};
		const columns = { ...kept, ...after };
		rows.set(part, { columns, unchanged: unchanged.filter((column) => !Object.hasOwn(columns, column)) });
	} else if (earlier === null || before === null || isSameRow(earlier.columns, before)) {
		rows.set(part, null);
	} // Else the row that went is the one before: with a deferrable key two stand under it for a while.
}

/** A record has come to the key of rows that were there before it: what was taken away there was its predecessor's. */
export function takeOver(rows: PartRows, waiting: PartRows): void {
	for (const [part, row] of waiting) if (row !== null) rows.set(part, row);
}

/** The change with what it did to the record's parts. */
export function withParts(change: RecordChange, rows: PartRows): RecordChange {
	if (rows.size === 0 || change.exists !== true) return change;
	const there = [...rows.values()].filter((row) => row !== null);
	const missing = [...rows].flatMap(([part, row]) => (row === null ? [part] : [])).sort();
	return {
		...change,
		columns: Object.assign({}, change.columns, ...there.map(({ columns }) => columns)) as RecordChange['columns'],
		unchanged: [...change.unchanged, ...there.flatMap(({ unchanged }) => unchanged)],
		...(missing.length > 0 ? { missing } : {}),
	};
}

/** Columns of parts whose rows are known to be gone. */
export function isGone({ missing = [] }: Pick<RecordChange, 'missing'>, column: string): boolean {
	return missing.some((part) => isOfPart(part, column));
}
