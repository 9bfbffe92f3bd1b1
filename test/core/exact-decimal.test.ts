import fc from 'fast-check';
import { equalDecimals, formatDecimal, readDecimal, rescale } from '../../src/core/exact-decimal';

function decimalOf(value: string | number) {
	const read = readDecimal(value);
	if (!read.ok) throw new Error(read.reason);
	return read.decimal;
}

const scale = fc.integer({ min: 0, max: 12 });

test('what is formatted reads back as the same number', () => {
	fc.assert(
		fc.property(fc.bigInt(), scale, (unscaled, digits) => {
			const read = decimalOf(formatDecimal(unscaled, digits));
			expect(rescale(read, digits, 'exact')).toBe(unscaled);
		}),
	);
});

test('every finite double in the safe range reads as the number it prints', () => {
	const safe = fc.double({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1, noNaN: true });
	fc.assert(
		fc.property(safe, (value) => {
			const { unscaled, scale: digits } = decimalOf(value);
			expect(Number(formatDecimal(unscaled, digits)) === value).toBe(true);
		}),
	);
});

test.each([
	['-12.50', -1250n, 2],
	['+.5', 5n, 1],
	['7.', 7n, 0],
	['1e3', 1000n, 0],
	['1.25E-4', 125n, 6],
	['007', 7n, 0],
])('reads %s exactly', (text, unscaled, digits) => {
	expect(decimalOf(text)).toEqual({ unscaled, scale: digits });
});

test.each(['', '.', '-', ' 1', '1 ', '1,5', '0x10', 'NaN', 'Infinity', '1e', '--1', '١'])(
	'refuses "%s"',
	(text) => {
		expect(readDecimal(text)).toEqual({ ok: false, reason: 'is not a decimal number' });
	},
);

test('refuses a number whose last digits a double cannot hold', () => {
	expect(readDecimal(2 ** 53)).toEqual({
		ok: false,
		reason: 'is a number beyond 2^53, whose last digits may be lost: send it as text',
	});
});

test('refuses an exponent that would take minutes to write out', () => {
	expect(readDecimal('1e999999999')).toEqual({ ok: false, reason: 'has an exponent beyond 5000' });
});

test.each([
	['1.005', '1.01'],
	['1.004', '1.00'],
	['-1.005', '-1.01'],
	['-0.004', '0.00'],
	['0.995', '1.00'],
])('rounds %s to %s, halves away from zero', (text, rounded) => {
	expect(formatDecimal(rescale(decimalOf(text), 2, 'half-up') ?? 0n, 2)).toBe(rounded);
});

test('equal numbers are equal however many zeros they end in', () => {
	fc.assert(
		fc.property(fc.bigInt(), scale, scale, (unscaled, digits, more) => {
			const longer = { unscaled: unscaled * 10n ** BigInt(more), scale: digits + more };
			expect(equalDecimals({ unscaled, scale: digits }, longer)).toBe(true);
			expect(equalDecimals({ unscaled: unscaled + 1n, scale: digits }, longer)).toBe(false);
		}),
	);
});
