import type { ChangeEvent } from '../../src/core/change-event';
import type { Position } from '../../src/core/position';
import type { SourceTransaction } from '../../src/postgres/source-transaction';

/** Whole transactions, for one execution. */
export interface Batch {
	readonly events: readonly ChangeEvent[];
	readonly transactions: readonly BatchedTransaction[];
}

export interface BatchedTransaction {
	/** What to acknowledge once all its events are safe. */
	readonly endLsn: bigint;
	/** Of its last event; null when none of its changes concerns us. */
	readonly last: Position | null;
}

export interface TakeLimits {
	readonly maxChanges: number;
	/** How long to gather from the first event on; asked when that is there, by `performance.now()`. */
	readonly waitMs: (nowMs: number) => number;
	/** When to give up waiting for a first event, by `performance.now()`. */
	readonly untilMs: number;
	/** Transactions that end after it wait; null or absent: none do. */
	readonly limitLsn?: bigint | null;
}

type Arrival =
	| {
			readonly kind: 'transaction';
			readonly transaction: BatchedTransaction;
			readonly events: readonly ChangeEvent[];
	  }
	/** Events of a transaction that comes in several batches; its end follows as a transaction without events. */
	| { readonly kind: 'part'; readonly events: readonly ChangeEvent[] }
	| { readonly kind: 'end' }
	| { readonly kind: 'failure'; readonly error: unknown };

/** All events of a transaction at once, or in parts. */
export type TransactionEvents = readonly ChangeEvent[] | AsyncGenerator<readonly ChangeEvent[], void>;

/** A transaction that comes in several batches. */
interface LargeTransaction {
	readonly endLsn: bigint;
	readonly parts: AsyncGenerator<readonly ChangeEvent[], void>;
	/** Of the last event so far. */
	last: Position | null;
	/** Whether a part has been taken. */
	isBegun: boolean;
	onEnd(): void;
}

/**
 * Gathers transactions into batches. Reads one transaction ahead and no more, so that the stream
 * is held back while an execution runs.
 */
export class Batcher {
	readonly #source: AsyncIterator<SourceTransaction, void>;
	readonly #eventsOf: (transaction: SourceTransaction) => TransactionEvents;
	#arrival: Arrival | null = null;
	#large: LargeTransaction | null = null;
	#isReading = false;
	#isPoked = false;
	#wake: (() => void) | null = null;

	/** @param eventsOf - may throw; the error comes out of {@link take} when it is that transaction's turn */
	constructor(
		source: AsyncIterator<SourceTransaction, void>,
		eventsOf: (transaction: SourceTransaction) => TransactionEvents,
	) {
		this.#source = source;
		this.#eventsOf = eventsOf;
	}

	/**
	 * The next batch: transactions as they come, until they have `maxChanges` events or the first
	 * event has waited for `waitMs`. A larger transaction is a batch of its own.
	 *
	 * @returns null when there was nothing until `untilMs` or before `limitLsn`, or when {@link poke} was called; 'end'
	 * after the last transaction
	 * @throws what the stream broke with
	 */
	async take({ maxChanges, waitMs, untilMs, limitLsn = null }: TakeLimits): Promise<Batch | null | 'end'> {
		const events: ChangeEvent[] = [];
		const transactions: BatchedTransaction[] = [];
		let deadlineMs = untilMs;
		while (events.length < maxChanges) {
			const next = await this.#peek(deadlineMs);
			if (next === null) break;
			if (next.kind !== 'transaction') {
				// What was gathered is delivered first; a part, the end and errors come again.
				if (transactions.length > 0) break;
				return next.kind === 'part' ? this.#takePart(next.events, limitLsn) : endOf(next);
			}
			const isTooMuch = events.length > 0 && events.length + next.events.length > maxChanges;
			if (isTooMuch || this.#isTooLate(next.transaction.endLsn, limitLsn)) break;
			this.#arrival = null;
			this.#large = null;
			if (events.length === 0 && next.events.length > 0) deadlineMs = deadlineFrom(waitMs);
			for (const event of next.events) events.push(event);
			transactions.push(next.transaction);
		}
		this.#isPoked = false;
		return transactions.length === 0 ? null : { events, transactions };
	}

	/** A place that came to be known when a transaction had begun to be delivered is behind us. */
	#isTooLate(endLsn: bigint, limitLsn: bigint | null): boolean {
		return limitLsn !== null && endLsn > limitLsn && this.#large?.isBegun !== true;
	}

	#takePart(events: readonly ChangeEvent[], limitLsn: bigint | null): Batch | null {
		if (!this.#large || this.#isTooLate(this.#large.endLsn, limitLsn)) return null;
		this.#large.isBegun = true;
		this.#arrival = null;
		this.#isPoked = false;
		return { events, transactions: [] };
	}

	/** Where the transaction ends that is to be taken next, or of which there is more to take; null when none has come. */
	get nextEndLsn(): bigint | null {
		if (this.#large) return this.#large.endLsn;
		return this.#arrival?.kind === 'transaction' ? this.#arrival.transaction.endLsn : null;
	}

	/** Lets {@link take} return at once with what it has. */
	poke(): void {
		this.#isPoked = true;
		this.#wake?.();
	}

	/** Looks at the next arrival without taking it; null when there is none in time. */
	async #peek(deadlineMs: number): Promise<Arrival | null> {
		if (this.#arrival) return this.#arrival;
		if (!this.#isReading) void this.#read();
		const leftMs = deadlineMs - performance.now();
		if (!this.#isPoked) await this.#arrivalWithin(leftMs);
		return this.#arrival;
	}

	async #read(): Promise<void> {
		this.#isReading = true;
		this.#arrival = await this.#next();
		this.#isReading = false;
		this.#wake?.();
	}

	async #next(): Promise<Arrival> {
		try {
			if (this.#large) return await this.#nextPart(this.#large);
			const { done, value } = await this.#source.next();
			if (done || !value) return { kind: 'end' };
			const events = this.#eventsOf(value);
			if (isWhole(events)) return { kind: 'transaction', transaction: { endLsn: value.endLsn, last: lastOf(events) }, events };
			this.#large = { endLsn: value.endLsn, parts: events, last: null, isBegun: false, onEnd: () => value.spool?.close() };
			return await this.#nextPart(this.#large);
		} catch (error) {
			return { kind: 'failure', error };
		}
	}

	/** The next events of a large transaction; at its end the transaction itself. */
	async #nextPart(large: LargeTransaction): Promise<Arrival> {
		for (;;) {
			const { done, value } = await large.parts.next();
			if (done || !value) {
				large.onEnd();
				return { kind: 'transaction', transaction: { endLsn: large.endLsn, last: large.last }, events: [] };
			}
			large.last = lastOf(value) ?? large.last;
			if (value.length > 0) return { kind: 'part', events: value };
		}
	}

	async #arrivalWithin(ms: number): Promise<void> {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, Math.max(ms, 0));
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		this.#wake = null;
	}
}

function isWhole(events: TransactionEvents): events is readonly ChangeEvent[] {
	return Array.isArray(events);
}

const lastOf = (events: readonly ChangeEvent[]): Position | null => events.at(-1)?.source.position ?? null;

function endOf(arrival: Extract<Arrival, { kind: 'end' | 'failure' }>): 'end' {
	if (arrival.kind === 'failure') throw arrival.error;
	return 'end';
}

function deadlineFrom(waitMs: TakeLimits['waitMs']): number {
	const nowMs = performance.now();
	return nowMs + waitMs(nowMs);
}
