import fc from 'fast-check';
import { canonicalJson, equalJson, type Json } from '../../src/core/canonical-json';
import { chainCodecs, CODEC_NAMES, readCodec } from '../../src/core/codecs';
import type { Codec } from '../../src/core/codecs/codec';
import { arbitraryJson } from '../support/arbitrary-json';

/** At least one spec of every codec there is. */
const SPECS = [
	'identity',
	'trim',
	'lower',
	'email',
	'text',
	'boolean',
	'integer',
	'date',
	'timestamp',
	'json',
	'set',
	'decimal(0)',
	'decimal(2)',
	'decimal(2,round)',
	'minor-units(0)',
	'minor-units(2)',
	'minor-units(KWD)',
	'upper',
	'collapse-space',
	'nfc',
	'digits',
	'prefix(cus_)',
	'currency',
	'money(EUR)',
	'phone',
	'phone(US)',
	'phone(AR)',
	'datetime(UTC)',
	'datetime(America/New_York)',
	'datetime(Pacific/Apia)',
	'country',
	'country(alpha-3)',
	'country(name)',
	'state(US)',
	'state(CA,name)',
	'empty-as-null',
	'zero-as-null',
	'null-as(N/A)',
	'null-as()',
	'null-as(0)',
	'default(0)',
];

/** What these say about null is a matter of each of them. */
const SPEAKS_OF_NULL = /null|default/;

function codecOf(...specs: string[]): Codec {
	return chainCodecs(
		specs.map((spec) => {
			const read = readCodec(spec);
			if (!read.ok) throw new Error(read.problem);
			return read.codec;
		}),
	);
}

const pad = (width: number) => (part: number) => String(part).padStart(width, '0');
const digits = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(String);
const day = fc
	.tuple(
		fc.integer({ min: 0, max: 12000 }),
		fc.integer({ min: 0, max: 13 }),
		fc.integer({ min: 0, max: 32 }),
	)
	.map(([y, m, d]) => `${pad(4)(y)}-${pad(2)(m)}-${pad(2)(d)}`);
const clock = fc
	.tuple(
		fc.integer({ min: 0, max: 24 }),
		fc.integer({ min: 0, max: 60 }),
		fc.constantFrom('', '.5', '.123456', '.1234567'),
	)
	.map(([h, m, fraction]) => `${pad(2)(h)}:${pad(2)(m)}:00${fraction}`);
const zone = fc.constantFrom('', 'Z', '+00', '-05:00', '+05:45', '+16', ' BC', '+01:00 BC');

/** Values that each codec has something to say about, and many it has not. */
const raw: fc.Arbitrary<Json> = fc.oneof(
	arbitraryJson,
	arbitraryJson.map(canonicalJson),
	fc
		.tuple(fc.constantFrom('', ' ', '\u00a0', '\n'), fc.string({ unit: 'binary' }))
		.map(([space, text]) => space + text + space),
	fc.constantFrom('t', 'TRUE', 'off', '1', '0', 'infinity', '-infinity', 'NaN', 'İ', 'ΑΣ', 'ß'),
	digits,
	fc
		.tuple(digits, fc.bigInt({ min: 0n, max: 999n }))
		.map(([whole, fraction]) => `${whole}.${fraction}`),
	fc.tuple(day, zone).map((parts) => parts.join('')),
	fc.tuple(day, fc.constantFrom('T', ' '), clock, zone).map((parts) => parts.join('')),
	fc
		.tuple(
			fc.constantFrom('', '+', '+1', '+54 9 11 ', '0054', '(212) ', ' 15 ', '٢١٢'),
			fc.integer({ min: 0, max: 10 ** 11 }),
			fc.constantFrom('', ' x12', ';ext=007', ' ext. ٣', '#1'),
		)
		.map((parts) => parts.join('')),
	fc.constantFrom('US', 'usa', 'Türkiye', 'Turkiye', 'CÔTE D’IVOIRE', 'the Gambia', 'ＤＥ', 'DEU'),
	fc.constantFrom('NY', 'new york', 'Québec', 'QC', 'Washington, D.C.', 'EUR', ' usd', 'XAU'),
	fc.constantFrom(
		'12.50 EUR',
		'eur 3',
		'EUR1',
		'1 USD',
		'0.00',
		'N/A',
		'cus_42',
		'cus_',
		'e\u0301',
	),
	fc.constantFrom(
		'2024-03-10T02:30:00',
		'2024-11-03T01:30:00',
		'2011-12-30 12:00',
		'1883-11-18 12:03',
	),
);

const LONG = 200_000;
/** Each is hard on some search that goes back and forth. */
const LONG_TEXTS = [
	'1'.repeat(LONG),
	`2024-01-31T10:00:00.${'0'.repeat(LONG)}1`,
	`1.${'0'.repeat(LONG)}1`,
	`${' '.repeat(LONG)}x`,
	`a${' \n'.repeat(LONG / 2)}b`,
	`+1${'(2)'.repeat(LONG / 3)}`,
	'EUR '.repeat(LONG / 4),
	'e\u0301'.repeat(LONG / 2),
	'\u0301'.repeat(LONG),
	'['.repeat(LONG),
	`"${'\\'.repeat(LONG)}`,
];

