import { equalJson, type Json } from './canonical-json';

/** What one image of a row tells of another one of the same transaction: values by column. */
type RowImage = Readonly<Record<string, Json>>;

/** The values that a later image left out as unchanged, so far as the earlier one has them. */
export function keptColumns(earlier: RowImage, unchanged: readonly string[]): Record<string, Json> {
	const held = unchanged.filter((column) => Object.hasOwn(earlier, column));
	return Object.fromEntries(held.map((column) => [column, earlier[column] ?? null]));
}

/** Whether the row that was changed, as it stood `before`, can be the one of the earlier image. */
export function isSameRow(earlier: RowImage, before: RowImage): boolean {
	return Object.entries(before).every(([column, value]) => !Object.hasOwn(earlier, column) || equalJson(earlier[column] ?? null, value));
}
