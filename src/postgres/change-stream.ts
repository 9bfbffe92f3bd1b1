import type pg from 'pg';

import { SyncError } from '../core/errors';
import { Acknowledgements } from './acknowledgements';
import { decodeReplicationMessage, encodeStatusUpdate } from './replication-protocol';
import type { SystemIdentity } from './slot';
import type { SourceTransaction } from './source-transaction';
import {
	openReplicationSession,
	type ReplicationSession,
	startReplication,
	type StartSettings,
} from './start-replication';
import { noticeError, type StreamNotice, streamError } from './stream-errors';
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
	/** Reading pauses while more changes than this wait to be taken; default 5,000. */
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
	transactions(): AsyncGenerator<SourceTransaction, void, undefined>;
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
/** Acknowledgements are gathered for so long: sending each costs the server a third of its speed. */
const ACK_INTERVAL_MS = 1_000;
const MAX_STATUS_INTERVAL_MS = 10_000;
/** How long `close` waits for the server to end the session by itself. */
const CLOSE_TIMEOUT_MS = 5_000;
/** How long the server may be kept from sending, so that it listens. */
const LISTEN_MS = 1_000;

class PgChangeStream implements ChangeStream {
	readonly system: SystemIdentity;
	readonly #client: pg.Client;
	readonly #acks: Acknowledgements;
	readonly #reader: TransactionReader;
	readonly #queue = new TransactionQueue();
	#receivedLsn = 0n;
	#isPaused = false;
	#lastHeardMs = performance.now();
	#statusTimer: NodeJS.Timeout | undefined;
	#ackTimer: NodeJS.Timeout | undefined;
	/** Whether the caller has the stream in hand, and can answer `onIdle` with it. */
	#isReading = false;
	#isOver = false;
	#closing: Promise<void> | null = null;

	constructor(
		private readonly session: ReplicationSession,
		private readonly settings: ChangeStreamSettings,
	) {
		this.#client = session.client;
		this.system = session.system;
		this.#reader = new TransactionReader(settings);
		this.#acks = new Acknowledgements(session.confirmedLsn, settings.startLsn ?? 0n);
	}

	get position(): StreamPosition {
		return {
			receivedLsn: this.#receivedLsn,
			acknowledgedLsn: this.#acks.acknowledged,
			bufferedChanges: this.#bufferedChanges,
			isPaused: this.#isPaused,
		};
	}

	async start(): Promise<void> {
		const { connection } = this.#client;
		connection.on('copyData', ({ chunk }: { chunk: Buffer }) => this.#onData(chunk));
		connection.stream.on('data', () => {
			this.#lastHeardMs = performance.now();
		});
		this.#client.on('notice', (notice) => this.#onNotice(notice));
		try {
			const untilEnd = await startReplication(this.session, this.settings);
			untilEnd().then(
				() => this.#fail(new SyncError('CONNECTION_LOST', 'The server ended the change stream')),
				(error: unknown) => this.#fail(streamError(error)),
			);
		} catch (error) {
			this.#isOver = true;
			await this.#client.end();
			throw error;
		}
		if (this.#isOver) return; // Its first messages may have failed it already.
		this.#statusTimer = setInterval(() => this.#beat(), this.#statusIntervalMs());
	}

	async *transactions(): AsyncGenerator<SourceTransaction, void, undefined> {
		this.#isReading = true;
		for (;;) {
			const next = this.#queue.next();
			this.#adjustFlow();
			const transaction = await next;
			if (!transaction) return;
			this.#acks.handOut(transaction.endLsn);
			yield transaction;
		}
	}

	acknowledge(lsn: bigint): void {
		if (!this.#acks.acknowledge(lsn) || this.#isOver) return;
		this.#ackTimer ??= setTimeout(() => this.#sendStatus(false), ACK_INTERVAL_MS);
	}

	async close(): Promise<void> {
		this.#closing ??= this.#close();
		await this.#closing;
	}

	/** Runs for every message of the server, so nothing may escape it: there is nobody above to catch it. */
	#onData(bytes: Buffer): void {
		if (this.#isOver) return;
		try {
			const message = decodeReplicationMessage(bytes);
			if (message.tag === 'keepalive') this.#onKeepalive(message.walEnd, message.replyRequested);
			else this.#onPayload(bytes, message.payloadStart, message.lsn);
		} catch (error) {
			this.#fail(streamError(error));
		}
	}

	#onPayload(bytes: Buffer, payloadStart: number, lsn: bigint): void {
		const completed = this.#reader.push(bytes, payloadStart, lsn);
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
		if (replyRequested) this.#sendStatus(false);
	}

	#onIdle(lsn: bigint, isUrgent: boolean): void {
		if (!this.#isReading || this.#reader.isOpen || !this.#queue.isEmpty) return;
		if (this.#acks.reachIdle(lsn)) this.settings.onIdle?.(lsn, isUrgent);
	}

	#onNotice(notice: StreamNotice): void {
		const error = noticeError(notice);
		if (error) this.#fail(error);
	}

	/** A large transaction that the reader waits for is read to its end, whatever its size. */
	#adjustFlow(): void {
		const { maxBufferedChanges = 5_000, maxBufferedBytes = 64 * MIB } = this.settings;
		const isFull =
			this.#bufferedChanges > maxBufferedChanges ||
			this.#queue.byteCount + this.#reader.openBytes > maxBufferedBytes;
		const shouldPause = isFull && !this.#queue.isWaiting;
		if (shouldPause === this.#isPaused || this.#isOver) return;
		this.#isPaused = shouldPause;
		this.#lastHeardMs = performance.now();
		const { stream } = this.#client.connection;
		if (shouldPause) stream.pause();
		else stream.resume();
	}

	get #bufferedChanges(): number {
		return this.#queue.changeCount + this.#reader.openChangeCount;
	}

	/** Often enough for the server not to give us up, also when its own questions wait unread behind changes. */
	#statusIntervalMs(): number {
		const { senderTimeoutMs } = this.session;
		if (senderTimeoutMs === 0) return MAX_STATUS_INTERVAL_MS;
		return Math.min(MAX_STATUS_INTERVAL_MS, Math.max(senderTimeoutMs / 4, 1));
	}

