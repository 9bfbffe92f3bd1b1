import { SyncError } from '../../src/core/errors';
import { type BackOffLimits, BackOff, pause } from './back-off';
import type { Log } from './deliver';

/** Repeats what failed for a transient reason, so that an outage of the sync store tears nothing down. */
export class Patience {
	constructor(
		private readonly log: Log,
		private readonly stop: AbortSignal,
		private readonly limits: BackOffLimits = {},
	) {}

	/**
	 * @throws what `work` throws when it is not transient, or when the trigger is to stop
	 */
	async with<T>(work: () => Promise<T>): Promise<T> {
		const backOff = new BackOff(this.limits);
		for (;;) {
			const attempt = work();
			const error = await attempt.then(
				() => null,
				(reason: unknown) => reason,
			);
			if (!isTransient(error) || this.stop.aborted) return await attempt;
			const delayMs = backOff.next();
			this.log.warn(`${error.message}. Trying again in ${Math.round(delayMs / 100) / 10} s.`);
			await pause(delayMs, this.stop);
		}
	}
}

/** Whether trying again later can succeed without anybody doing anything. */
export function isTransient(error: unknown): error is SyncError {
	return error instanceof SyncError && error.action === 'retry';
}
