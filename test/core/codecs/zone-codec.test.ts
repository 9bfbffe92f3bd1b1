import fc from 'fast-check';
import type { Codec } from '../../../src/core/codecs/codec';
import { datetime } from '../../../src/core/codecs/zone-codec';

const ok = (value: string) => ({ ok: true, value });

function wallOf(zone: string): Codec {
	const codec = datetime(zone);
	if (!codec) throw new Error(`no zone ${zone}`);
	return codec;
}

const newYork = wallOf('America/New_York');

test('wall time becomes UTC and comes back, to the microsecond', () => {
	expect(newYork.toCanon('2024-01-31 23:30:00.123456')).toEqual(ok('2024-02-01T04:30:00.123456Z'));
	expect(newYork.toRaw('2024-02-01T04:30:00.123456Z')).toEqual(ok('2024-01-31T23:30:00.123456'));
	expect(newYork.toCanon('2024-07-01 12:00:00')).toEqual(ok('2024-07-01T16:00:00Z'));
	expect(wallOf('Asia/Kathmandu').toCanon('2024-01-01 00:00')).toEqual(ok('2023-12-31T18:15:00Z'));
});

test('a text with a zone is the moment it names', () => {
	expect(newYork.toCanon('2024-01-31T10:00:00+01:00')).toEqual(ok('2024-01-31T09:00:00Z'));
	expect(newYork.toCanon('2024-01-31T10:00:00Z')).toEqual(ok('2024-01-31T10:00:00Z'));
});

test('a time that the clocks skip is read with the offset before the change', () => {
	expect(newYork.toCanon('2024-03-10 02:30:00')).toEqual(ok('2024-03-10T07:30:00Z'));
	expect(newYork.toRaw('2024-03-10T07:30:00Z')).toEqual(ok('2024-03-10T03:30:00'));
});

test('a day that the clocks skip is no different', () => {
	expect(wallOf('Pacific/Apia').toCanon('2011-12-30 12:00:00')).toEqual(ok('2011-12-30T22:00:00Z'));
});

test('a repeated time is read with the offset after the change, and the other moment is refused', () => {
	expect(newYork.toCanon('2024-11-03 01:30:00')).toEqual(ok('2024-11-03T06:30:00Z'));
	expect(newYork.toRaw('2024-11-03T06:30:00Z')).toEqual(ok('2024-11-03T01:30:00'));
	expect(newYork.toRaw('2024-11-03T05:30:00Z')).toEqual({
		ok: false,
		reason: 'falls into the hour that the clocks repeat, which a column without zone cannot say',
	});
});

test('local mean time has seconds', () => {
	expect(newYork.toCanon('1850-01-01 00:00:00')).toEqual(ok('1850-01-01T04:56:02Z'));
});

test('infinity has no zone, and the last years of the calendar are not known', () => {
	expect(newYork.toCanon('infinity')).toEqual(ok('infinity'));
	expect(newYork.toCanon('290000-01-01 00:00:00')).toEqual({
		ok: false,
		reason: 'is in a year for which the time zone is not known',
	});
	expect(newYork.toCanon('yesterday')).toMatchObject({ ok: false });
	expect(newYork.toCanon(1706700000)).toMatchObject({ ok: false });
});

test.each(['', 'Mars/Olympus', '+02:00', 'Europe/Berlin\n', '__proto__'])(
	'%j is no zone',
	(zone) => {
		expect(datetime(zone)).toBeUndefined();
	},
);

test('every moment is either refused or comes back from the column', () => {
	const zones = ['America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Europe/Dublin'];
	const codecs = zones.map(wallOf);
	const second = fc.integer({ min: -4_000_000_000, max: 4_000_000_000 });
	fc.assert(
		fc.property(fc.constantFrom(...codecs), second, (codec, at) => {
			const canon = new Date(at * 1000).toISOString().replace('.000Z', 'Z');
			const written = codec.toRaw(canon);
			if (written.ok) expect(codec.toCanon(written.value)).toEqual(ok(canon));
		}),
		{ numRuns: 1_000 },
	);
});
