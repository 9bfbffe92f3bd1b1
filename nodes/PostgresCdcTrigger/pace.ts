/** How long after an execution a change still counts as part of the same stir. */
const IDLE_MS = 1_000;
/** The wait grows up to this many times the set one. */
const MAX_FACTOR = 5;

/**
 * Decides how long changes are gathered before they are handed to an execution, which costs the same
 * whether it gets one change or hundreds. Pure: times are arguments.
 *
 * - The first change after a second of quiet is not held back at all.
 * - Changes in quick succession wait for `maxWaitMs`, and for longer, up to five times that, as long
 *   as executions stay small: a trickle of single changes costs two executions a second, not ten.
 * - Under load the wait does not matter: a full batch goes at once.
 */
export class Pace {
	#waitMs = 0;
	#endedMs = Number.NEGATIVE_INFINITY;
	#wasSmall = false;

	constructor(
		private readonly limits: { readonly maxWaitMs: number; readonly maxChanges: number },
	) {}

	/** How long to gather after the first change of a batch, if that came now. */
	waitMs(nowMs: number): number {
		if (nowMs - this.#endedMs >= IDLE_MS) return 0;
		const { maxWaitMs } = this.limits;
		if (!this.#wasSmall) return maxWaitMs;
		return Math.min(Math.max(maxWaitMs, 2 * this.#waitMs), MAX_FACTOR * maxWaitMs);
	}

	/** An execution with so many changes, gathered for `waitedMs`, has ended. */
	ran({ changes, waitedMs, nowMs }: { changes: number; waitedMs: number; nowMs: number }): void {
		this.#endedMs = nowMs;
		this.#waitMs = waitedMs;
		this.#wasSmall = changes < this.limits.maxChanges / 10;
	}
}
