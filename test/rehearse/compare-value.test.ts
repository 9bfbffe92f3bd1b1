import { isExpected } from './compare-value';

const inOrder = { asSet: false };

test.each([
	['1', 1, true],
	['10.00', 10, true],
	['1', '1', true],
	['', 0, false],
	['', null, false],
	[null, '', false],
	[null, null, true],
	['true', true, true],
	['false', true, false],
	['2024-01-01', '2024-01-01', true],
	['2024-01-01T10:00:00', '2024-01-01 10:00:00', true],
	['["x", "y"]', ['x', 'y'], true],
	['["y", "x"]', ['x', 'y'], false],
	['[1, 2]', ['1', 2], true],
	['{"a": 1}', { a: 1 }, true],
	['text', ['text'], false],
])('%j is expected to be %j: %s', (found, expected, is) => {
	expect(isExpected(found, expected, inOrder)).toBe(is);
});

test('a list of a field that is a set may come in any order', () => {
	expect(isExpected('["y", "x"]', ['x', 'y'], { asSet: true })).toBe(true);
	expect(isExpected('["y", "x", "x"]', ['x', 'y'], { asSet: true })).toBe(false);
	expect(isExpected('["y"]', ['x', 'y'], { asSet: true })).toBe(false);
});
