export interface Rate {
	/** How many may be taken at once, after a rest. */
	readonly capacity: number;
	/** How many come back in a second. */
	readonly perSecond: number;
}

export interface TakeRequest {
	/** Any text. */
	readonly bucket: string;
	readonly wanted: number;
	/** Null: as many as are wanted, unless the bucket is paused. */
	readonly rate: Rate | null;
}

export interface Taken {
	readonly granted: number;
	/** Until a further token can be had; 0 when all that were wanted were granted. */
	readonly waitMs: number;
}

/** A bucket at a point in time; absent where nothing was ever taken from it. */
export interface Bucket {
	readonly tokens: number;
	/** When it held that many. */
	readonly atMs: number;
	/** Nothing is to be had before. */
	readonly pausedUntilMs: number;
}

/**
 * Takes up to `wanted` whole tokens out of a bucket. A bucket without a rate is never empty, but nothing is had from it
 * while it is paused.
 *
 * @returns the bucket afterwards, and in how many milliseconds a further token can be had
 */
export function takeFrom(
	bucket: Bucket | undefined,
	{ wanted, rate }: { wanted: number; rate: Rate | null },
	nowMs: number,
): { bucket: Bucket; granted: number; waitMs: number } {
	const before = bucket ?? { tokens: rate?.capacity ?? 0, atMs: nowMs, pausedUntilMs: 0 };
	const { tokens, atMs, pausedUntilMs } = before;
	if (pausedUntilMs > nowMs) return { bucket: before, granted: 0, waitMs: pausedUntilMs - nowMs };
	if (!rate) return { bucket: { ...before, atMs: nowMs }, granted: wanted, waitMs: 0 };
	const { capacity, perSecond } = rate;
	// A clock that goes back gives no tokens, and takes none.
	const there = Math.min(capacity, tokens + (Math.max(0, nowMs - atMs) / 1_000) * perSecond);
	const granted = Math.min(wanted, Math.floor(there + ROUNDING));
	const left = Math.max(0, there - granted);
	const waitMs = granted < wanted ? ((1 - left) / perSecond) * 1_000 : 0;
	return { bucket: { ...before, tokens: left, atMs: nowMs }, granted, waitMs };
}

/** Of a refill: a bucket that was waited for as long as it said is not to lack a billionth of a token. */
const ROUNDING = 1e-6;

/** Lets nothing be had for so long; it begins empty then, so that those who waited do not all come at once. */
export function paused(bucket: Bucket | undefined, forMs: number, nowMs: number): Bucket {
	const untilMs = nowMs + forMs;
	if (bucket && bucket.pausedUntilMs >= untilMs) return bucket;
	return { tokens: 0, atMs: untilMs, pausedUntilMs: untilMs };
}
