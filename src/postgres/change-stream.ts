import { Acknowledgements } from './acknowledgements';
import { decodeReplicationMessage } from './replication-protocol';
import type { SystemIdentity } from './slot';
import type { SourceTransaction } from './source-transaction';
import { openReplicationSession, type ReplicationSession, type StartSettings } from './start-replication';
import { StreamConnection } from './stream-connection';
import { TransactionQueue } from './transaction-queue';
import { type SizeLimits, TransactionReader } from './transaction-reader';

export interface ChangeStreamSettings extends StartSettings, SizeLimits {
	/**
	 * Called, once `transactions` has been, when the server has nothing for us before `walEnd` and nothing is
	 * unacknowledged. Passing
	 * `walEnd` to `acknowledge`, at once or later, lets the server free the log of other tables and
	 * databases; whoever keeps a position elsewhere stores it there first. Called again while it holds.
	 *
	 * @param isUrgent - the server waits for it, for example because it shuts down
	 */
	readonly onIdle?: ((walEnd: bigint, isUrgent: boolean) => void) | undefined;
	/** Reading pauses while more changes than this wait to be taken; default 2,000. */
	readonly maxBufferedChanges?: number | undefined;
	/** The same in bytes of the wire; default 64 MiB. */
	readonly maxBufferedBytes?: number | undefined;
	/** The connection counts as broken after so long without a word from the server; default 300,000. */
	readonly silenceTimeoutMs?: number | undefined;
}

/** The committed transactions of one database, from one slot on. */
export interface ChangeStream {
	readonly system: SystemIdentity;
	readonly position: StreamPosition;
	/**
	 * Transactions in commit order, each whole. One reader at a time; leaving the loop leaves the stream
	 * open. Ends after `close`.
	 *
	 * @throws SyncError when the stream breaks, after everything before that was taken. CONNECTION_LOST,
	 * SLOT_LOST, PUBLICATION_MISSING, DECODE_FAILED, TRANSACTION_TOO_LARGE, STREAM_FAILED, …
	 */
	transactions(): AsyncIterableIterator<SourceTransaction, void, undefined>;
	/**
	 * Everything that ends at or before `lsn` is safe: the server may forget it, and never sends it
	 * again. Give a transaction's `endLsn`, or what `onIdle` was called with. Sent within a second.
	 *
	 * @throws SyncError ACK_OUT_OF_RANGE for a position that was never handed out
	 */
	acknowledge(lsn: bigint): void;
	/** Sends the last acknowledgement and ends the session; the slot is free for the next reader then. */
	close(): Promise<void>;
}

export interface StreamPosition {
	/** How far the server has read its log for us; the rest of this stream lies after it. */
	readonly receivedLsn: bigint;
	readonly acknowledgedLsn: bigint;
	/** Changes that were read and not yet taken. */
	readonly bufferedChanges: number;
	/** Whether reading pauses because too much waits to be taken. */
	readonly isPaused: boolean;
}

/**
 * Starts reading. The slot and the publications must exist; see `createSlot` and `ensurePublication`.
 *
 * At least once: after a restart every transaction that was not acknowledged comes again, whole.
 *
 * @throws SyncError as `openReplicationSession` and `startReplication`
 */
export async function openChangeStream(settings: ChangeStreamSettings): Promise<ChangeStream> {
	const session = await openReplicationSession(settings);
	const stream = new PgChangeStream(session, settings);
	await stream.start();
	return stream;
}

const MIB = 1024 * 1024;

class PgChangeStream implements ChangeStream {
	readonly system: SystemIdentity;
	readonly #acks: Acknowledgements;
	readonly #reader: TransactionReader;
	readonly #connection: StreamConnection;
	readonly #queue = new TransactionQueue();
	#receivedLsn = 0n;
	/** Whether the caller has the stream in hand, and can answer `onIdle` with it. */
	#isReading = false;
	#closing: Promise<void> | null = null;

