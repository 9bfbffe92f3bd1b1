import { lsnOfPosition, type Position } from '../../src/core/position';
import { pause } from './back-off';
import type { Chore } from './read-stream';

export interface PollLoop {
	/** From the end of one poll to the beginning of the next. */
	readonly everyMs: number;
	readonly stop: AbortSignal;
	poll(): Promise<void>;
	/** What else is to be done; null: nothing. */
	readonly chore: Chore | null;
	/** Whether reading has to be started anew. */
	readonly isOutdated: () => boolean;
}

/** Polls until the trigger is to stop or reading has to be started anew. */
export async function pollFrom({ everyMs, stop, poll, chore, isOutdated }: PollLoop): Promise<void> {
	let nextMs = performance.now();
	while (!stop.aborted && !isOutdated()) {
		if (performance.now() >= nextMs) {
			await poll();
			nextMs = performance.now() + everyMs;
		}
		if (!stop.aborted && chore && performance.now() >= chore.dueMs) await chore.run();
		const dueMs = Math.min(nextMs, chore?.dueMs ?? nextMs);
		await pause(Math.max(0, dueMs - performance.now()), stop);
	}
}

/**
 * Where the rows of a poll stand in the order of events: at the end of the server's log, as far as anybody can tell, and
 * after everything that was handed over before. What a poll reads is one virtual transaction.
 */
export function placeOfPoll(walLsn: bigint, last: Position): bigint {
	const after = lsnOfPosition(last) + 1n;
	return walLsn > after ? walLsn : after;
}
