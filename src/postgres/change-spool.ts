import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { SyncError } from '../core/errors';
import { decodePgoutput, type PgoutputMessage } from './pgoutput';
import type { Relation } from './source-transaction';

/** A message as it came, and where the next one stands. */
export interface SpooledMessage {
	readonly message: PgoutputMessage;
	/** Its position in the server's log. */
	readonly lsn: bigint;
	readonly next: number;
}

/** Length of the message and its position in the log. */
const HEADER_BYTES = 12;
const WRITE_BYTES = 256 * 1024;
const READ_BYTES = 256 * 1024;

/**
 * The messages of a transaction that is too large for memory, in a file that nobody else sees: it has no
 * name any more once it is open, so nothing is left of it when the process ends, however that happens.
 *
 * Written once, from front to back; then read, in any order.
 */
export class ChangeSpool {
	readonly #path: string;
	readonly #file: number;
	readonly #unwritten = Buffer.allocUnsafe(WRITE_BYTES);
	#unwrittenBytes = 0;
	#size = 0;
	/** Used again and again; larger for a larger message. */
	#window = Buffer.allocUnsafe(READ_BYTES);
	#windowStart = 0;
	#windowBytes = 0;
	#isClosed = false;

	/**
	 * @param relations - the tables that were announced before the first message
	 * @throws SyncError SPOOL_FAILED
	 */
	constructor(
		private readonly directory: string,
		readonly relations: ReadonlyMap<number, Relation>,
	) {
		this.#path = join(directory, `bisync-${randomUUID()}`);
		this.#file = this.#attempt(() => openSync(this.#path, 'wx+', 0o600));
		this.#unlink();
	}

	/** Bytes from the start of the file to the end of the last message. */
	get size(): number {
		return this.#size;
	}

	/** @param start - where in `bytes` the message starts; nothing of them is kept */
	append(bytes: Buffer, start: number, lsn: bigint): void {
		const length = bytes.length - start;
		if (this.#unwrittenBytes + HEADER_BYTES + length > WRITE_BYTES) this.#flush();
		const header = this.#unwritten;
		header.writeUInt32BE(length, this.#unwrittenBytes);
		header.writeBigUInt64BE(lsn, this.#unwrittenBytes + 4);
		this.#unwrittenBytes += HEADER_BYTES;
		if (this.#unwrittenBytes + length > WRITE_BYTES) {
			this.#flush();
			this.#write(bytes.subarray(start));
		} else {
			bytes.copy(this.#unwritten, this.#unwrittenBytes, start);
			this.#unwrittenBytes += length;
		}
		this.#size += HEADER_BYTES + length;
	}

	/**
	 * @param at - 0, or what an earlier call gave as `next`
	 * @throws SyncError DECODE_FAILED, SPOOL_FAILED
	 */
	read(at: number): SpooledMessage {
		this.#flush();
		const header = this.#bytes(at, HEADER_BYTES);
		const length = header.readUInt32BE(0);
		const lsn = header.readBigUInt64BE(4);
		const next = at + HEADER_BYTES + length;
		return { message: decodePgoutput(this.#bytes(at + HEADER_BYTES, length)), lsn, next };
	}

	get isClosed(): boolean {
		return this.#isClosed;
	}

	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		closeSync(this.#file);
		this.#unlink();
	}

	#flush(): void {
		if (this.#unwrittenBytes === 0) return;
		this.#write(this.#unwritten.subarray(0, this.#unwrittenBytes));
		this.#unwrittenBytes = 0;
	}

	#write(bytes: Buffer): void {
		this.#attempt(() => {
			for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
		});
	}

	/** A view of the file that holds until the next call. */
	#bytes(at: number, length: number): Buffer {
		const isInside = at >= this.#windowStart && at + length <= this.#windowStart + this.#windowBytes;
		if (!isInside) this.#fill(at, Math.max(length, Math.min(READ_BYTES, this.#size - at)));
		const start = at - this.#windowStart;
		return this.#window.subarray(start, start + length);
	}

	#fill(at: number, length: number): void {
		if (length > this.#window.length) this.#window = Buffer.allocUnsafe(length);
		this.#windowBytes = 0;
		this.#attempt(() => {
			for (let done = 0; done < length; ) {
				const count = readSync(this.#file, this.#window, done, length - done, at + done);
				if (count === 0) throw new RangeError('the file is shorter than what was written to it');
				done += count;
			}
		});
		this.#windowStart = at;
		this.#windowBytes = length;
	}

	#attempt<T>(work: () => T): T {
		// The number of a file that is closed may be another file's by then.
		if (this.#isClosed) throw new SyncError('SPOOL_FAILED', 'A large transaction was given up while it was read');
		try {
			return work();
		} catch (cause) {
			const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
			throw new SyncError(
				'SPOOL_FAILED',
				`A transaction that is too large for memory could not be kept in ${this.directory} (${code}, after ${Math.round(this.#size / 1024 / 1024)} MiB)`,
				{ cause },
			);
		}
	}

	/** Where a file that is open cannot lose its name, it is removed when it is closed. */
	#unlink(): void {
		try {
			unlinkSync(this.#path);
		} catch {
			// Not there any more, or not yet allowed.
		}
	}
}