	constructor(
		session: ReplicationSession,
		private readonly settings: ChangeStreamSettings,
	) {
		this.system = session.system;
		this.#reader = new TransactionReader(settings);
		this.#acks = new Acknowledgements(session.confirmedLsn, settings.startLsn ?? 0n);
		this.#connection = new StreamConnection(session, settings, {
			acknowledged: () => this.#acks.acknowledged,
			onMessage: (bytes) => this.#onMessage(bytes),
			onFailure: (error) => this.#queue.fail(error),
		});
	}

	get position(): StreamPosition {
		return {
			receivedLsn: this.#receivedLsn,
			acknowledgedLsn: this.#acks.acknowledged,
			bufferedChanges: this.#bufferedChanges,
			isPaused: this.#connection.isPaused,
		};
	}

	async start(): Promise<void> {
		await this.#connection.start();
	}

	/** No generator: between two transactions it would take three turns and as many promises. */
	transactions(): AsyncIterableIterator<SourceTransaction, void, undefined> {
		const iterator: AsyncIterableIterator<SourceTransaction, void, undefined> = {
			next: async () => {
				this.#isReading = true;
				const next = this.#queue.next();
				this.#adjustFlow();
				const value = next instanceof Promise ? await next : next;
				if (value === null) return { done: true, value: undefined };
				this.#acks.handOut(value.endLsn);
				return { done: false, value };
			},
			[Symbol.asyncIterator]: () => iterator,
		};
		return iterator;
	}

	acknowledge(lsn: bigint): void {
		if (this.#acks.acknowledge(lsn)) this.#connection.sendStatusSoon();
	}

	async close(): Promise<void> {
		this.#closing ??= this.#close();
		await this.#closing;
	}

	/** @throws SyncError when the stream cannot go on */
	#onMessage(bytes: Buffer): void {
		const message = decodeReplicationMessage(bytes);
		if (message.tag === 'keepalive') {
			this.#onKeepalive(message.walEnd, message.replyRequested);
			return;
		}
		const completed = this.#reader.push(bytes, message.payloadStart, message.lsn);
		if (completed) this.#onTransaction(completed.transaction, completed.bytes);
		this.#adjustFlow();
	}

	#onTransaction(transaction: SourceTransaction, bytes: number): void {
		this.#receivedLsn = transaction.endLsn;
		// Postgres 14 sends also those transactions that changed nothing of ours.
		if (transaction.changes.length === 0 && !transaction.spool) {
			this.#onIdle(transaction.endLsn, false);
			return;
		}
		this.#acks.receive(transaction.endLsn);
		this.#queue.push(transaction, bytes);
	}

	#onKeepalive(walEnd: bigint, replyRequested: boolean): void {
		if (walEnd > this.#receivedLsn) this.#receivedLsn = walEnd;
		this.#onIdle(walEnd, replyRequested);
		if (replyRequested) this.#connection.sendStatus(false);
	}

	#onIdle(lsn: bigint, isUrgent: boolean): void {
		if (!this.#isReading || this.#reader.isOpen || !this.#queue.isEmpty) return;
		if (this.#acks.reachIdle(lsn)) this.settings.onIdle?.(lsn, isUrgent);
	}

	/** A large transaction that the reader waits for is read to its end, whatever its size. */
	#adjustFlow(): void {
		const { maxBufferedChanges = 2_000, maxBufferedBytes = 64 * MIB } = this.settings;
		const isFull =
			this.#bufferedChanges > maxBufferedChanges ||
			this.#queue.byteCount + this.#reader.openBytes > maxBufferedBytes;
		this.#connection.setPaused(isFull && !this.#queue.isWaiting);
	}

	get #bufferedChanges(): number {
		return this.#queue.changeCount + this.#reader.openChangeCount;
	}

	async #close(): Promise<void> {
		this.#queue.close();
		await this.#connection.close(this.#reader.isOpen);
		this.#reader.close();
	}
}
