import fc from 'fast-check';
import { isPosition, lsnOfPosition, positionOf, STREAM_START, lineageOf, MAX_LINEAGE, withoutLineage } from '../../src/core/position';

const place = fc.record({
	lsn: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 20n })),
	index: fc.oneof(fc.nat({ max: 99_999_999 }), fc.nat({ max: 20 })),
});

test('a position is written with fixed width', () => {
	expect(positionOf(0x1a2b3c4n, 2)).toBe('00000000/01A2B3C4:00000002');
	expect(positionOf(0x16_b374d848n, 0)).toBe('00000016/B374D848:00000000');
	expect(positionOf(2n ** 64n - 1n, 99_999_999)).toBe('FFFFFFFF/FFFFFFFF:99999999');
});

test('comparing texts compares commit LSNs first and places in the transaction second', () => {
	fc.assert(
		fc.property(place, place, (a, b) => {
			const isBefore = a.lsn < b.lsn || (a.lsn === b.lsn && a.index < b.index);
			expect(positionOf(a.lsn, a.index) < positionOf(b.lsn, b.index)).toBe(isBefore);
		}),
	);
});

test('the tenth event of a transaction comes after its ninth', () => {
	expect(positionOf(1n, 9) < positionOf(1n, 10)).toBe(true);
	expect(positionOf(0x9n, 0) < positionOf(0xan, 0)).toBe(true);
});

test('nothing comes before the start of a stream', () => {
	fc.assert(fc.property(place, ({ lsn, index }) => positionOf(lsn, index) >= STREAM_START));
	expect(positionOf(0n, 0)).toBe(STREAM_START);
});

test('the commit LSN and the lineage can be read back from a position', () => {
	fc.assert(
		fc.property(place, fc.nat(MAX_LINEAGE), ({ lsn, index }, lineage) => {
			const position = positionOf(withoutLineage(lsn), index, lineage);
			expect(isPosition(position)).toBe(true);
			expect([lsnOfPosition(position), lineageOf(position)]).toEqual([withoutLineage(lsn), lineage]);
		}),
	);
});

test('every place of a lineage comes after all of the one before', () => {
	const last = positionOf(withoutLineage(-1n), 99_999_999, 6);
	expect(positionOf(0n, 0, 7) > last).toBe(true);
});

test.each([
	'',
	'0/1A2B3C4',
	'00000000/01a2b3c4:00000002',
	'00000000/01A2B3C4',
	'00000000/01A2B3C4:2',
	'00000000/01A2B3C4:00000002\n',
	'x00000000/01A2B3C4:00000002',
])('"%s" is no position', (text) => {
	expect(isPosition(text)).toBe(false);
});

test.each([-1, 0.5, NaN, 100_000_000])('an event index of %p is refused, not cut', (index) => {
	expect(() => positionOf(1n, index)).toThrow(RangeError);
});
