import type { INodeExecutionData, IRun, ITriggerFunctions } from 'n8n-workflow';

import type { ChangeEvent } from '../../src/core/change-event';

/** The slice of the trigger's context that runs workflows, so that a test can hand over a plain object. */
export interface Emitter {
	emit: ITriggerFunctions['emit'];
	readonly helpers: Pick<ITriggerFunctions['helpers'], 'createDeferredPromise'>;
}

/**
 * How an execution ended: n8n's status ('success', 'error', 'canceled' …), 'timeout' when n8n ended
 * it for that, 'unknown' when it said nothing, 'stopped' when the trigger was to stop meanwhile.
 */
export type RunEnd = IRun['status'] | 'timeout' | 'unknown' | 'stopped';

/** How long an execution that runs when the trigger is to stop may still take. */
const DEFAULT_GRACE_MS = 8_000;

/** Runs the workflow. Never after `stop`: n8n would run it although it was deactivated. */
export class WorkflowRuns {
	constructor(
		private readonly n8n: Emitter,
		private readonly stop: AbortSignal,
		private readonly graceMs = DEFAULT_GRACE_MS,
	) {}

	/** Runs the workflow once with these events as items and waits for the end, whatever it is. */
	async run(events: readonly ChangeEvent[]): Promise<RunEnd> {
		if (this.stop.aborted) return 'stopped';
		const done = this.n8n.helpers.createDeferredPromise<IRun>();
		const end = done.promise.then(
			// A duplicate, by n8n's own count, has no run.
			(run: IRun | undefined): RunEnd => run?.status ?? 'unknown',
			(): RunEnd => 'timeout',
		);
		// Copies: a node may change its items in place, and these events may be emitted again.
		const items = structuredClone(events).map((event) => ({
			json: event as INodeExecutionData['json'],
		}));
		this.n8n.emit([items], undefined, done);
		return await this.#orGrace(end);
	}

	async #orGrace(end: Promise<RunEnd>): Promise<RunEnd> {
		let timer: NodeJS.Timeout | undefined;
		let onStop: (() => void) | undefined;
		const grace = new Promise<RunEnd>((resolve) => {
			onStop = () => {
				timer = setTimeout(() => resolve('stopped'), this.graceMs);
			};
			this.stop.addEventListener('abort', onStop, { once: true });
		});
		try {
			return await Promise.race([end, grace]);
		} finally {
			clearTimeout(timer);
			if (onStop) this.stop.removeEventListener('abort', onStop);
		}
	}
}