	#beat(): void {
		const { silenceTimeoutMs = 300_000 } = this.settings;
		const silenceMs = performance.now() - this.#lastHeardMs;
		if (!this.#isPaused && silenceMs > silenceTimeoutMs) {
			const seconds = Math.round(silenceMs / 1_000);
			this.#fail(new SyncError('CONNECTION_LOST', `The server has been silent for ${seconds} s`));
			return;
		}
		this.#sendStatus(true);
	}

	#sendStatus(wantsReply: boolean): void {
		clearTimeout(this.#ackTimer);
		this.#ackTimer = undefined;
		if (this.#isOver) return;
		const update = encodeStatusUpdate(this.#acks.acknowledged, Date.now(), wantsReply);
		copyConnection(this.#client).sendCopyFromChunk(update);
	}

	#fail(error: Error): void {
		if (this.#isOver) return;
		this.#stop();
		this.#queue.fail(error);
		this.#client.connection.stream.destroy();
	}

	#stop(): void {
		this.#isOver = true;
		clearInterval(this.#statusTimer);
		clearTimeout(this.#ackTimer);
	}

	async #close(): Promise<void> {
		const wasOver = this.#isOver;
		if (!wasOver) this.#sendStatus(false);
		this.#stop();
		this.#queue.close();
		if (!wasOver) await endSession(this.#client, this.#reader.isOpen || this.#isPaused);
		this.#reader.close();
	}
}

/** What pg's connection can do beyond its type declarations. */
function copyConnection(client: pg.Client): { sendCopyFromChunk(chunk: Buffer): void } {
	return client.connection as unknown as { sendCopyFromChunk(chunk: Buffer): void };
}

/**
 * Says goodbye and waits until the server has closed the connection: from then on the slot is free.
 * (`client.end` would cut the connection, and the server would notice at its next attempt to write.)
 *
 * @param isSending - In the middle of a large transaction the server listens only when it cannot go on
 * sending, so nothing is read for a while.
 */
async function endSession(client: pg.Client, isSending: boolean): Promise<void> {
	const { connection } = client;
	const { stream } = connection;
	if (isSending) stream.pause();
	// What was sent before is still on its way, and the end comes after it.
	const listening = setTimeout(() => stream.resume(), isSending ? LISTEN_MS : 0);
	await new Promise<void>((resolve) => {
		const timeout = setTimeout(() => {
			stream.destroy();
			resolve();
		}, CLOSE_TIMEOUT_MS);
		connection.once('end', () => {
			clearTimeout(timeout);
			resolve();
		});
		connection.end();
	});
	clearTimeout(listening);
}
