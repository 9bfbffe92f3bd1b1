import type { Codec } from '../../../src/core/codecs/codec';
import { COUNTRIES } from '../../../src/core/codecs/country-table';
import { country, state } from '../../../src/core/codecs/place-codecs';

const ok = (value: string) => ({ ok: true, value });

function known(codec: Codec | undefined): Codec {
	if (!codec) throw new Error('no such codec');
	return codec;
}

const code = known(country());
const lines = COUNTRIES.trim().split('\n');

test.each([
	['Germany', 'DE'],
	['DEU', 'DE'],
	[' de ', 'DE'],
	['U.S.A.', 'US'],
	['the United States of America', 'US'],
	['UK', 'GB'],
	['St. Lucia', 'LC'],
	['Trinidad & Tobago', 'TT'],
	['Turkiye', 'TR'],
	['CÔTE D’IVOIRE', 'CI'],
	['Bosnia-Herzegovina', 'BA'],
])('%j is %s', (text, canon) => {
	expect(code.toCanon(text)).toEqual(ok(canon));
});

test.each([
	'',
	'...',
	'Deutschland',
	'Korea',
	'Europe',
	'XX',
	'Germanyy',
	49,
	'the',
	'constructor',
])('%j is refused', (value) => {
	expect(code.toCanon(value)).toEqual({
		ok: false,
		reason: 'is not a country by code or English name',
	});
});

test('a country is written as its system wants it', () => {
	expect(code.toRaw('CI')).toEqual(ok('CI'));
	expect(known(country('alpha-3')).toRaw('CI')).toEqual(ok('CIV'));
	expect(known(country('name')).toRaw('CI')).toEqual(ok("Côte d'Ivoire"));
});

test('each code and name means one country', () => {
	expect(lines).toHaveLength(250);
	for (const line of lines) {
		const [alpha2 = '', alpha3 = '', ...name] = (line.split(' = ')[0] ?? '').split(' ');
		expect([alpha2, alpha3]).toEqual([
			expect.stringMatching(/^[A-Z]{2}$/),
			expect.stringMatching(/^[A-Z]{3}$/),
		]);
		for (const way of [alpha2, alpha3, name.join(' '), ...line.split(' = ').slice(1)]) {
			expect([way, code.toCanon(way)]).toEqual([way, ok(alpha2)]);
		}
	}
});

test('states are read by code or name, in their own country', () => {
	const ofUs = known(state('US'));
	const named = known(state('CA', 'name'));
	expect(['NY', 'new york', ' New  York '].map(ofUs.toCanon)).toEqual(Array(3).fill(ok('NY')));
	expect(ofUs.toCanon('Washington, D.C.')).toEqual(ok('DC'));
	expect(ofUs.toCanon('Washington')).toEqual(ok('WA'));
	expect(ofUs.toCanon('Ontario')).toEqual({
		ok: false,
		reason: 'is not a state of US by code or name',
	});
	expect(named.toCanon('Québec')).toEqual(ok('QC'));
	expect(named.toRaw('QC')).toEqual(ok('Quebec'));
	expect(known(state('AU')).toCanon('New South Wales')).toEqual(ok('NSW'));
	expect(state('DE')).toBeUndefined();
});
