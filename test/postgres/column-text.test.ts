import fc from 'fast-check';

import { equalJson, type Json } from '../../src/core/canonical-json';
import { columnText } from '../../src/postgres/column-text';
import { readerOfType } from '../../src/postgres/column-values';
import type { ColumnType } from '../../src/postgres/table-columns';

const type = (oid: number, elementOid: number | null = null): ColumnType => ({
	cast: '',
	oid,
	elementOid,
});
const TEXT = type(25);
const TEXTS = type(1009, 25);
const BIGINTS = type(1016, 20);
const FLOATS = type(1022, 701);
const JSON_COLUMN = type(114);
const JSONB = type(3802);
const JSONBS = type(3807, 3802);

/** What the change stream would show of the written text. */
function readBack(value: Json, column: ColumnType): Json {
	const text = columnText(value, column);
	return text === null ? null : readerOfType(column.oid)(text);
}

// Texts that mean something inside an array or a document.
const awkward = fc.oneof(
	fc.constantFrom(
		'',
		'NULL',
		'null',
		'{',
		'}',
		',',
		'"',
		'\\',
		'{"a":1}',
		'[1e400]',
		'12345678901234567890',
		' ',
	),
	fc.string({ unit: 'grapheme' }),
);

test('a list reads back as itself from an array column', () => {
	fc.assert(
		fc.property(fc.array(fc.option(awkward)), (list) => {
			expect(readBack(list, TEXTS)).toEqual(list);
		}),
	);
	expect(
		readBack(
			[
				['a', null],
				['b', ''],
			],
			TEXTS,
		),
	).toEqual([
		['a', null],
		['b', ''],
	]);
	expect(readBack(['9007199254740993', null], BIGINTS)).toEqual(['9007199254740993', null]);
	expect(readBack([0.1, 1e21, 'NaN'], FLOATS)).toEqual([0.1, 1e21, 'NaN']);
});

test('every JSON value reads back as itself from a json column', () => {
	const value = fc.oneof(awkward, fc.jsonValue() as fc.Arbitrary<Json>);
	fc.assert(
		fc.property(value, fc.constantFrom(JSON_COLUMN, JSONB), (json, column) => {
			expect(equalJson(readBack(json, column), json)).toBe(true);
		}),
	);
});

test('a text in a json column is a JSON text, and a document that was kept as text stays a document', () => {
	expect(columnText('abc', JSONB)).toBe('"abc"');
	expect(columnText('null', JSONB)).toBe('"null"');
	expect(columnText('{"a":1}', JSONB)).toBe('"{\\"a\\":1}"');
	expect(columnText('{"a":12345678901234567890}', JSONB)).toBe('{"a":12345678901234567890}');
});

test('a list within a jsonb array is one element', () => {
	expect(columnText([[1, 'x'], null], JSONBS)).toBe('{"[1,\\"x\\"]",NULL}');
});

test('null, an empty text and texts that read like something else stay what they are', () => {
	expect(columnText(null, TEXT)).toBeNull();
	expect(columnText(null, JSONB)).toBeNull();
	expect(columnText('', TEXT)).toBe('');
	expect(columnText('null', TEXT)).toBe('null');
	expect(columnText(false, TEXT)).toBe('false');
	expect(columnText(-0, TEXT)).toBe('0');
	expect(columnText({ a: 1 }, TEXT)).toBe('{"a":1}');
	expect(columnText('[2:3]={a,b}', TEXTS)).toBe('[2:3]={a,b}');
});
