import { chainCodecs } from '../../../src/core/codecs';
import { defaultTo, emptyAsNull, nullAs, zeroAsNull } from '../../../src/core/codecs/null-codecs';
import { decimal } from '../../../src/core/codecs/number-codecs';
import { trim } from '../../../src/core/codecs/text-codecs';

const ok = (value: string | null) => ({ ok: true, value });
const STANDS_FOR_NULL = { ok: false, reason: 'is what stands for null in this column' };

test('empty means null, and null is written', () => {
	expect(emptyAsNull.toCanon('')).toEqual(ok(null));
	expect(emptyAsNull.toCanon(null)).toEqual(ok(null));
	expect(emptyAsNull.toCanon(' ')).toEqual(ok(' '));
	expect(emptyAsNull.toRaw(null)).toEqual(ok(null));
	expect(emptyAsNull.toRaw('')).toEqual(STANDS_FOR_NULL);
	expect(chainCodecs([trim, emptyAsNull]).toCanon(' ')).toEqual(ok(null));
});

test('zero means null in every spelling', () => {
	for (const zero of [0, '0', '0.00', '-0']) expect(zeroAsNull.toCanon(zero)).toEqual(ok(null));
	for (const other of ['', '00x', false]) {
		expect(zeroAsNull.toCanon(other)).toEqual({ ok: true, value: other });
	}
	expect(chainCodecs([zeroAsNull, decimal(2, 'exact')]).toRaw('0.00')).toEqual(STANDS_FOR_NULL);
});

test('a column without null says something else for it', () => {
	const unknown = chainCodecs([nullAs('N/A'), trim]);
	expect(unknown.toCanon('N/A')).toEqual(ok(null));
	expect(unknown.toCanon(' Ann ')).toEqual(ok('Ann'));
	expect(unknown.toRaw(null)).toEqual(ok('N/A'));
	expect(unknown.toRaw('N/A')).toEqual(STANDS_FOR_NULL);
	expect(nullAs('').toCanon('')).toEqual(ok(null));
	expect(nullAs('').toRaw(null)).toEqual(ok(''));
	expect(nullAs('false').toCanon(false)).toEqual(ok(null));
});

test('codecs around it see what it made of null, and null itself only if they speak of it', () => {
	const credit = chainCodecs([nullAs('0'), decimal(2, 'exact')]);
	expect(credit.toCanon('0.00')).toEqual(ok(null));
	expect(credit.toCanon('1.5')).toEqual(ok('1.50'));
	expect(credit.toRaw(null)).toEqual(ok('0'));
	expect(chainCodecs([trim, nullAs('x')]).toRaw(null)).toEqual(ok('x'));
});

test('null can mean a value for systems that have no null', () => {
	const credit = chainCodecs([defaultTo('0'), decimal(2, 'exact')]);
	expect(credit.toCanon(null)).toEqual(ok('0.00'));
	expect(credit.toRaw('0.00')).toEqual(ok('0.00'));
	expect(credit.toRaw(null)).toEqual({
		ok: false,
		reason: 'is null, which this column cannot say',
	});
});
