import fc from 'fast-check';
import { compareVersions, isComparable } from '../../src/core/record-version';

test.each([
	['2', '10', 'older'],
	['10', '2', 'newer'],
	['007', '7', 'same'],
	['18446744073709551616', '18446744073709551615', 'newer'],
	['2026-01-31T12:00:00Z', '2026-01-31T13:00:00+01:00', 'same'],
	['2026-01-31T12:00:00.1Z', '2026-01-31T12:00:00.12Z', 'older'],
	['2026-01-31T12:00:00.123456789Z', '2026-01-31T12:00:00.123456Z', 'same'],
	['2026-01-31', '2026-02-01', 'older'],
	['7', '2026-01-31', 'unknown'],
	['abc', 'abd', 'unknown'],
	['abc', 'abc', 'same'],
] as const)('%s is to %s: %s', (a, b, order) => {
	expect(compareVersions(a, b)).toBe(order);
});

test('versions that cannot be compared are known beforehand', () => {
	expect(['12', '2026-01-31T12:00:00Z', 'W/"3"', '', '-1'].map(isComparable)).toEqual([true, true, false, false, false]);
});

test('the order of two versions turns round with them, and counts as numbers do', () => {
	const version = fc.oneof(
		fc.bigInt({ min: 0n, max: 2n ** 80n }).map(String),
		fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
		fc.string(),
	);
	const turned = { older: 'newer', newer: 'older', same: 'same', unknown: 'unknown' };
	fc.assert(fc.property(version, version, (a, b) => expect(compareVersions(a, b)).toBe(turned[compareVersions(b, a)])));
	const number = fc.bigInt({ min: 0n, max: 2n ** 80n });
	fc.assert(fc.property(number, number, (a, b) => expect(compareVersions(String(a), String(b)) === 'older').toBe(a < b)));
});
