import type { Json } from '../core/canonical-json';
import { parseExactJson } from '../core/exact-json';

/**
 * The value of a json or jsonb column. A document with a number that a double cannot hold
 * (12345678901234567890, 1e400) stays the server's text, whole, so that nothing is rounded behind
 * anybody's back.
 *
 * A JSON `null` becomes null as an SQL null does, and of a repeated key the last counts, as in jsonb;
 * the server's text, which travels beside the value, still tells these apart.
 */
export function parseJsonText(text: string): Json {
	const value = parseExactJson(text);
	return value === undefined ? text : value;
}
