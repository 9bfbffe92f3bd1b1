import { setTimeout as wait } from 'node:timers/promises';

/** Another worker commits the same link once in a while; eight times in a row it does not. */
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 5;

/**
 * Runs a load–think–commit step until nobody else was faster.
 *
 * @param attempt - returns null to be run again; must not when `isLast`
 */
export async function retryContended<T>(attempt: (isLast: boolean) => Promise<T | null>): Promise<T> {
	for (let tried = 1; ; tried += 1) {
		const result = await attempt(tried >= MAX_ATTEMPTS);
		if (result !== null) return result;
		// Jittered, or two workers that met once meet again each time.
		await wait(Math.random() * FIRST_PAUSE_MS * 2 ** tried);
	}
}
