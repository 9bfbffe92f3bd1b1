import fc from 'fast-check';

import { equalJson } from '../../src/core/canonical-json';
import { parseArrayText } from '../../src/postgres/array-text';
import { readerOfType } from '../../src/postgres/column-values';

const OID = {
	bool: 16,
	int8: 20,
	int4: 23,
	text: 25,
	json: 114,
	float8: 701,
	date: 1082,
	timestamp: 1114,
	timestamptz: 1184,
	numeric: 1700,
	jsonb: 3802,
	'bool[]': 1000,
	'int4[]': 1007,
	'text[]': 1009,
	'int8[]': 1016,
	'timestamptz[]': 1185,
	'jsonb[]': 3807,
} as const;

const read = (type: keyof typeof OID, text: string) => readerOfType(OID[type])(text);

describe('scalars', () => {
	test.each([
		['bool', 't', true],
		['bool', 'f', false],
		['int4', '-2147483648', -2147483648],
		['int8', '9007199254740993', '9007199254740993'],
		['numeric', '1.50', '1.50'],
		['numeric', 'NaN', 'NaN'],
		['float8', '0.1', 0.1],
		['float8', '1e+300', 1e300],
		['float8', '-0', 0],
		['float8', '-Infinity', '-Infinity'],
		['float8', 'NaN', 'NaN'],
		['text', '', ''],
		['date', '2024-01-31', '2024-01-31'],
		['date', 'infinity', 'infinity'],
		['timestamp', '2024-01-31 10:00:00', '2024-01-31T10:00:00'],
		['timestamp', '2024-01-31 10:00:00.123456', '2024-01-31T10:00:00.123456'],
		['timestamptz', '2024-01-31 10:00:00.5+00', '2024-01-31T10:00:00.5Z'],
		['timestamptz', '-infinity', '-infinity'],
		['timestamp', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC'],
		['timestamptz', '10000-01-01 00:00:00+00', '10000-01-01 00:00:00+00'],
	] as const)('%s %j becomes %j', (type, text, value) => {
		expect(read(type, text)).toBe(value);
	});

	test('an unknown type keeps the text of the server', () => {
		expect(readerOfType(123_456)('(1,"x y")')).toBe('(1,"x y")');
	});
});

describe('json', () => {
	test.each([
		['{"a": [1, 2.50, true, null, "x"]}', { a: [1, 2.5, true, null, 'x'] }],
		['{"a": 1e5}', { a: 100_000 }],
		['"12345678901234567890"', '12345678901234567890'],
		['{"e": "1e400 12345678901234567890"}', { e: '1e400 12345678901234567890' }],
		['null', null],
		['[100000000000000000000, 1.10, -0.0]', [1e20, 1.1, -0]],
		['9007199254740992', 9007199254740992],
	])('%s is parsed', (text, value) => {
		expect(equalJson(read('jsonb', text), value)).toBe(true);
		expect(equalJson(read('json', text), value)).toBe(true);
	});

	test.each([
		'{"a": 9007199254740993}',
		'[0.1234567890123456789]',
		'1e400',
		'-1e400',
		'1e-400',
		'{"q\\"": [1, {"x": "\\\\"}, 12345678901234567890]}',
		`0.1${'0'.repeat(100_000)}1`,
	])('%.60s stays text, because a number in it would be rounded', (text) => {
		expect(read('json', text)).toBe(text);
	});

	test('a document of numbers that doubles can hold is never kept as text', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				expect(
					equalJson(read('json', JSON.stringify(value)), JSON.parse(JSON.stringify(value))),
				).toBe(true);
			}),
		);
	});

	test('a parsed document is written again with the digits of its text', () => {
		const digits = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }); // Above 1e21 ECMAScript writes an exponent.
		fc.assert(
			fc.property(digits, (number) => {
				const value = read('json', `[${number}]`);
				if (Array.isArray(value)) expect(JSON.stringify(value)).toBe(`[${number}]`);
				else expect(value).toBe(`[${number}]`);
			}),
		);
	});

	test('__proto__ is a key like any other', () => {
		expect(Object.keys(read('json', '{"__proto__": 1}') as object)).toEqual(['__proto__']);
	});
});

describe('arrays', () => {
	test.each([
		['text[]', '{}', []],
		['text[]', '{a,"b c",NULL,"NULL",""}', ['a', 'b c', null, 'NULL', '']],
		['text[]', '{"say \\"hi\\"","back\\\\slash","{x,y}"}', ['say "hi"', 'back\\slash', '{x,y}']],
		[
			'int4[]',
			'{{1,2},{3,NULL}}',
			[
				[1, 2],
				[3, null],
			],
		],
		['int8[]', '{9007199254740993}', ['9007199254740993']],
		['bool[]', '{t,f}', [true, false]],
		['timestamptz[]', '{"2024-01-31 10:00:00+00"}', ['2024-01-31T10:00:00Z']],
		['jsonb[]', '{"{\\"a\\": [1]}",NULL}', [{ a: [1] }, null]],
	] as const)('%s %s becomes a list', (type, text, value) => {
		expect(read(type, text)).toEqual(value);
	});

	test('bounds of its own keep an array as text', () => {
		expect(read('int4[]', '[2:3]={1,2}')).toBe('[2:3]={1,2}');
	});

	test('a list of documents that are lists is not told from one of more dimensions, which stays text', () => {
		expect(read('jsonb[]', '{"[1]",NULL}')).toEqual([[1], null]);
		expect(read('jsonb[]', '{{1},{NULL}}')).toBe('{{1},{NULL}}');
	});

	test.each(['{', '{a', '{a,', '{"a', '{a}b', '{,}', '{a,}', '{{{{{{{1}}}}}}}', 'a', '', '{"a"b}'])(
		'%j is no array',
		(text) => {
			expect(parseArrayText(text)).toBeNull();
		},
	);

	test('reading what the server would print gives the same elements', () => {
		const element = fc.oneof(
			fc.constant(null),
			fc.constantFrom('NULL', '', '\\', '"', '{', ','),
			fc.string(),
		);
		fc.assert(
			fc.property(fc.array(element), (elements) => {
				const printed = elements.map((text) =>
					text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`,
				);
				expect(parseArrayText(`{${printed.join(',')}}`)).toEqual(elements);
			}),
		);
	});

	test('elements of many megabytes are read', () => {
		const long = 'x'.repeat(20_000_000);
		expect(parseArrayText(`{${long},"${long}"}`)).toEqual([long, long]);
	});
});
