import type { ITriggerFunctions, NodeOperationError } from 'n8n-workflow';

import { SyncError } from '../../src/core/errors';
import { BackOff, type BackOffLimits, pause } from './back-off';
import type { Log } from './deliver';
import { isTransient } from './patience';
import type { Emitter } from './workflow-runs';

/** The slice of n8n's trigger context that a running trigger needs. */
export interface TriggerHost extends Emitter {
	emitError: ITriggerFunctions['emitError'];
	/** Absent in older versions of n8n. */
	saveFailedExecution?: ITriggerFunctions['saveFailedExecution'] | undefined;
	readonly logger: Log;
}

/** What a trigger does between its start and its end. `P` is what it must know beforehand. */
export interface Reader<P> {
	/** Finds out how reading starts. Changes nothing. @param isThorough - as at an activation */
	prepare(isThorough: boolean): Promise<P>;
	/** Reads until `stop`, or until everything has to be prepared anew. */
	read(prepared: P, stop: AbortSignal): Promise<void>;
	/** Gives back what `prepare` opened. Nothing is called afterwards. */
	release(): void;
	/** What n8n shows for an error. */
	asNodeError(error: unknown): NodeOperationError;
	/** Said when the trigger has stopped; null: nothing. */
	readonly farewell: string | null;
}

export interface LifecycleOptions {
	/** Whether to wait for what is down rather than fail, as when n8n starts together with the databases. */
	readonly isPatient: boolean;
	readonly backOff?: BackOffLimits | undefined;
	/** How long `close` waits; default 15,000. */
	readonly closeTimeoutMs?: number | undefined;
}

export interface RunningTrigger {
	/** Stops emitting at once, waits for the end of what runs, and gives the slot free. */
	close(): Promise<void>;
}

/** How long to wait at most while somebody else reads the slot: when that one dies, somebody has to go on soon. */
const MAX_BUSY_MS = 5_000;

/** A session that lasted so long was a good one: the next failure starts with a short pause again. */
const GOOD_SESSION_MS = 60_000;

/**
 * Starts reading, and keeps at it until `close`: through lost connections, busy slots, servers that
 * go down. n8n is told only of what a person has to mend, and never after `close`, for that would
 * bring a deactivated workflow back to life.
 *
 * @throws whatever keeps reading from being started, in n8n's form: the activation then fails
 */
export async function startTrigger<P>(
	reader: Reader<P>,
	host: TriggerHost,
	options: LifecycleOptions,
): Promise<RunningTrigger> {
	const lifecycle = new Lifecycle(reader, host, options);
	await lifecycle.start();
	return lifecycle;
}

class Lifecycle<P> implements RunningTrigger {
	readonly #stop = new AbortController();
	readonly #backOff: BackOff;
	readonly #whileBusy: BackOff;
	/** What was last said about somebody else's reading the slot. */
	#lastBusy = '';
	#running: Promise<void> = Promise.resolve();
	#lastReport = '';

	constructor(
		private readonly reader: Reader<P>,
		private readonly host: TriggerHost,
		private readonly options: LifecycleOptions,
	) {
		const { backOff } = options;
		this.#backOff = new BackOff(backOff);
		this.#whileBusy = new BackOff({ ...backOff, maxMs: Math.min(MAX_BUSY_MS, backOff?.maxMs ?? MAX_BUSY_MS) });
	}

	async start(): Promise<void> {
		const prepared = await this.#prepareFirst();
		// Nobody awaits it before `close`, and a rejection that nobody handles would end n8n.
		this.#running = this.#run(prepared).catch((error: unknown) => {
			this.host.logger.error(`The trigger ended: ${messageOf(error)}`);
		});
	}

	async close(): Promise<void> {
		this.#stop.abort();
		const { closeTimeoutMs = 15_000 } = this.options;
		const isOver = new AbortController();
		void this.#running.then(() => isOver.abort());
		await pause(closeTimeoutMs, isOver.signal);
		if (!isOver.signal.aborted)
			this.host.logger.warn(`The trigger has not come to its end in ${closeTimeoutMs / 1_000} s`);
		this.reader.release();
		if (this.reader.farewell) this.host.logger.info(this.reader.farewell);
	}

	async #prepareFirst(): Promise<P | null> {
		try {
			return await this.reader.prepare(true);
		} catch (error) {
			if (!this.options.isPatient || !isTransient(error)) {
				this.reader.release();
				throw this.reader.asNodeError(error);
			}
			this.host.logger.warn(`${error.message}. The trigger keeps trying.`);
			return null;
		}
	}

	async #run(first: P | null): Promise<void> {
		const stop = this.#stop.signal;
		let prepared = first;
		while (!stop.aborted) {
			const ready = prepared ?? (await this.#prepareAgain());
			prepared = null;
			if (ready === 'over') return;
			if (ready !== 'later') await this.#read(ready);
		}
	}

	/** Once it runs, only what a person has to mend ends it; n8n then starts it anew, and shows the error. */
	async #prepareAgain(): Promise<P | 'later' | 'over'> {
		try {
			return await this.reader.prepare(false);
		} catch (error) {
			if (this.#stop.signal.aborted) return 'over';
			if (isFinal(error)) {
				this.host.emitError(this.reader.asNodeError(error));
				return 'over';
			}
			await this.#pauseAfter(error);
			return 'later';
		}
	}

	async #read(prepared: P): Promise<void> {
		const startedMs = performance.now();
		try {
			await this.reader.read(prepared, this.#stop.signal);
			this.#lastReport = '';
			this.#lastBusy = '';
		} catch (error) {
			if (this.#stop.signal.aborted) return;
			if (performance.now() - startedMs > GOOD_SESSION_MS) this.#backOff.reset();
			if (!isTransient(error)) this.#report(error);
			await this.#pauseAfter(error);
		}
	}

	/** Shows an error in n8n's list of executions, and runs its error workflow, once per error. */
	#report(error: unknown): void {
		const shown = this.reader.asNodeError(error);
		if (shown.message === this.#lastReport) return;
		this.#lastReport = shown.message;
		this.host.saveFailedExecution?.(shown);
	}

	async #pauseAfter(error: unknown): Promise<void> {
		if (error instanceof SyncError && error.code === 'SLOT_BUSY') return await this.#waitForSlot(error);
		this.#lastBusy = '';
		this.#whileBusy.reset();
		const delayMs = this.#backOff.next();
		const level = isTransient(error) ? 'warn' : 'error';
		this.host.logger[level](
			`${messageOf(error)}. Trying again in ${Math.round(delayMs / 100) / 10} s.`,
		);
		await pause(delayMs, this.#stop.signal);
	}

	/** Another instance of n8n has this workflow, or an earlier activation has not ended: said once for each reader. */
	async #waitForSlot({ message }: SyncError): Promise<void> {
		if (message !== this.#lastBusy) {
			this.host.logger.warn(`${message}. This trigger stands by, and takes over when that one ends.`);
		}
		this.#lastBusy = message;
		await pause(this.#whileBusy.next(), this.#stop.signal);
	}
}

/** Whether nothing will get better by itself. */
function isFinal(error: unknown): boolean {
	return error instanceof SyncError && error.action === 'stop';
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
