import * as fc from 'fast-check';

import { sha256Hex } from '../../src/core/canonical-json';
import { indexable, keyText, matchText } from '../../src/store/identity-text';

const long = 'x'.repeat(400);

test('a short text stands for itself', () => {
	expect(indexable('["crm","customer",{"id":"42"}]')).toBe('["crm","customer",{"id":"42"}]');
	expect(indexable('')).toBe('');
	expect(indexable('Zoë 😀')).toBe('Zoë 😀');
});

test.each([
	['a long one', long],
	['one with a NUL', 'a\0b'],
	['one with half a surrogate pair', 'a\ud800'],
	['one that looks like a hash', `sha256:${sha256Hex('a')}`],
])('%s is stored as its hash', (_name, text) => {
	expect(indexable(text)).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('what is stored is stored as something else when it is asked for itself', () => {
	expect(indexable(indexable(long))).not.toBe(indexable(long));
});

test('different texts are stored as different ones, each of which an index can hold', () => {
	const tail = fc.constantFrom(
		'',
		'\0',
		'\ud800',
		'\ud801',
		'\udc00',
		'\ufffd',
		'\\u0000',
		'sha256:',
	);
	const text = fc
		.tuple(fc.constantFrom('', 'sha256:', long), tail, tail)
		.map((parts) => parts.join(''));
	fc.assert(
		fc.property(text, text, (a, b) => {
			expect(indexable(a) === indexable(b)).toBe(a === b);
			expect(indexable(a).length).toBeLessThanOrEqual(300);
			expect(Buffer.from(indexable(a), 'utf8').toString('utf8')).toBe(indexable(a));
			expect(indexable(a)).not.toContain('\0');
		}),
	);
});

test('keys are the same whatever the order of their columns, and differ by system, entity and value', () => {
	const key = { system: 'crm', entity: 'customer', key: { a: '1', b: '2' } };
	expect(keyText({ ...key, key: { b: '2', a: '1' } })).toBe(keyText(key));
	const others = [
		{ ...key, system: 'billing' },
		{ ...key, entity: 'order' },
		{ ...key, key: { a: '1' } },
	];
	expect(new Set([key, ...others].map(keyText)).size).toBe(4);
});

test('a match key belongs to its entity', () => {
	expect(matchText({ entity: 'a', match: 'm' })).not.toBe(matchText({ entity: 'b', match: 'm' }));
});
