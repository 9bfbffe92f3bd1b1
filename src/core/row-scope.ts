import { canonicalJson, type Json } from './canonical-json';
import type { Scalar } from './policy';

/**
 * Which rows of a table are records: by column, the values of which it must have one. No column: all
 * rows. A row outside is none of ours: another company's, a template.
 */
export type RowScope = ReadonlyMap<string, readonly Scalar[]>;

/** The state of `∃` in a system whose row has left the scope: it is there, and not for us. */
export const OUTSIDE = 'outside';

/**
 * Whether a row is inside.
 *
 * @param columns - those that were sent
 * @returns null when it depends on a column that was not sent: then it is where it was before
 */
export function isInScope(scope: RowScope, columns: Readonly<Record<string, Json>>): boolean | null {
	let isKnown = true;
	for (const [column, values] of scope) {
		const value = Object.hasOwn(columns, column) ? columns[column] : undefined;
		if (value === undefined) isKnown = false;
		else if (!values.some((allowed) => isSameScalar(value, allowed))) return false;
	}
	return isKnown ? true : null;
}

/** Whether a column holds what the policy names: 1 and "1", false and "f" are the same; null, 'null' and '' are not. */
export function isSameScalar(value: Json, named: Scalar): boolean {
	if (value === null || named === null) return value === named;
	return plainText(value) === plainText(named);
}

function plainText(value: Json): string {
	const text = typeof value === 'string' ? value : canonicalJson(value);
	return { t: 'true', f: 'false' }[text] ?? text;
}
