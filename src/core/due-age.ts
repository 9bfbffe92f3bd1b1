/** How soon a due link is offered again after it was offered in vain: the first delay, which doubles, and the longest. */
export const SWEEP_DELAYS = { delayMs: 2_000, maxDelayMs: 300_000 } as const;

/** A due link: when it is offered next, and how often it has been since its last commit. */
export interface Offered {
	readonly wakeAtMs: number;
	readonly wakes: number;
}

/** Delays are spread by a fifth either way. */
const SHORTEST = 0.8;

/**
 * How long a link has been due at least. Nobody notes when a link became due, for that would cost every commit; but it
 * was offered `wakes` times, each after a delay that is known, and a link that nobody offers stands at the time when it
 * should have been.
 */
export function dueForMs({ wakeAtMs, wakes }: Offered, nowMs: number): number {
	const { delayMs, maxDelayMs } = SWEEP_DELAYS;
	const doublings = Math.ceil(Math.log2(maxDelayMs / delayMs));
	const growing = Math.min(wakes, doublings);
	const delays = delayMs * (2 ** growing - 1) + maxDelayMs * (wakes - growing);
	return Math.max(0, Math.round(nowMs - wakeAtMs + SHORTEST * delays));
}
