import fc from 'fast-check';
import { date, timestamp } from '../../../src/core/codecs/time-codecs';

const ok = (value: string) => ({ ok: true, value });
const NO_SUCH_TIME = { ok: false, reason: 'is a date or time that does not exist' };

test.each([
	['2024-01-31T10:00:00.123456', '2024-01-31T10:00:00.123456Z'],
	['2024-01-31 10:00:00.120000+00', '2024-01-31T10:00:00.12Z'],
	['2024-01-31T23:30:00-05:00', '2024-02-01T04:30:00Z'],
	['2024-03-01T00:15:00+05:45', '2024-02-29T18:30:00Z'],
	['2024-01-31t10:00z', '2024-01-31T10:00:00Z'],
	['2024-01-31', '2024-01-31T00:00:00Z'],
	['1900-01-01T00:00:00+00:19:32', '1899-12-31T23:40:28Z'],
	['0044-03-15 10:00:00+00 BC', '0044-03-15T10:00:00Z BC'],
	['0001-01-01T00:30:00+01', '0001-12-31T23:30:00Z BC'],
	['294276-12-31T23:59:59.999999Z', '294276-12-31T23:59:59.999999Z'],
	['infinity', 'infinity'],
	['-infinity', '-infinity'],
])('timestamp reads %s as %s', (raw, canon) => {
	expect(timestamp.toCanon(raw)).toEqual(ok(canon));
});

test.each([
	'2023-02-29T00:00:00Z',
	'1900-02-29T00:00:00Z',
	'2024-04-31T00:00:00Z',
	'2024-13-01T00:00:00Z',
	'2024-00-10T00:00:00Z',
	'2024-01-00T00:00:00Z',
	'0000-01-01T00:00:00Z',
	'2024-01-01T24:00:00Z',
	'2024-01-01T10:60:00Z',
	'2024-01-01T10:00:60Z',
	'2024-01-01T10:00:00+24:00',
])('timestamp refuses %s', (raw) => {
	expect(timestamp.toCanon(raw)).toEqual(NO_SUCH_TIME);
});

test('timestamp refuses what is finer than a microsecond, but not zeros', () => {
	expect(timestamp.toCanon('2024-01-01T10:00:00.1234567Z')).toEqual({
		ok: false,
		reason: 'is finer than a microsecond',
	});
	expect(timestamp.toCanon('2024-01-01T10:00:00.123456000Z')).toEqual(
		ok('2024-01-01T10:00:00.123456Z'),
	);
});

test.each([['31/01/2024'], ['now'], [''], [1706695200], ['20240131T100000Z']])(
	'timestamp refuses %j',
	(raw) => {
		expect(timestamp.toCanon(raw)).toEqual({
			ok: false,
			reason: 'is not a date or timestamp in ISO 8601 form',
		});
	},
);

test('timestamp agrees with ECMAScript about every moment and zone', () => {
	// The years 1 to 9999, which both write with four digits.
	const moments = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
	const zones = fc.integer({ min: -15 * 60, max: 15 * 60 });
	fc.assert(
		fc.property(moments, zones, (ms, minutes) => {
			const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1);
			fc.pre(/^\d{4}-/.test(local) && !local.startsWith('0000')); // The zone may lead out of these years.
			const size = Math.abs(minutes);
			const pair = (part: number) => String(Math.floor(part)).padStart(2, '0');
			const read = timestamp.toCanon(
				`${local}${minutes < 0 ? '-' : '+'}${pair(size / 60)}:${pair(size % 60)}`,
			);
			expect(read.ok && Date.parse(String(read.value))).toBe(ms);
		}),
	);
});

test.each([
	['2024-02-29', '2024-02-29'],
	['2000-02-29', '2000-02-29'],
	['2024-01-31T00:00:00.000', '2024-01-31'],
	['2024-01-31 00:00:00+00', '2024-01-31'],
	['5874897-12-31', '5874897-12-31'],
	['4713-01-01 BC', '4713-01-01 BC'],
	['0005-02-29 BC', '0005-02-29 BC'],
	['infinity', 'infinity'],
])('date reads %s as %s', (raw, canon) => {
	expect(date.toCanon(raw)).toEqual(ok(canon));
});

test.each(['2024-01-31T10:00:00', '2024-01-31T00:00:00+01:00', '2024-01-31T00:00:00.000001Z'])(
	'date refuses %s instead of dropping its time',
	(raw) => {
		expect(date.toCanon(raw)).toEqual({
			ok: false,
			reason: 'has a time of day, so it is not a date',
		});
	},
);

test('date refuses days that no calendar has', () => {
	expect(['2023-02-29', '2024-02-30', '0004-02-29 BC', '0000-01-01'].map(date.toCanon)).toEqual(
		Array(4).fill(NO_SUCH_TIME),
	);
});
