import fc from 'fast-check';
import { isInScope, isSameScalar } from '../../src/core/row-scope';

const scope = new Map([
	['company_id', [1, null]],
	['kind', ['customer']],
]);

describe('a row is inside', () => {
	test.each([
		['when every column has one of its values', { company_id: 1, kind: 'customer', name: 'x' }, true],
		['also when a value is null and null is one of them', { company_id: null, kind: 'customer' }, true],
		['not when one column has another value', { company_id: 2, kind: 'customer' }, false],
		['not when a text is empty where null is let in', { company_id: '', kind: 'customer' }, false],
		['not when one is wrong and another was not sent', { kind: 'supplier' }, false],
		['or not, nobody knows, when a column was not sent', { company_id: 1 }, null],
	])('%s', (_, columns, expected) => {
		expect(isInScope(scope, columns)).toBe(expected);
	});

	test('always, where the policy names no column', () => {
		expect(isInScope(new Map(), {})).toBe(true);
	});
});

test('values are the same whatever type the server sends them in', () => {
	expect(isSameScalar('1', 1)).toBe(true);
	expect(isSameScalar('f', false)).toBe(true);
	expect(isSameScalar('true', true)).toBe(true);
});

test('null is not the text null, nor an empty one', () => {
	expect(isSameScalar(null, 'null')).toBe(false);
	expect(isSameScalar('null', null)).toBe(false);
	expect(isSameScalar(null, '')).toBe(false);
	expect(isSameScalar(null, null)).toBe(true);
});

test('what is inside stays inside when more columns are sent, and what is outside, outside', () => {
	const value = fc.constantFrom(1, 2, null, 'customer', '');
	const row = fc.dictionary(fc.constantFrom('company_id', 'kind', 'name'), value);
	fc.assert(
		fc.property(row, row, (some, more) => {
			const known = isInScope(scope, some);
			if (known === true) expect(isInScope(scope, { ...more, ...some })).toBe(true);
			if (known === false) expect(isInScope(scope, { ...more, ...some })).toBe(false);
		}),
	);
});
