import * as fc from 'fast-check';

import { waitBefore } from '../../src/core/back-off';

const limits = { firstMs: 1_000, maxMs: 60_000 };
const chance = fc.double({ min: 0, max: 1, noNaN: true });

test('the longest wait doubles with each failure, up to the greatest one', () => {
	const longest = [1, 2, 3, 4, 5, 6, 7, 8, 2_000].map((failed) => waitBefore({ ...limits, failed }, 1));
	expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('any wait below the longest is as likely as any other', () => {
	fc.assert(
		fc.property(chance, fc.integer({ min: 1, max: 99 }), (drawn, failed) => {
			const longest = waitBefore({ ...limits, failed }, 1);
			expect(waitBefore({ ...limits, failed }, drawn)).toBeCloseTo(drawn * longest);
		}),
	);
});

test('what the other side asks for is waited for in full, and not by all until the same moment', () => {
	fc.assert(
		fc.property(chance, fc.integer({ min: 1, max: 99 }), fc.nat(7_200_000), (drawn, failed, askedMs) => {
			const wait = waitBefore({ ...limits, failed, askedMs }, drawn);
			expect(wait).toBeGreaterThanOrEqual(askedMs);
			expect(wait).toBeLessThanOrEqual(askedMs + limits.maxMs);
			expect(waitBefore({ ...limits, failed, askedMs }, 1)).toBeGreaterThan(askedMs);
		}),
	);
});

test('a wait that was asked for in the past is none', () => {
	expect(waitBefore({ ...limits, failed: 1, askedMs: -5_000 }, 0)).toBe(0);
	expect(waitBefore({ ...limits, failed: 1, askedMs: null }, 0.5)).toBe(500);
});
