import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { SyncError } from '../core/errors';
import { decodePgoutput, everyColumn, type PgoutputMessage } from './pgoutput';
import { readUint64, writeUint64 } from './pgoutput-reader';

/** A message as it came. */
export interface SpooledMessage {
	readonly message: PgoutputMessage;
	/** Its position in the server's log. */
	readonly lsn: bigint;
}

/** Length of the message and its position in the log. */
const HEADER_BYTES = 12;
const BLOCK_BYTES = 256 * 1024;
/** Of messages that are read out of order. */
const JUMP_BYTES = 16 * 1024;
/** In so many places at once the file is read forward without going back to it for each message. */
const WINDOWS = 4;

/** A piece of the file. */
interface Window {
	readonly bytes: Buffer;
	readonly start: number;
	readonly end: number;
}

/**
 * The row messages of a transaction that is too large for memory, in a file that nobody else sees: it has no
 * name any more once it is open, so nothing is left of it when the process ends, however that happens.
 *
 * Written once, from front to back; then read, in any order.
 */
export class ChangeSpool {
	readonly #path: string;
	readonly #file: number;
	readonly #unwritten = Buffer.allocUnsafe(BLOCK_BYTES);
	#unwrittenBytes = 0;
	#size = 0;
	readonly #windows: Window[] = [];
	#isClosed = false;

	/** @throws SyncError SPOOL_FAILED */
	constructor(private readonly directory: string) {
		this.#path = join(directory, `bisync-${randomUUID()}`);
		this.#file = this.#attempt(() => openSync(this.#path, 'wx+', 0o600));
		this.#unlink();
	}

	/**
	 * @param start - where in `bytes` the message starts; nothing of them is kept
	 * @returns where it can be read
	 * @throws SyncError SPOOL_FAILED
	 */
	append(bytes: Buffer, start: number, lsn: bigint): number {
		const at = this.#size;
		const length = bytes.length - start;
		const whole = HEADER_BYTES + length;
		this.#size += whole;
		if (this.#unwrittenBytes + whole > BLOCK_BYTES) this.#flush();
		this.#unwritten.writeUInt32BE(length, this.#unwrittenBytes);
		writeUint64(this.#unwritten, this.#unwrittenBytes + 4, lsn);
		this.#unwrittenBytes += HEADER_BYTES;
		if (whole > BLOCK_BYTES) {
			this.#flush();
			this.#write(bytes.subarray(start));
		} else {
			bytes.copy(this.#unwritten, this.#unwrittenBytes, start);
			this.#unwrittenBytes += length;
		}
		return at;
	}

	/**
	 * @param at - what `append` gave
	 * @throws SyncError DECODE_FAILED, SPOOL_FAILED
	 */
	read(at: number): SpooledMessage {
		if (this.#unwrittenBytes > 0) this.#flush();
		let { bytes, start, end } = this.#window(at, HEADER_BYTES);
		const length = bytes.readUInt32BE(at - start);
		if (at + HEADER_BYTES + length > end) ({ bytes, start, end } = this.#window(at, HEADER_BYTES + length));
		const from = at - start;
		const body = from + HEADER_BYTES;
		// A view of these bytes alone would cost as much as what is read from it.
		return { message: decodePgoutput(bytes, body, everyColumn, body + length), lsn: readUint64(bytes, from + 4) };
	}

	get isClosed(): boolean {
		return this.#isClosed;
	}

	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#windows.length = 0;
		closeSync(this.#file);
		this.#unlink();
	}

	#flush(): void {
		this.#write(this.#unwritten.subarray(0, this.#unwrittenBytes));
		this.#unwrittenBytes = 0;
	}

	#write(bytes: Buffer): void {
		this.#attempt(() => {
			for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
		});
	}

	/** A piece of the file that has these bytes. */
	#window(at: number, length: number): Window {
		for (const window of this.#windows) if (at >= window.start && at + length <= window.end) return window;
		return this.#open(at, length);
	}

	#open(at: number, length: number): Window {
		// Where a piece ends reading goes on, most likely; elsewhere this may be the only message.
		const goesOn = at === 0 || this.#windows.some(({ start, end }) => at >= start && at <= end);
		const wanted = Math.max(length, Math.min(goesOn ? BLOCK_BYTES : JUMP_BYTES, this.#size - at));
		const spare = this.#windows.length < WINDOWS ? undefined : this.#windows.shift()?.bytes;
		const isSpareOfUse = spare?.length === BLOCK_BYTES && wanted <= BLOCK_BYTES;
		const bytes = isSpareOfUse ? spare : Buffer.allocUnsafeSlow(Math.max(wanted, BLOCK_BYTES));
		this.#fill(bytes, at, wanted);
		const window = { bytes, start: at, end: at + wanted };
		this.#windows.push(window);
		return window;
	}

	#fill(bytes: Buffer, at: number, length: number): void {
		this.#attempt(() => {
			for (let done = 0; done < length; ) {
				const count = readSync(this.#file, bytes, done, length - done, at + done);
				if (count === 0) throw new RangeError('the file is shorter than what was written to it');
				done += count;
			}
		});
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
