import type pg from 'pg';

import { SyncError } from '../core/errors';
import { encodeStatusUpdate } from './replication-protocol';
import { type ReplicationSession, startReplication, type StartSettings } from './start-replication';
import { noticeError, type StreamNotice, streamError } from './stream-errors';

export interface ConnectionSettings extends StartSettings {
	/** The connection counts as broken after so long without a word from the server; default 300,000. */
	readonly silenceTimeoutMs?: number | undefined;
}

/** Whom the connection serves. */
export interface StreamOwner {
	/** The position that may be told to the server. */
	acknowledged(): bigint;
	/** May throw: then the stream has failed. `bytes` are used again afterwards. */
	onMessage(bytes: Buffer): void;
	/** Called once; nothing comes any more. */
	onFailure(error: Error): void;
}

/** Acknowledgements are gathered for so long: sending each costs the server a third of its speed. */
const ACK_INTERVAL_MS = 1_000;
const MAX_STATUS_INTERVAL_MS = 10_000;
/** After a piece of less than so many bytes reading rests. Longer, and a full window would hold the server up. */
const SMALL_CHUNK_BYTES = 16 * 1024;
const REST_MS = 1;
/** How long `close` waits for the server to end the session by itself. */
const CLOSE_TIMEOUT_MS = 5_000;
/** How long the server may be kept from sending, so that it listens. */
const LISTEN_MS = 1_000;

/** The connection of one change stream: keeps it alive, hands messages on, and says what was acknowledged. */
export class StreamConnection {
	readonly #client: pg.Client;
	#isPaused = false;
	#lastHeardMs = performance.now();
	#statusTimer: NodeJS.Timeout | undefined;
	#ackTimer: NodeJS.Timeout | undefined;
	/** Runs while nothing is read, so that more comes at once. */
	#rest: NodeJS.Timeout | undefined;
	#isOver = false;

	constructor(
		private readonly session: ReplicationSession,
		private readonly settings: ConnectionSettings,
		private readonly owner: StreamOwner,
	) {
		this.#client = session.client;
	}

	/** Whether nothing is read at the moment. */
	get isPaused(): boolean {
		return this.#isPaused;
	}

	/** @throws SyncError as `startReplication`; the connection is over then */
	async start(): Promise<void> {
		const { connection } = this.#client;
		connection.on('copyData', ({ chunk }: { chunk: Buffer }) => this.#onData(chunk));
		connection.stream.on('data', (chunk: Buffer) => this.#afterChunk(chunk));
		this.#client.on('notice', (notice) => this.#onNotice(notice));
		try {
			const untilEnd = await startReplication(this.session, this.settings);
			untilEnd().then(
				() => this.#fail(new SyncError('CONNECTION_LOST', 'The server ended the change stream')),
				(error: unknown) => this.#fail(streamError(error)),
			);
		} catch (error) {
			this.#stop();
			connection.stream.resume();
			await this.#client.end();
			throw error;
		}
		if (this.#isOver) return; // Its first messages may have failed it already.
		this.#statusTimer = setInterval(() => this.#beat(), this.#statusIntervalMs());
	}

	setPaused(isPaused: boolean): void {
		if (isPaused === this.#isPaused || this.#isOver) return;
		this.#isPaused = isPaused;
		this.#lastHeardMs = performance.now();
		this.#letFlow();
	}

	sendStatusSoon(): void {
		if (!this.#isOver) this.#ackTimer ??= setTimeout(() => this.sendStatus(false), ACK_INTERVAL_MS);
	}

	/** @param wantsReply - asks for a word from the server, as proof that it is there */
	sendStatus(wantsReply: boolean): void {
		clearTimeout(this.#ackTimer);
		this.#ackTimer = undefined;
		if (this.#isOver) return;
		const update = encodeStatusUpdate(this.owner.acknowledged(), Date.now(), wantsReply);
		copyConnection(this.#client).sendCopyFromChunk(update);
	}

	/**
	 * Sends the last acknowledgement and ends the session.
	 *
	 * @param isInTransaction - the server is in the middle of sending one
	 */
	async close(isInTransaction: boolean): Promise<void> {
		if (this.#isOver) return;
		this.sendStatus(false);
		this.#stop();
		await endSession(this.#client, isInTransaction || this.#isPaused);
	}

	/**
	 * A server that is woken for each of many small packets, and that wakes us for each, spends more on that than on the
	 * changes: where little has come, the rest of what is on its way is waited for.
	 */
	#afterChunk({ length }: Buffer): void {
		this.#lastHeardMs = performance.now();
		if (length >= SMALL_CHUNK_BYTES || this.#rest !== undefined || this.#isOver) return;
		this.#rest = setTimeout(() => {
			this.#rest = undefined;
			if (!this.#isOver) this.#letFlow();
		}, REST_MS);
		this.#letFlow();
	}

	#letFlow(): void {
		const { stream } = this.#client.connection;
		if (this.#isPaused || this.#rest !== undefined) stream.pause();
		else stream.resume();
	}

	/** Runs for every message of the server, so nothing may escape it: there is nobody above to catch it. */
	#onData(bytes: Buffer): void {
		if (this.#isOver) return;
		try {
			this.owner.onMessage(bytes);
		} catch (error) {
			this.#fail(streamError(error));
		}
	}

	#onNotice(notice: StreamNotice): void {
		const error = noticeError(notice);
		if (error) this.#fail(error);
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
		this.sendStatus(true);
	}

	#fail(error: Error): void {
		if (this.#isOver) return;
		this.#stop();
		this.owner.onFailure(error);
		this.#client.connection.stream.destroy();
	}

	#stop(): void {
		this.#isOver = true;
		clearInterval(this.#statusTimer);
		clearTimeout(this.#ackTimer);
		clearTimeout(this.#rest);
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
