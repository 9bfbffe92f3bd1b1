import {
	boolean,
	collapseSpace,
	digits,
	email,
	identity,
	lower,
	nfc,
	prefix,
	text,
	trim,
	upper,
} from '../../../src/core/codecs/text-codecs';

test('identity keeps absent distinctions: text, number and list stay what they are', () => {
	for (const value of ['', ' a ', 0, false, [1], {}]) {
		expect(identity.toCanon(value)).toEqual({ ok: true, value });
	}
});

test('trim takes white space off the ends only, and an empty text stays empty', () => {
	expect(trim.toCanon(' \u00a0Ann  Lee\n')).toEqual({ ok: true, value: 'Ann  Lee' });
	expect(trim.toCanon('')).toEqual({ ok: true, value: '' });
	expect(trim.toCanon('  ')).toEqual({ ok: true, value: '' });
});

test('lower follows Unicode, not a language', () => {
	expect(lower.toCanon('ÉCLAIR I')).toEqual({ ok: true, value: 'éclair i' });
});

test('email writes the canonical form', () => {
	expect(email.toCanon(' Ann@Example.COM ')).toEqual({ ok: true, value: 'ann@example.com' });
	expect(email.toRaw('ann@example.com')).toEqual({ ok: true, value: 'ann@example.com' });
});

test.each([[trim], [lower], [email]])('%p refuses what is not text', (codec) => {
	expect(codec.toCanon(42)).toEqual({ ok: false, reason: 'is not text' });
});

test('text makes an integer column and a text column comparable', () => {
	expect(text.toCanon(42)).toEqual(text.toCanon('42'));
	expect(text.toCanon(true)).toEqual({ ok: true, value: 'true' });
	expect(text.toCanon([42])).toEqual({ ok: false, reason: 'is a list or an object, not text' });
});

test('boolean reads what databases and APIs write for true and false', () => {
	for (const value of [true, 1, '1', 't', 'TRUE', 'Yes', 'y', 'on']) {
		expect(boolean.toCanon(value)).toEqual({ ok: true, value: true });
	}
	for (const value of [false, 0, '0', 'f', 'False', 'NO', 'n', 'off']) {
		expect(boolean.toCanon(value)).toEqual({ ok: true, value: false });
	}
});

test.each([[''], ['2'], [2], ['maybe']])('boolean refuses %j', (value) => {
	expect(boolean.toCanon(value)).toEqual({ ok: false, reason: 'is neither true nor false' });
});

test('boolean refuses a list', () => {
	expect(boolean.toCanon(['true'])).toEqual({
		ok: false,
		reason: 'is a list or an object, not a boolean',
	});
});

test('collapse-space leaves one space between words', () => {
	expect(collapseSpace.toCanon(' Ann \u00a0\n Lee ')).toEqual({ ok: true, value: 'Ann Lee' });
});

test('nfc makes one text of two ways to type it', () => {
	expect(nfc.toCanon('e\u0301')).toEqual(nfc.toCanon('\u00e9'));
});

test('upper follows Unicode, not a language', () => {
	expect(upper.toCanon('straße i')).toEqual({ ok: true, value: 'STRASSE I' });
});

test('digits compares numbers with separators, and refuses what has none', () => {
	expect(digits.toCanon('12-345 67')).toEqual({ ok: true, value: '1234567' });
	expect(digits.toCanon('')).toEqual({ ok: true, value: '' });
	expect(digits.toCanon('n/a')).toEqual({ ok: false, reason: 'has no digit' });
});

test('prefix stands in one system only', () => {
	const codec = prefix('cus_');
	expect(codec.toCanon('cus_42')).toEqual({ ok: true, value: '42' });
	expect(codec.toRaw('42')).toEqual({ ok: true, value: 'cus_42' });
	expect(codec.toCanon('42')).toEqual({ ok: false, reason: 'lacks the prefix' });
	expect(codec.toRaw(42)).toEqual({ ok: false, reason: 'is not text' });
});
