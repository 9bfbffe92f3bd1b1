import type { Json } from '../core/canonical-json';
import { type ArrayText, parseArrayText } from './array-text';
import { parseJsonText } from './json-text';

/** Turns the server's text of one value into the JSON value that a change event carries. */
export type ValueReader = (text: string) => Json;

/**
 * The reader for a type. The text must come from a session with our output settings (see
 * `OUTPUT_SETTINGS`): ISO dates, UTC, shortest exact floats, hexadecimal bytea.
 *
 * | type | JSON value |
 * | --- | --- |
 * | bool | true, false |
 * | int2, int4, oid | number |
 * | int8, numeric | the server's text: exact (also "NaN", "Infinity") |
 * | float4, float8 | number; "NaN", "Infinity", "-Infinity" as text; -0 as 0, which it equals |
 * | json, jsonb | the parsed value; the server's text if a number in it would not survive (see `parseJsonText`) |
 * | date | "2024-01-31" |
 * | timestamp, timestamptz | "2024-01-31T10:00:00.123456", with "Z" for timestamptz |
 * | arrays of these, of text and of uuid | JSON array, nested for more dimensions, null for NULL |
 * | everything else | the server's text: time, interval, bytea ("\\x…"), uuid, enum, domain, ranges, … |
 *
 * Infinite dates, dates before Christ and past year 9999, arrays with bounds of their own, and arrays of json with more
 * than one dimension (a list in a list could be either) stay the server's text.
 * A domain, and an array of a domain or enum, has a type number of its own and is text too.
 */
export function readerOfType(typeOid: number): ValueReader {
	return READERS.get(typeOid) ?? readText;
}

/** Whether the type is one of those in the table above; the others are the server's text. */
export const hasReader = (typeOid: number): boolean => READERS.has(typeOid);

/** Of types whose values are the server's texts. */
export const readText: ValueReader = (text) => text;
const readBoolean: ValueReader = (text) => text === 't';
const readInteger: ValueReader = (text) => Number(text);

function readFloat(text: string): Json {
	const value = Number(text);
	// Number('') is 0, but no float prints as ''. Adding 0 turns -0 into 0.
	return Number.isFinite(value) ? value + 0 : text;
}

const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:\+00)?$/;

// Cut by hand: groups in the expression take three times as long.
function readTimestamp(text: string): Json {
	const isUtc = text.endsWith('+00');
	if (isUtc ? text.charCodeAt(PLACE_OF_SPACE) !== SPACE : !TIMESTAMP.test(text)) return text;
	const date = text.slice(0, PLACE_OF_SPACE);
	return isUtc ? `${date}T${text.slice(PLACE_OF_SPACE + 1, -3)}Z` : `${date}T${text.slice(PLACE_OF_SPACE + 1)}`;
}

/** Of a year with four digits; what ends with "+00" is no infinity, and not before Christ. */
const PLACE_OF_SPACE = 10;
const SPACE = 0x20;

function readArrayOf(readElement: ValueReader): ValueReader {
	const convert = (elements: ArrayText): Json[] =>
		elements.map((element) => {
			if (element === null) return null;
			return typeof element === 'string' ? readElement(element) : convert(element);
		});
	return (text) => {
		const elements = parseArrayText(text);
		return elements === null ? text : convert(elements);
	};
}

/** Of json a list of lists is one dimension of documents that are lists: more dimensions would read the same. */
function readDocuments(text: string): Json {
	const elements = parseArrayText(text);
	return elements === null || elements.some(Array.isArray) ? text : readArrayOf(parseJsonText)(text);
}

/** Type numbers of the server's catalogue (pg_type.dat); they are the same in every version. */
const TYPES: readonly { oid: number; arrayOid: number; read: ValueReader; readAll?: ValueReader }[] = [
	{ oid: 16, arrayOid: 1000, read: readBoolean }, // bool
	{ oid: 21, arrayOid: 1005, read: readInteger }, // int2
	{ oid: 23, arrayOid: 1007, read: readInteger }, // int4
	{ oid: 26, arrayOid: 1028, read: readInteger }, // oid
	{ oid: 20, arrayOid: 1016, read: readText }, // int8
	{ oid: 1700, arrayOid: 1231, read: readText }, // numeric
	{ oid: 700, arrayOid: 1021, read: readFloat }, // float4
	{ oid: 701, arrayOid: 1022, read: readFloat }, // float8
	{ oid: 114, arrayOid: 199, read: parseJsonText, readAll: readDocuments }, // json
	{ oid: 3802, arrayOid: 3807, read: parseJsonText, readAll: readDocuments }, // jsonb
	{ oid: 1082, arrayOid: 1182, read: readText }, // date
	{ oid: 1114, arrayOid: 1115, read: readTimestamp }, // timestamp
	{ oid: 1184, arrayOid: 1185, read: readTimestamp }, // timestamptz
	{ oid: 1083, arrayOid: 1183, read: readText }, // time
	{ oid: 1266, arrayOid: 1270, read: readText }, // timetz
	{ oid: 1186, arrayOid: 1187, read: readText }, // interval
	{ oid: 25, arrayOid: 1009, read: readText }, // text
	{ oid: 1043, arrayOid: 1015, read: readText }, // varchar
	{ oid: 1042, arrayOid: 1014, read: readText }, // char(n)
	{ oid: 18, arrayOid: 1002, read: readText }, // "char"
	{ oid: 19, arrayOid: 1003, read: readText }, // name
	{ oid: 2950, arrayOid: 2951, read: readText }, // uuid
	{ oid: 17, arrayOid: 1001, read: readText }, // bytea
	{ oid: 869, arrayOid: 1041, read: readText }, // inet
	{ oid: 650, arrayOid: 651, read: readText }, // cidr
	{ oid: 829, arrayOid: 1040, read: readText }, // macaddr
	{ oid: 790, arrayOid: 791, read: readText }, // money
	{ oid: 142, arrayOid: 143, read: readText }, // xml
];

const READERS: ReadonlyMap<number, ValueReader> = new Map(
	TYPES.flatMap(({ oid, arrayOid, read, readAll = readArrayOf(read) }): [number, ValueReader][] => [
		[oid, read],
		[arrayOid, readAll],
	]),
);
