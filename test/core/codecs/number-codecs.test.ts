import fc from 'fast-check';
import { decimal, integer, minorUnits } from '../../../src/core/codecs/number-codecs';

const ok = (value: string) => ({ ok: true, value });

test('decimal always has its digits, from text and from numbers', () => {
	const two = decimal(2, 'exact');
	expect(['12.5', 12.5, '12.500', '+12.5', '1.25e1'].map(two.toCanon)).toEqual(
		Array(5).fill(ok('12.50')),
	);
	expect([0, '-0.00', '-0'].map(two.toCanon)).toEqual(Array(3).fill(ok('0.00')));
});

test('decimal keeps amounts that a double cannot hold', () => {
	expect(decimal(2, 'exact').toCanon('12345678901234567890.12')).toEqual(
		ok('12345678901234567890.12'),
	);
});

test('decimal refuses to drop a digit unless told to round', () => {
	expect(decimal(2, 'exact').toCanon('1.005')).toEqual({
		ok: false,
		reason: 'has more than 2 digits after the point',
	});
	expect(decimal(2, 'half-up').toCanon('1.005')).toEqual(ok('1.01'));
	expect(decimal(1, 'exact').toCanon(0.25)).toEqual({
		ok: false,
		reason: 'has more than 1 digit after the point',
	});
});

test('decimal does not round on writing', () => {
	expect(decimal(2, 'half-up').toRaw('1.005')).toMatchObject({ ok: false });
});

test.each(['NaN', 'Infinity', '', '1,50', '€1'])('decimal refuses %j', (value) => {
	expect(decimal(2, 'exact').toCanon(value)).toEqual({
		ok: false,
		reason: 'is not a decimal number',
	});
});

test('minor units of one system are the decimals of the other', () => {
	const cents = minorUnits(2);
	expect([1250, '1250', '1250.0'].map(cents.toCanon)).toEqual(Array(3).fill(ok('12.50')));
	expect([5, -5, 0].map(cents.toCanon)).toEqual([ok('0.05'), ok('-0.05'), ok('0.00')]);
	expect(cents.toRaw('12.50')).toEqual(ok('1250'));
	expect(cents.toRaw('-0.05')).toEqual(ok('-5'));
	expect(cents.toCanon('9223372036854775807')).toEqual(ok('92233720368547758.07'));
});

test('minor units refuse a fraction of a cent, either way', () => {
	expect(minorUnits(2).toCanon('12.5')).toEqual({
		ok: false,
		reason: 'is not a whole number of minor units',
	});
	expect(minorUnits(2).toRaw('0.005')).toEqual({
		ok: false,
		reason: 'has more than 2 digits after the point',
	});
});

test('an amount crosses from decimals to minor units and back unchanged', () => {
	fc.assert(
		fc.property(fc.bigInt(), fc.integer({ min: 0, max: 6 }), (units, digits) => {
			const [crm, billing] = [decimal(digits, 'exact'), minorUnits(digits)];
			const canon = billing.toCanon(units.toString());
			expect(crm.toCanon(canon.ok ? canon.value : null)).toEqual(canon);
			expect(billing.toRaw(canon.ok ? canon.value : null)).toEqual(ok(units.toString()));
		}),
	);
});

test('integer has no leading zeros, sign of zero or empty fraction', () => {
	expect(['007', 7, '+7', '7.00'].map(integer.toCanon)).toEqual(Array(4).fill(ok('7')));
	expect(integer.toCanon('-0')).toEqual(ok('0'));
	expect(integer.toCanon('9223372036854775808')).toEqual(ok('9223372036854775808'));
});

test('integer refuses a fraction and a number beyond 2^53', () => {
	expect(integer.toCanon('7.5')).toEqual({ ok: false, reason: 'is not a whole number' });
	expect(integer.toCanon(2 ** 60)).toEqual({
		ok: false,
		reason: 'is a number beyond 2^53, whose last digits may be lost: send it as text',
	});
	expect(integer.toCanon(true)).toEqual({ ok: false, reason: 'is not a decimal number' });
});
