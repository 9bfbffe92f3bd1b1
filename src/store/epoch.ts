/** Midnight of 2020-01-01 UTC: epochs are minutes since then, which an integer holds for four thousand years. */
export const EPOCHS_BEGAN_MS = 1_577_836_800_000;

/**
 * The epoch after `current`. It is taken from the clock, because a store that went back to an older copy
 * has forgotten which epochs it has had.
 */
export function nextEpoch(current: number, nowMs: number): number {
	return Math.max(current + 1, Math.floor((nowMs - EPOCHS_BEGAN_MS) / 60_000));
}
