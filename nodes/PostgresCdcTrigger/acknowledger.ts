import type { Position } from '../../src/core/position';
import type { ChangeStream } from '../../src/postgres/change-stream';
import type { Batch } from './batcher';
import type { Patience } from './patience';
import type { Progress } from './progress';

/** Idle positions are stored no more often than this. */
const IDLE_INTERVAL_MS = 10_000;
/** And so often when the server waits for them, for example to shut down. */
const URGENT_INTERVAL_MS = 500;

interface AcknowledgerParts {
	readonly stream: Pick<ChangeStream, 'acknowledge'>;
	readonly progress: Progress;
	readonly patience: Patience;
	readonly idleIntervalMs?: number | undefined;
}

/**
 * Tells the source what it may forget: only what has been observed, and only after the store has
 * noted it, so that a slot which is ahead of the store is known to have lost something.
 */
export class Acknowledger {
	#sent = 0n;
	#idle = 0n;
	#isUrgent = false;
	#sentMs = Number.NEGATIVE_INFINITY;

	constructor(private readonly parts: AcknowledgerParts) {}

	/** Acknowledges the transactions of a batch up to the first one that was not observed whole. */
	async observed({ transactions }: Pick<Batch, 'transactions'>, position: Position): Promise<void> {
		const open = transactions.findIndex(({ last }) => last !== null && last > position);
		const safe = open < 0 ? transactions : transactions.slice(0, open);
		const end = safe.at(-1)?.endLsn;
		if (end === undefined) return;
		// What holds none of our changes is not worth a trip to the store each time.
		if (safe.some(({ last }) => last !== null)) await this.#send(end);
		else this.noteIdle(end, false);
	}

	/** Nothing is unobserved before this position. */
	noteIdle(lsn: bigint, isUrgent: boolean): void {
		if (lsn > this.#idle) this.#idle = lsn;
		this.#isUrgent ||= isUrgent;
	}

	/** Whoever waits for what comes next to be acknowledged need not wait for long. */
	hurry(): void {
		this.#isUrgent = true;
	}

	/** Acknowledges what {@link noteIdle} noted, now and then. Not while a batch is unobserved. */
	async acknowledgeIdle(): Promise<void> {
		const { idleIntervalMs = IDLE_INTERVAL_MS } = this.parts;
		const interval = this.#isUrgent ? Math.min(URGENT_INTERVAL_MS, idleIntervalMs) : idleIntervalMs;
		if (this.#idle <= this.#sent || performance.now() - this.#sentMs < interval) return;
		await this.#send(this.#idle);
	}

	/**
	 * At the end, what {@link noteIdle} noted, however short ago: nobody will for as long as the workflow is inactive. A store
	 * that is not there is not waited for; the server then keeps a little more log.
	 */
	async finish(): Promise<void> {
		const lsn = this.#idle; // It may move on while the store notes it.
		if (lsn <= this.#sent) return;
		const { stream, progress } = this.parts;
		try {
			await progress.acknowledging(lsn);
			stream.acknowledge(lsn);
		} catch {
			// As said: the next start begins a little earlier.
		}
	}

	async #send(lsn: bigint): Promise<void> {
		if (lsn <= this.#sent) return;
		const { stream, progress, patience } = this.parts;
		await patience.with(async () => await progress.acknowledging(lsn));
		stream.acknowledge(lsn);
		this.#sent = lsn;
		this.#sentMs = performance.now();
		this.#isUrgent = false;
	}
}
