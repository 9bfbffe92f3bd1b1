import fc from 'fast-check';
import { equalJson } from '../../src/core/canonical-json';
import { parseExactJson } from '../../src/core/exact-json';
import { arbitraryJson } from '../support/arbitrary-json';

test('parses whatever JSON.stringify writes', () => {
	fc.assert(
		fc.property(arbitraryJson, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
			const parsed = parseExactJson(JSON.stringify(value, null, indent));
			expect(parsed !== undefined && equalJson(parsed, value)).toBe(true);
		}),
	);
});

test.each([
	'9007199254740993',
	'[1e400]',
	'{"a":0.1234567890123456789}',
	'1e-400',
	'-12345678901234567890',
])('does not parse %s, whose digits would be lost', (text) => {
	expect(parseExactJson(text)).toBeUndefined();
});

test.each([
	['1.50', 1.5],
	['1e21', 1e21],
	['9007199254740992', 9007199254740992],
	['-0', -0],
	['"12345678901234567890"', '12345678901234567890'],
	['["\\"", "\\\\", 1]', ['"', '\\', 1]],
])('parses %s', (text, value) => {
	expect(parseExactJson(text)).toEqual(value);
});

test.each(['', 'abc', '{a:1}', '[1,]', '01', 'NaN'])(
	'does not parse %j, which is no JSON',
	(text) => {
		expect(parseExactJson(text)).toBeUndefined();
	},
);

test('takes a text of a megabyte in one string', () => {
	const long = '\\"'.repeat(500_000);
	expect(parseExactJson(`"${long}"`)).toBe('"'.repeat(500_000));
});
