import { setTimeout as wait } from 'node:timers/promises';

import { waitBefore } from '../../src/core/back-off';

const FIRST_MS = 1_000;
const MAX_MS = 60_000;

export interface BackOffLimits {
	/** Default 1,000. */
	readonly firstMs?: number | undefined;
	/** Default 60,000. */
	readonly maxMs?: number | undefined;
}

/** Delays between attempts: up to twice as long each time, until something worked. See `waitBefore`. */
export class BackOff {
	#failed = 0;

	constructor(private readonly limits: BackOffLimits = {}) {}

	/** The next delay in milliseconds. */
	next(): number {
		const { firstMs = FIRST_MS, maxMs = MAX_MS } = this.limits;
		this.#failed += 1;
		return waitBefore({ failed: this.#failed, firstMs, maxMs }, Math.random());
	}

	reset(): void {
		this.#failed = 0;
	}
}

/** Waits, or returns at once when the trigger is to stop. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
	// The signal's error says no more than that it stopped.
	await wait(ms, undefined, { signal: stop }).catch(() => undefined);
}
