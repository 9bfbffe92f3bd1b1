import fc from 'fast-check';

import { SyncError } from '../../src/core/errors';
import { compareLsn, formatLsn, parseLsn } from '../../src/core/lsn';

// Half of them near the edges at which a 32-bit half or a double would break.
const lsn = fc.oneof(
	fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
	fc.constantFrom(0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 53n + 1n, 0xffff_ffff_ffff_ffffn),
);

test('a log position reads as Postgres prints it', () => {
	expect(parseLsn('0/16B3748')).toBe(0x16b3748n);
	expect(parseLsn('16/B374D848')).toBe(0x16_b374_d848n);
	expect(formatLsn(0x16_b374_d848n)).toBe('16/B374D848');
	expect(formatLsn(0x1_0000_0001n)).toBe('1/1');
});

test('reading what was written gives the same position', () => {
	fc.assert(fc.property(lsn, (value) => expect(parseLsn(formatLsn(value))).toBe(value)));
});

test('positions are ordered as numbers, not as texts', () => {
	fc.assert(
		fc.property(lsn, lsn, (a, b) => {
			expect(compareLsn(a, b)).toBe(-compareLsn(b, a) + 0);
			expect(compareLsn(a, b) < 0).toBe(a < b);
		}),
	);
	expect(compareLsn(parseLsn('9/0'), parseLsn('A/0'))).toBe(-1);
	expect(compareLsn(parseLsn('9/0'), parseLsn('10/0'))).toBe(-1);
});

test.each(['', '0', '0/', '/0', '0/123456789', 'x/0', '0/0 ', ' 0/0', '-1/0', '0/0\n'])(
	'%j is refused',
	(text) => {
		expect(() => parseLsn(text)).toThrow(expect.objectContaining({ code: 'NOT_AN_LSN' }));
	},
);

test('numbers that no log has are refused', () => {
	expect(() => formatLsn(-1n)).toThrow(SyncError);
	expect(() => formatLsn(2n ** 64n)).toThrow(SyncError);
});
