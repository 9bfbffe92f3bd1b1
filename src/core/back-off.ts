/** How long to wait between attempts at something that may succeed later. */
export interface BackOff {
	/** Attempts that failed so far: 1 after the first. */
	readonly failed: number;
	/** The longest wait after the first failure; it doubles with each further one. */
	readonly firstMs: number;
	/** No wait is longer, unless the other side asks for it. */
	readonly maxMs: number;
	/** What the other side asked for (Retry-After), in milliseconds; null or absent: nothing. */
	readonly askedMs?: number | null | undefined;
}

/** Any greatest wait is reached long before; infinity times a chance of 0 is no number. */
const MAX_DOUBLINGS = 60;

/**
 * The wait before the next attempt, in milliseconds: any time up to an exponentially growing limit ("full jitter"), so
 * that many that failed together do not come back together. What the other side asks for is waited for in full, and the
 * spread comes on top of it: all who were turned away at once would be back at the same moment otherwise.
 *
 * @param chance - 0 to 1
 */
export function waitBefore({ failed, firstMs, maxMs, askedMs }: BackOff, chance: number): number {
	const doublings = Math.min(MAX_DOUBLINGS, Math.max(0, failed - 1));
	const limit = Math.min(maxMs, firstMs * 2 ** doublings);
	return Math.max(0, askedMs ?? 0) + chance * limit;
}
