import fc from 'fast-check';
import { canonicalJson, equalJson, sha256Hex, type Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { arbitraryJson } from '../support/arbitrary-json';

/** The same value with every object's keys in the opposite order. */
function reversed(value: Json): Json {
	if (value === null || typeof value !== 'object') return value;
	if (Array.isArray(value)) return value.map(reversed);
	const entries = Object.entries(value).map(([key, part]): [string, Json] => [key, reversed(part)]);
	return Object.fromEntries(entries.reverse());
}

describe('canonicalJson', () => {
	test('sorts keys by UTF-16 code units and leaves out white space', () => {
		const value = {
			'\u20ac': 1,
			'\r': 2,
			'\ufb33': 3,
			'1': 4,
			'\ud83d\ude00': 5,
			'\u0080': 6,
			ö: 7,
		};
		expect(canonicalJson(value)).toBe(
			'{"\\r":2,"1":4,"\u0080":6,"ö":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
		);
	});

	test('writes numbers as ECMAScript prints them', () => {
		expect(canonicalJson([-0, 1e21, 1e-7, Number('333333333.33333329'), 4.5, 2e-3])).toBe(
			'[0,1e+21,1e-7,333333333.3333333,4.5,0.002]',
		);
	});

	test('keeps a key named __proto__', () => {
		expect(canonicalJson(JSON.parse('{"__proto__":{"x":1},"a":[]}'))).toBe(
			'{"__proto__":{"x":1},"a":[]}',
		);
	});

	test('writes a lone surrogate as its escape, so that the value stays observable', () => {
		expect(canonicalJson('\ud800')).toBe('"\\ud800"');
	});

	test('takes plain objects of another realm', () => {
		expect(canonicalJson(Object.create(null, { a: { value: 1, enumerable: true } }))).toBe(
			'{"a":1}',
		);
	});

	test.each([
		['NaN', { a: [NaN] }, 'The value at a.0 is not a finite number'],
		['an infinity', -Infinity, 'The value is not a finite number'],
		['undefined', { a: undefined }, 'The value at a is of type undefined'],
		['a hole in a list', new Array<number>(1), 'The value at 0 is of type undefined'],
		['a bigint', [1n], 'The value at 0 is of type bigint'],
		['a Date', { at: new Date(0) }, 'The value at at is Date, not a plain object'],
		['a Map', new Map(), 'The value is Map, not a plain object'],
		['a Buffer', Buffer.from('x'), 'The value is Uint8Array, not a plain object'],
	])('refuses %s, naming the place', (_, value, message) => {
		expect(() => canonicalJson(value)).toThrow(new SyncError('NOT_JSON', message));
	});

	test('refuses nesting beyond 500 levels instead of overflowing the stack', () => {
		const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
		expect(canonicalJson(nested(500))).toHaveLength(1_000);
		expect(() => canonicalJson(nested(50_000))).toThrow(
			'The value is nested deeper than 500 levels',
		);
	});

	test('gives a text that parses to an equal value', () => {
		fc.assert(
			fc.property(arbitraryJson, (value) => {
				expect(equalJson(JSON.parse(canonicalJson(value)) as Json, value)).toBe(true);
			}),
		);
	});

	test('does not depend on the order in which keys were set', () => {
		fc.assert(
			fc.property(arbitraryJson, (value) => {
				expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
			}),
		);
	});
});

describe('equalJson', () => {
	test('holds exactly when the canonical texts are the same', () => {
		fc.assert(
			fc.property(arbitraryJson, arbitraryJson, (a, b) => {
				expect(equalJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
				expect(equalJson(a, reversed(a))).toBe(true);
			}),
		);
	});

	test('tells null, the empty text, zero, false and the empty list apart', () => {
		const values: Json[] = [null, '', 0, false, [], {}, '0', 'null'];
		for (const a of values) {
			for (const b of values) expect(equalJson(a, b)).toBe(a === b);
		}
	});

	test('takes -0 and 0 as equal', () => {
		expect(equalJson(-0, 0)).toBe(true);
		expect(equalJson([-0], [0])).toBe(true);
	});
});

test('sha256Hex hashes the UTF-8 bytes of the text', () => {
	expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
	expect(sha256Hex('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
});
