import { isAscii } from 'node:buffer';

import { SyncError } from '../core/errors';

/** Marks a column whose value the server did not send because it is large (TOAST) and did not change. */
export const UNCHANGED: unique symbol = Symbol('unchanged TOAST value');

/** The server's text of one column; null is SQL null, which '' is not and {@link UNCHANGED} is not. */
export type ColumnText = string | null | typeof UNCHANGED;

/** One version of a row: a text per column, in the order of its relation's columns. */
export type Tuple = readonly ColumnText[];

const KIND_NULL = 0x6e; // n
const KIND_TEXT = 0x74; // t
const KIND_UNCHANGED = 0x75; // u

/**
 * Reads the fields of one message from front to back, in network byte order.
 *
 * Every length is checked against the bytes that are there before anything is made of it, so
 * malformed bytes can neither allocate much nor loop. Reading past the end throws: numbers
 * through Buffer's own check (a RangeError, which the decoder turns into a SyncError), texts through ours.
 */
export class PgoutputReader {
	constructor(
		private readonly bytes: Buffer,
		private offset: number,
	) {}

	get remaining(): number {
		return this.bytes.length - this.offset;
	}

	uint8(): number {
		return this.bytes.readUInt8(this.offset++);
	}

	uint16(): number {
		const value = this.bytes.readUInt16BE(this.offset);
		this.offset += 2;
		return value;
	}

	uint32(): number {
		const value = this.bytes.readUInt32BE(this.offset);
		this.offset += 4;
		return value;
	}

	int32(): number {
		const value = this.bytes.readInt32BE(this.offset);
		this.offset += 4;
		return value;
	}

	uint64(): bigint {
		const value = this.bytes.readBigUInt64BE(this.offset);
		this.offset += 8;
		return value;
	}

	int64(): bigint {
		const value = this.bytes.readBigInt64BE(this.offset);
		this.offset += 8;
		return value;
	}

	/** A UTF-8 text that ends with a zero byte. */
	cString(): string {
		const end = this.bytes.indexOf(0, this.offset);
		if (end === -1) throw malformed('a text without an end');
		const text = this.bytes.toString('utf8', this.offset, end);
		this.offset = end + 1;
		return text;
	}

	/** A UTF-8 text of so many bytes. */
	text(length: number): string {
		const start = this.offset;
		this.skip(length);
		return this.bytes.toString('utf8', start, this.offset);
	}

	tuple(): Tuple {
		const count = this.uint16();
		// Each column takes a byte at least; this keeps a wrong count from allocating.
		if (count > this.remaining) throw malformed(`a row of ${count} columns in too few bytes`);
		const ascii = this.restIfAscii();
		const shift = this.offset;
		const values = new Array<ColumnText>(count);
		for (let index = 0; index < count; index++) {
			const kind = this.uint8();
			if (kind === KIND_TEXT) {
				const length = this.uint32();
				const start = this.offset - shift;
				values[index] =
					ascii === null ? this.text(length) : ascii.substring(start, start + this.skip(length));
			} else values[index] = nullOrUnchanged(kind);
		}
		return values;
	}

	/**
	 * What is left, as one text in which a byte is a character; null when some byte is not ASCII (a
	 * letter, or a length over 127). Cutting such a text is twice as fast as decoding each column.
	 */
	private restIfAscii(): string | null {
		const rest = this.bytes.subarray(this.offset);
		return isAscii(rest) ? rest.toString('latin1') : null;
	}

	private skip(length: number): number {
		if (length > this.remaining) throw malformed('a text that is longer than the message');
		this.offset += length;
		return length;
	}

	/** Bytes left over mean that something before them was misread. */
	end(): void {
		if (this.remaining !== 0) throw malformed(`${this.remaining} bytes after its end`);
	}
}

function nullOrUnchanged(kind: number): null | typeof UNCHANGED {
	if (kind === KIND_NULL) return null;
	if (kind === KIND_UNCHANGED) return UNCHANGED;
	throw malformed(`a column value of the unknown kind 0x${kind.toString(16)}`);
}

/** @param what - completes "The message has ..." */
export function malformed(what: string, cause?: unknown): SyncError {
	return new SyncError('DECODE_FAILED', `A message of the change stream has ${what}`, { cause });
}
