import { SyncError } from '../core/errors';
import type { SourceTransaction } from './source-transaction';

interface Entry {
	readonly transaction: SourceTransaction;
	readonly bytes: number;
}

interface Waiter {
	readonly resolve: (next: SourceTransaction | null) => void;
	readonly reject: (error: Error) => void;
}

const MAX_TAKEN = 256;

/** Transactions that were read and not yet taken. One consumer at a time. */
export class TransactionQueue {
	/** Those that were taken and not removed yet come first. */
	readonly #entries: (Entry | undefined)[] = [];
	#taken = 0;
	#waiter: Waiter | null = null;
	#failure: Error | null = null;
	#isClosed = false;
	#changeCount = 0;
	#byteCount = 0;

	get isEmpty(): boolean {
		return this.#entries.length === this.#taken;
	}

	/** Whether the consumer waits, so that reading on is the only way forward. */
	get isWaiting(): boolean {
		return this.#waiter !== null;
	}

	get changeCount(): number {
		return this.#changeCount;
	}

	get byteCount(): number {
		return this.#byteCount;
	}

	push(transaction: SourceTransaction, bytes: number): void {
		this.#entries.push({ transaction, bytes });
		this.#changeCount += transaction.changes.length;
		this.#byteCount += bytes;
		this.#settleWaiter();
	}

	/**
	 * The next transaction, at once where it is there; null once the queue is closed.
	 *
	 * @throws the error the queue failed with, once everything before it was taken
	 */
	next(): SourceTransaction | Promise<SourceTransaction | null> {
		return (this.#waiter === null ? this.#shift() : null) ?? this.#wait();
	}

	async #wait(): Promise<SourceTransaction | null> {
		if (this.#waiter) {
			throw new SyncError(
				'STREAM_FAILED',
				'The transactions of one stream have one reader at a time',
			);
		}
		return await new Promise((resolve, reject) => {
			this.#waiter = { resolve, reject };
			this.#settleWaiter();
		});
	}

	/** Nothing more will come, because of this error; what is queued can still be taken. */
	fail(error: Error): void {
		this.#failure ??= error;
		this.#settleWaiter();
	}

	/** Nothing more will be taken. */
	close(): void {
		this.#isClosed = true;
		this.#entries.length = 0;
		this.#taken = 0;
		this.#changeCount = 0;
		this.#byteCount = 0;
		this.#settleWaiter();
	}

	#shift(): SourceTransaction | null {
		const entry = this.#entries[this.#taken];
		if (!entry) return null;
		this.#entries[this.#taken++] = undefined;
		// Cut in pieces: taking the first of thousands moves all others.
		if (this.#taken >= MAX_TAKEN || this.#taken === this.#entries.length) {
			this.#entries.splice(0, this.#taken);
			this.#taken = 0;
		}
		this.#changeCount -= entry.transaction.changes.length;
		this.#byteCount -= entry.bytes;
		return entry.transaction;
	}

	#settleWaiter(): void {
		const waiter = this.#waiter;
		if (!waiter) return;
		const transaction = this.#shift();
		if (!transaction && !this.#isClosed && !this.#failure) return;
		this.#waiter = null;
		if (transaction) waiter.resolve(transaction);
		else if (this.#failure && !this.#isClosed) waiter.reject(this.#failure);
		else waiter.resolve(null);
	}
}
