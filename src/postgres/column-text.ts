import type { Json } from '../core/canonical-json';
import { parseJsonText } from './json-text';
import type { ColumnType } from './table-columns';

const JSON_OIDS: ReadonlySet<number> = new Set([114, 3802]);

/** Whether the type is json or jsonb. */
export const isJsonType = (oid: number): boolean => JSON_OIDS.has(oid);

/**
 * The text that a column of this type reads as `value`: the inverse of `readerOfType`. Null stays
 * null and '' stays ''.
 *
 * | JSON value | text |
 * | --- | --- |
 * | true, false, a number | as JSON prints it, which is also valid for bool, int, numeric and float |
 * | text | as it is, for every type but json and jsonb |
 * | a list, in an array column | `{"a",NULL,{…}}` |
 * | anything, in a json or jsonb column | its JSON text |
 * | a list or an object, in any other column | its JSON text |
 */
export function columnText(value: Json, type: ColumnType): string | null {
	if (value === null) return null;
	if (type.elementOid !== null && Array.isArray(value)) return arrayText(value, type.elementOid);
	return scalarText(value, type.oid);
}

function scalarText(value: Json, oid: number): string {
	if (isJsonType(oid)) return jsonColumnText(value);
	return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * A text is a JSON text value ("abc" with its quotes), unless it is a whole document that was left
 * as text because a number in it would not survive JSON.parse: that document is written as it was.
 */
function jsonColumnText(value: Json): string {
	if (typeof value === 'string' && isJson(value) && parseJsonText(value) === value) return value;
	return JSON.stringify(value);
}

function isJson(text: string): boolean {
	try {
		return typeof JSON.parse(text) !== 'string';
	} catch {
		return false; // Not JSON, which is an answer here, not a failure.
	}
}

/** "Array Input and Output Syntax" in the manual. All but null is quoted, so that no text reads as NULL or as a brace. */
function arrayText(list: readonly Json[], elementOid: number): string {
	const elements = list.map((element) => {
		if (element === null) return 'NULL';
		// A list within a json array is a JSON value; elsewhere it is a further dimension.
		if (Array.isArray(element) && !isJsonType(elementOid)) return arrayText(element, elementOid);
		return `"${scalarText(element, elementOid).replaceAll(/["\\]/g, '\\$&')}"`;
	});
	return `{${elements.join(',')}}`;
}
