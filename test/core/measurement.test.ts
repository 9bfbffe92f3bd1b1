import fc from 'fast-check';

import { dueForMs, SWEEP_DELAYS } from '../../src/core/due-age';
import type { Measurement } from '../../src/core/health-figures';
import { type Found, type Heartbeat, nextMeasurement } from '../../src/core/measurement';
import { foldSamples } from '../../src/core/sample-fold';

const SLOT = { name: 's', isThere: true, isActive: true, walStatus: 'reserved', lostBecause: null, retainedBytes: 1, safeBytes: null };

const found = (atMs: number, heartbeat: Partial<Heartbeat> = {}, changes: Partial<Found> = {}): Found => ({
	atMs,
	failure: null,
	slot: SLOT,
	heartbeat: { lsn: BigInt(atMs), sentMs: atMs - 100, arrivedMs: null, reached: 0n, ...heartbeat },
	...changes,
});

const after = (...all: readonly Found[]): Measurement => all.reduce<Measurement | null>(nextMeasurement, null)!;

test('a heartbeat that arrives tells how long it took', () => {
	expect(after(found(1_000, { arrivedMs: 950, reached: 1_000n })).lag).toEqual({ ms: 50, open: null, bytes: 0 });
});

test('one that does not arrive is waited for, however many follow', () => {
	const { lag } = after(found(1_000), found(2_000, { reached: 500n }), found(3_000, { reached: 900n }));
	expect(lag).toEqual({ ms: 2_100, open: { lsn: '0/3E8', sinceMs: 900 }, bytes: 2_100 });
});

test('once it has arrived the next one counts', () => {
	expect(after(found(1_000), found(2_000, { reached: 1_000n })).lag).toMatchObject({ ms: 100, open: { sinceMs: 1_900 }, bytes: 1_000 });
	expect(after(found(1_000), found(2_000, { reached: 2_000n, arrivedMs: 1_990 })).lag).toMatchObject({ ms: 90, open: null });
});

test('what cannot be measured keeps what was known, and says since when', () => {
	const measured = after(found(1_000), { atMs: 2_000, failure: 'Cannot reach it', slot: null, heartbeat: null });
	expect(measured).toMatchObject({ atMs: 2_000, failure: 'Cannot reach it', lastGoodMs: 1_000, lag: { open: { sinceMs: 900 } } });
	expect(after({ atMs: 5, failure: 'x', slot: null, heartbeat: null })).toEqual({ atMs: 5, failure: 'x', lastGoodMs: null, slot: null, lag: null });
});

test('a slot without a reader is so since the first look that found it', () => {
	const idle = { slot: { ...SLOT, isActive: false } };
	expect(after(found(1, {}, idle), found(2, {}, idle)).slot?.idleSinceMs).toBe(1);
	expect(after(found(1, {}, idle), found(2), found(3, {}, idle)).slot?.idleSinceMs).toBe(3);
});

test('a link is never said to have been due for longer than it has', () => {
	const jitter = fc.array(fc.double({ min: 0.8, max: 1.2, noNaN: true }), { maxLength: 30 });
	fc.assert(
		fc.property(jitter, fc.nat(1e6), (spread, late) => {
			// Leased each time as soon as it could be, or later.
			let wakeAtMs = 0;
			let nowMs = 0;
			for (const [wake, factor] of spread.entries()) {
				nowMs = wakeAtMs + late;
				wakeAtMs = nowMs + Math.min(SWEEP_DELAYS.maxDelayMs, SWEEP_DELAYS.delayMs * 2 ** wake) * factor;
			}
			const told = dueForMs({ wakeAtMs, wakes: spread.length }, nowMs);
			expect(told).toBeLessThanOrEqual(Math.ceil(nowMs) + 1);
			expect(dueForMs({ wakeAtMs, wakes: spread.length }, wakeAtMs + 1_000)).toBeGreaterThanOrEqual(1_000);
		}),
	);
});

test('a link that nobody offers has been due since it should have been', () => {
	expect(dueForMs({ wakeAtMs: 1_000, wakes: 0 }, 61_000)).toBe(60_000);
	expect(dueForMs({ wakeAtMs: 5_000, wakes: 0 }, 1_000)).toBe(0);
});

test('of two samples what was counted adds up, and of what was measured the worse stays', () => {
	expect(foldSamples({ changes: 2, lagSeconds: 1, queueRecords: 9 }, { changes: 3, lagSeconds: 4, level: 1 })).toEqual({ changes: 5, lagSeconds: 4, queueRecords: 9, level: 1 });
});
