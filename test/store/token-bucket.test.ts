import * as fc from 'fast-check';

import { type Bucket, paused, takeFrom } from '../../src/store/token-bucket';

const rate = { capacity: 5, perSecond: 2 };
/** Wishes and the milliseconds before each, some of them pauses. */
const wishes = fc.array(
	fc.record({ wanted: fc.integer({ min: 1, max: 9 }), afterMs: fc.nat(3_000), pauseMs: fc.option(fc.nat(4_000), { freq: 8 }) }),
	{ maxLength: 30 },
);

function play(steps: readonly { wanted: number; afterMs: number; pauseMs: number | null }[]) {
	let bucket: Bucket | undefined;
	let nowMs = 0;
	return steps.map(({ wanted, afterMs, pauseMs }) => {
		nowMs += afterMs;
		if (pauseMs !== null) bucket = paused(bucket, pauseMs, nowMs);
		const taken = takeFrom(bucket, { wanted, rate }, nowMs);
		({ bucket } = taken);
		return { ...taken, wanted, nowMs };
	});
}

test('in no stretch of time more is given than the capacity and what came back meanwhile', () => {
	fc.assert(
		fc.property(wishes, (steps) => {
			const played = play(steps);
			for (let from = 0; from < played.length; from++) {
				let given = 0;
				for (const { granted, nowMs } of played.slice(from)) {
					given += granted;
					const passed = (nowMs - played[from]!.nowMs) / 1_000;
					expect(given).toBeLessThanOrEqual(rate.capacity + passed * rate.perSecond + 0.001);
				}
			}
		}),
	);
});

test('who wants more than is there is told when one more is, and it is there then and not before', () => {
	fc.assert(
		fc.property(wishes, (steps) => {
			for (const { bucket, granted, wanted, waitMs, nowMs } of play(steps)) {
				expect(waitMs > 0).toBe(granted < wanted);
				if (waitMs <= 0) continue;
				// A pause ends with an empty bucket: then there is none yet, but the next wait says so.
				const isPaused = bucket.pausedUntilMs > nowMs;
				const one = (ms: number) => takeFrom(bucket, { wanted: 1, rate }, nowMs + ms).granted;
				expect(one(waitMs)).toBe(isPaused ? 0 : 1);
				expect(one(waitMs * 0.99 - 1)).toBe(0);
			}
		}),
	);
});

test('nothing is given during a pause', () => {
	const bucket = paused(undefined, 1_000, 0);
	expect(takeFrom(bucket, { wanted: 1, rate: null }, 999)).toMatchObject({ granted: 0, waitMs: 1 });
	expect(takeFrom(bucket, { wanted: 1, rate: null }, 1_000)).toMatchObject({ granted: 1, waitMs: 0 });
});

test('a clock that goes back gives no tokens and takes none', () => {
	const { bucket } = takeFrom(undefined, { wanted: 2, rate }, 10_000);
	const back = takeFrom(bucket, { wanted: 9, rate }, 5_000);
	expect(back.granted).toBe(3);
	expect(takeFrom(back.bucket, { wanted: 1, rate }, 5_500).granted).toBe(1);
});
