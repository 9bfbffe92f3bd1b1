import { canonicalJson, type Json } from '../../src/core/canonical-json';

export interface CompareOptions {
	/** Lists are compared as sets. */
	readonly asSet: boolean;
}

/**
 * Whether a column holds what was expected.
 *
 * @param found - the column as text, lists and documents as JSON text; null for null
 */
export function isExpected(found: string | null, expected: Json, { asSet }: CompareOptions): boolean {
	if (found === null || expected === null) return found === expected;
	if (typeof expected === 'number') return found === String(expected) || (found.trim() !== '' && Number(found) === expected);
	if (typeof expected !== 'object') return found === String(expected) || found.replace('T', ' ') === expected;
	const value = parsed(found);
	if (value === undefined) return false;
	return asSet && Array.isArray(expected) && Array.isArray(value)
		? canonicalJson(value.map(simple).sort()) === canonicalJson(expected.map(simple).sort())
		: canonicalJson(simplified(value)) === canonicalJson(simplified(expected));
}

function parsed(text: string): Json | undefined {
	try {
		return JSON.parse(text) as Json;
	} catch {
		return undefined; // Not a list or a document.
	}
}

/** 1 and '1' are the same: what a column's type makes of it is not what is asked. */
const simple = (value: Json): string => (typeof value === 'string' ? value : canonicalJson(value));

function simplified(value: Json): Json {
	if (Array.isArray(value)) return value.map(simplified);
	return typeof value === 'number' ? String(value) : value;
}