test('every codec is among those tested here', () => {
	expect([...new Set(SPECS.map((spec) => spec.replace(/\(.*/, '')))].sort()).toEqual(CODEC_NAMES);
});

describe.each(SPECS.map((spec) => [spec]))('%s', (spec) => {
	const codec = codecOf(spec);

	test('reads back what it wrote as the same canonical value', () => {
		fc.assert(
			fc.property(raw, (value) => {
				const read = codec.toCanon(value);
				if (!read.ok) return;
				const written = codec.toRaw(read.value);
				expect(written).toMatchObject({ ok: true });
				const readAgain = codec.toCanon(written.ok ? written.value : null);
				expect(readAgain.ok && equalJson(readAgain.value, read.value)).toBe(true);
			}),
			{ numRuns: 300 },
		);
	});

	test('answers every value, and a refusal does not repeat it', () => {
		fc.assert(
			fc.property(raw, (value) => {
				for (const result of [codec.toCanon(value), codec.toRaw(value)]) {
					if (result.ok) canonicalJson(result.value);
					else if (typeof value === 'string' && value.length > 8)
						expect(result.reason).not.toContain(value);
				}
			}),
		);
	});

	test('reads and writes null as null', () => {
		if (SPEAKS_OF_NULL.test(spec)) return;
		expect(codec.toCanon(null)).toEqual({ ok: true, value: null });
		expect(codec.toRaw(null)).toEqual({ ok: true, value: null });
	});

	test('answers long texts within a second', () => {
		for (const text of LONG_TEXTS) {
			const started = performance.now();
			codec.toCanon(text);
			codec.toRaw(text);
			expect(performance.now() - started).toBeLessThan(1_000);
		}
	});

	test('refuses what is nested too deep for canonical JSON', () => {
		const deep = JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)) as Json;
		expect(codec.toCanon(deep)).toEqual({ ok: false, reason: 'is nested too deep' });
		expect(codec.toRaw(deep)).toEqual({ ok: false, reason: 'is nested too deep' });
	});
});

describe('codecs in a row', () => {
	test('apply in order on reading and in reverse on writing', () => {
		const codec = codecOf('trim', 'minor-units(2)');
		expect(codec.name).toBe('trim, minor-units(2)');
		expect(codec.toCanon(' 1250 ')).toEqual({ ok: true, value: '12.50' });
		expect(codec.toRaw('12.50')).toEqual({ ok: true, value: '1250' });
		expect(codecOf('json', 'minor-units(2)').toRaw('12.50')).toEqual({ ok: true, value: '"1250"' });
	});

	test('take what one of them reads as null for null', () => {
		expect(codecOf('json', 'integer').toCanon('null')).toEqual({ ok: true, value: null });
	});

	test('refuse a text that unfolds too deep', () => {
		const text = '['.repeat(5_000) + ']'.repeat(5_000);
		expect(codecOf('json').toCanon(text)).toEqual({ ok: false, reason: 'is nested too deep' });
	});

	test('are the identity when there is none', () => {
		expect(chainCodecs([]).name).toBe('identity');
		expect(chainCodecs([]).toCanon(' a')).toEqual({ ok: true, value: ' a' });
	});
});

describe('a codec spec', () => {
	test.each([
		['decimal(2)', 'decimal(2)'],
		[' decimal ( 2 , round ) ', 'decimal(2,round)'],
		['decimal(2 round)', 'decimal(2,round)'],
		['minor-units(3)', 'minor-units(3)'],
		['trim()', 'trim'],
		['decimal(JPY)', 'decimal(0)'],
		['minor-units(KWD)', 'minor-units(3)'],
		['state(US, name)', 'state(US,name)'],
		['country(alpha-2)', 'country'],
		['null-as( not known )', 'null-as(not known)'],
		['null-as()', 'null-as()'],
		['null-as', 'null-as()'],
	])('%s is read as %s', (spec, name) => {
		const read = readCodec(spec);
		expect(read.ok && read.codec.name).toBe(name);
	});

	test('with an unknown name is answered with the nearest and all known ones', () => {
		expect(readCodec('emial')).toEqual({
			ok: false,
			problem: `unknown codec "emial"; known codecs: ${CODEC_NAMES.join(', ')}; did you mean "email"?`,
		});
		expect(readCodec('xyzzy(US)')).toEqual({
			ok: false,
			problem: `unknown codec "xyzzy"; known codecs: ${CODEC_NAMES.join(', ')}`,
		});
	});

	test.each([
		'decimal',
		'decimal(x)',
		'decimal(-1)',
		'decimal(31)',
		'decimal(2,up)',
		'decimal(2,round,1)',
	])('%s is answered with the right form', (spec) => {
		expect(readCodec(spec)).toEqual({
			ok: false,
			problem: `"${spec}" has the wrong arguments; write decimal(2), decimal(2,round) or decimal(EUR)`,
		});
	});

	test.each([
		'phone(XX)',
		'phone(US, DE)',
		'datetime',
		'datetime(Mars/Olympus)',
		'datetime(+02:00)',
		'datetime(Europe/Berlin, x)',
		'country(french)',
		'state',
		'state(DE)',
		'state(US,full)',
		'money',
		'money(XAU)',
		'money(eur)',
		'minor-units(XXX)',
		'prefix()',
	])('%s is refused', (spec) => {
		expect(readCodec(spec)).toMatchObject({
			ok: false,
			problem: expect.stringMatching(/wrong arguments; write \w/),
		});
	});

	test('that takes no arguments refuses them', () => {
		expect(readCodec('trim(2)')).toEqual({
			ok: false,
			problem: '"trim(2)" has the wrong arguments; write trim',
		});
	});

	test('cut off by a comma inside YAML braces is told to be quoted', () => {
		expect(readCodec('decimal(2')).toEqual({
			ok: false,
			problem: '"decimal(2" is not of the form name(arguments); put it in quotes',
		});
	});

	test.each(['constructor', '__proto__', 'toString'])('named %s is unknown', (spec) => {
		expect(readCodec(spec)).toMatchObject({ ok: false });
	});
});
