import { setTimeout as wait } from 'node:timers/promises';

const FIRST_MS = 1_000;
const MAX_MS = 60_000;

export interface BackOffLimits {
	/** Default 1,000. */
	readonly firstMs?: number | undefined;
	/** Default 60,000. */
	readonly maxMs?: number | undefined;
}

/** Delays between attempts: each twice the one before, jittered, until something worked. */
export class BackOff {
	#attempts = 0;

	constructor(private readonly limits: BackOffLimits = {}) {}

	/** The next delay in milliseconds. Jittered, or many triggers would come back at the same moment. */
	next(): number {
		const { firstMs = FIRST_MS, maxMs = MAX_MS } = this.limits;
		const delay = Math.min(maxMs, firstMs * 2 ** this.#attempts);
		this.#attempts += 1;
		return delay * (0.5 + Math.random() / 2);
	}

	reset(): void {
		this.#attempts = 0;
	}
}

/** Waits, or returns at once when the trigger is to stop. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
	// The signal's error says no more than that it stopped.
	await wait(ms, undefined, { signal: stop }).catch(() => undefined);
}
