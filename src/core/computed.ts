import type { Json } from './canonical-json';
import type { Row } from './mapping';
import type { ComputedBinding } from './policy';

/**
 * What a system says in a field that it has no column for. `unreadable` and `reason` as in a
 * reading of a column.
 */
export type Computation =
	| { readonly state: 'value'; readonly raw: Json }
	| { readonly state: 'unreadable'; readonly raw: Json; readonly reason: string }
	| { readonly state: 'unchanged' }
	| { readonly state: 'absent' };

const COLUMN = /\{([^{}]*)\}/g;

/** The columns that a template names, each once, in order. */
export function templateColumns(template: string): string[] {
	return [...new Set([...template.matchAll(COLUMN)].map(([, column = '']) => column))];
}

/**
 * Computes the value from the row's columns. In a template null is an empty text; the result has
 * single spaces and none at its ends, and where it is empty, it is null.
 *
 * @param unchanged - columns that were not sent because they did not change
 */
export function compute(
	{ from, parts }: ComputedBinding,
	row: Row,
	unchanged: readonly string[],
): Computation {
	if (from.kind === 'constant') return { state: 'value', raw: from.value };
	const kept = parts.filter((column) => unchanged.includes(column));
	if (kept.length === parts.length) return { state: 'unchanged' };
	if (kept.length > 0) {
		// To call it unchanged would lose the change of the other parts.
		const reason =
			'cannot be computed, for the log left out a large part of it; replica identity full sends it';
		return { state: 'unreadable', raw: null, reason };
	}
	const values = new Map(
		parts.map((column) => [column, Object.hasOwn(row, column) ? row[column] : undefined]),
	);
	if ([...values.values()].includes(undefined)) return { state: 'absent' };
	if ([...values.values()].some((value) => typeof value === 'object' && value !== null)) {
		return { state: 'unreadable', raw: null, reason: 'is computed from a list or an object' };
	}
	const text = from.template.replace(COLUMN, (_, column: string) =>
		String(values.get(column) ?? ''),
	);
	const tidy = text.trim().replace(/\s+/g, ' ');
	return { state: 'value', raw: tidy === '' ? null : tidy };
}
