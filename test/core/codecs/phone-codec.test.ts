import type { Codec } from '../../../src/core/codecs/codec';
import { phone } from '../../../src/core/codecs/phone-codec';

const ok = (value: string) => ({ ok: true, value });

function phoneOf(country?: string): Codec {
	const codec = phone(country);
	if (!codec) throw new Error(`no numbers of ${country}`);
	return codec;
}

const us = phoneOf('US');

test.each([
	'(212) 555-0100',
	'212.555.0100',
	' 1 212 555 0100 ',
	'+1 (212) 555–0100',
	'٢١٢٥٥٥٠١٠٠',
	'12125550100',
])('%j is one number, however it is spelled', (spelling) => {
	expect(us.toCanon(spelling)).toEqual(ok('+12125550100'));
	expect(us.toRaw(spelling)).toEqual(ok('+12125550100'));
});

test('a number of another country needs its code', () => {
	expect(us.toCanon('011 44 20 7946 0958')).toEqual(ok('+442079460958'));
	expect(phoneOf('GB').toCanon('020 7946 0958')).toEqual(ok('+442079460958'));
	expect(us.toCanon('020 7946 0958')).toMatchObject({ ok: false });
});

test('an extension stays', () => {
	for (const spelling of ['212 555 0100 x12', '212-555-0100 ext. 12', '+12125550100;ext=12']) {
		expect(us.toCanon(spelling)).toEqual(ok('+12125550100;ext=12'));
	}
});

test('a number that came as a JSON number is read', () => {
	expect(us.toCanon(2125550100)).toEqual(ok('+12125550100'));
});

test.each([
	'',
	'5550100',
	'call me at 212 555 0100',
	'1-800-FLOWERS',
	'212 555 0100 or 0101',
	'+',
	'1e3',
	true,
	['+1'],
])('%j is refused', (value) => {
	expect(us.toCanon(value)).toEqual({
		ok: false,
		reason: expect.stringMatching(/^is not (text|a phone number of US or with a country code)$/),
	});
});

test('without a country only international numbers are read', () => {
	expect(phoneOf().toCanon('+1 212 555 0100')).toEqual(ok('+12125550100'));
	expect(phoneOf().toCanon('212 555 0100')).toEqual({
		ok: false,
		reason: 'is not a phone number with a country code',
	});
});

test('a country that has no numbers is no argument', () => {
	expect(phone('XX')).toBeUndefined();
	expect(phone('us')).toBeUndefined();
	expect(phone('constructor')).toBeUndefined();
});
