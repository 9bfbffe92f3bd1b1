import fc from 'fast-check';

import { comesAgain, parseBounds, readSince, rowNumber } from '../../src/core/poll-horizon';

test('the horizon of a snapshot is its lowest transaction that has not ended', () => {
	expect(parseBounds('10:20:10,14,15')).toEqual({ horizon: 10n, next: 20n });
	expect(parseBounds('7:7:')).toEqual({ horizon: 7n, next: 7n });
	expect(() => parseBounds('ten')).toThrow(SyntaxError);
});

test('everything is read where nothing was, where the server went back, and where too much lies between', () => {
	expect(readSince(null, { horizon: 5n, next: 9n })).toBeNull();
	expect(readSince(10n, { horizon: 5n, next: 9n })).toBeNull();
	expect(readSince(5n, { horizon: 5n, next: 5n + 2n ** 31n })).toBeNull();
	expect(readSince(5n, { horizon: 5n, next: 4n + 2n ** 31n })).toBe(5n);
	expect(readSince(9n, { horizon: 9n, next: 9n })).toBe(9n);
});

test('a row comes again exactly when its transaction is not before the horizon, also where the numbers of rows begin anew', () => {
	const number = fc.bigInt({ min: 3n, max: 2n ** 40n });
	const span = fc.bigInt({ min: 0n, max: 2n ** 31n - 1n });
	fc.assert(
		fc.property(number, span, span, (horizon, width, back) => {
			const bounds = { horizon, next: horizon + width };
			const before = horizon - 1n - back;
			fc.pre(before >= 0n);
			expect(comesAgain(String(rowNumber(before)), bounds)).toBe(false);
			if (width > 0n) expect(comesAgain(String(rowNumber(horizon + (back % width))), bounds)).toBe(true);
		}),
	);
});
