import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
	/** Default 30,000. */
	readonly timeoutMs?: number;
	/** Default 25. */
	readonly everyMs?: number;
}

/**
 * Asks until the answer is neither `undefined` nor `false`.
 *
 * @param what - Completes "waited in vain for ...".
 * @returns that answer.
 */
export async function waitUntil<T>(
	what: string,
	ask: () => Promise<T | undefined | false> | T | undefined | false,
	{ timeoutMs = 30_000, everyMs = 25 }: WaitOptions = {},
): Promise<T> {
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		const answer = await ask();
		if (answer !== undefined && answer !== false) return answer;
		if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
		await sleep(everyMs);
	}
}
