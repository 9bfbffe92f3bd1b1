import type { ChangeEvent } from '../../src/core/change-event';
import type { Position } from '../../src/core/position';
import { chain } from '../../src/postgres/event-envelope';
import { type BackOff, pause } from './back-off';
import type { Patience } from './patience';
import type { Progress } from './progress';
import type { RunEnd, WorkflowRuns } from './workflow-runs';

/** n8n's logger, as far as it is used here. */
export interface Log {
	debug(message: string): void;
	info(message: string): void;
	warn(message: string): void;
	error(message: string): void;
}

export interface DeliveryParts {
	readonly runs: WorkflowRuns;
	readonly progress: Progress;
	readonly patience: Patience;
	readonly backOff: BackOff;
	readonly log: Log;
	readonly stop: AbortSignal;
}

/**
 * Hands events to the workflow, one execution at a time, until all of them have been observed:
 * what was not is emitted again, after a growing pause, for as long as it takes.
 */
export class Delivery {
	constructor(private readonly parts: DeliveryParts) {}

	/** Events at or before it need not be delivered. */
	get position(): Position {
		return this.parts.progress.position;
	}

	/**
	 * @param events - in stream order, contiguous from `position` on
	 * @param onProgress - called after each execution with the position it led to
	 * @returns false when the trigger was to stop first; what was observed until then counts
	 */
	async deliver(
		events: readonly ChangeEvent[],
		onProgress: (position: Position) => Promise<void>,
	): Promise<boolean> {
		const { stop, backOff } = this.parts;
		let open = this.#unobserved(events);
		while (open.length > 0) {
			if (stop.aborted) return false;
			const end = await this.#emit(open);
			await onProgress(this.position);
			const left = this.#unobserved(open);
			if (left.length < open.length) backOff.reset();
			if (left.length > 0 && !stop.aborted) await this.#holdBack(end, left.length, open.length);
			open = left;
		}
		return true;
	}

	/** Hands over items that stand in no stream: whether they arrive does not matter here. */
	async wake(events: readonly ChangeEvent[]): Promise<void> {
		await this.parts.runs.run(events);
	}

	async #emit(events: readonly ChangeEvent[]): Promise<RunEnd> {
		const { runs, progress, patience } = this.parts;
		const end = await runs.run(chain(events, progress.keepsCount ? progress.position : null));
		const last = events.at(-1)?.source.position ?? progress.position;
		await patience.with(async () => await progress.observed(last, end));
		return end;
	}

	#unobserved(events: readonly ChangeEvent[]): readonly ChangeEvent[] {
		const first = events.findIndex(({ source }) => (source.position ?? '') > this.position);
		return first < 0 ? [] : events.slice(first);
	}

	async #holdBack(end: RunEnd, left: number, all: number): Promise<void> {
		const { progress, backOff, log, stop } = this.parts;
		const delayMs = backOff.next();
		const lost = progress.keepsCount
			? `${left} of ${all} changes never reached the Echo Filter`
			: `${all} changes were not processed successfully`;
		const why =
			end === 'success' && progress.keepsCount
				? 'The execution succeeded, so something between this trigger and Echo Filter drops items (IF, Limit, Execute Once, On Error: Continue), or Echo Filter has another policy or sync store.'
				: `The execution ended with "${end}"; its own error says why.`;
		log.warn(`${lost}. ${why} They are emitted again in ${Math.round(delayMs / 100) / 10} s.`);
		await pause(delayMs, stop);
	}
}
