import { isAscii } from 'node:buffer';

import { SyncError } from '../core/errors';

/** Marks a column whose value the server did not send because it is large (TOAST) and did not change. */
export const UNCHANGED: unique symbol = Symbol('unchanged TOAST value');

/** The server's text of one column; null is SQL null, which '' is not and {@link UNCHANGED} is not. */
export type ColumnText = string | null | typeof UNCHANGED;

/** One version of a row: a text per column, in the order of its relation's columns. */
export type Tuple = readonly ColumnText[];

/** Of a longer row each column is a text of its own. */
const MAX_CUT_BYTES = 64 * 1024;

const KIND_NULL = 0x6e; // n
const KIND_TEXT = 0x74; // t
const KIND_UNCHANGED = 0x75; // u

/**
 * Reads the fields of one message from front to back, in network byte order.
 *
 * Every length is checked against the bytes that are there before anything is made of it, so
 * malformed bytes can neither allocate much nor loop. Reading past the end throws.
 */
export class PgoutputReader {
	/** Of the rest of the message from its first row on. */
	private characters: string | null = null;
	private areAllAscii = false;

	constructor(
		private readonly bytes: Buffer,
		private offset: number,
		/** Where the message ends, if not with the bytes. */
		private readonly until: number = bytes.length,
	) {}

	get remaining(): number {
		return this.until - this.offset;
	}

	uint8(): number {
		return this.bytes[this.take(1)]!;
	}

	uint16(): number {
		const at = this.take(2);
		return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
	}

	uint32(): number {
		return this.int32() >>> 0;
	}

	int32(): number {
		const { bytes } = this;
		const at = this.take(4);
		return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
	}

	uint64(): bigint {
		return readUint64(this.bytes, this.take(8));
	}

	int64(): bigint {
		return BigInt.asIntN(64, readUint64(this.bytes, this.take(8)));
	}

	/** @returns where the next so many bytes start */
	private take(length: number): number {
		const start = this.offset;
		if (length > this.until - start) throw malformed('an end too soon');
		this.offset += length;
		return start;
	}

	/** A UTF-8 text that ends with a zero byte. */
	cString(): string {
		const end = this.bytes.indexOf(0, this.offset);
		if (end === -1 || end >= this.until) throw malformed('a text without an end');
		const text = this.bytes.toString('utf8', this.offset, end);
		this.offset = end + 1;
		return text;
	}

	/** A UTF-8 text of so many bytes. */
	text(length: number): string {
		const start = this.skip(length);
		return this.bytes.toString('utf8', start, this.offset);
	}

	tuple(): Tuple {
		const count = this.uint16();
		// Each column takes a byte at least; this keeps a wrong count from allocating.
		if (count > this.remaining) throw malformed(`a row of ${count} columns in too few bytes`);
		const { bytes } = this;
		const characters = this.charactersOfRest();
		const shift = this.until - characters.length;
		const values = new Array<ColumnText>(count);
		for (let index = 0; index < count; index++) {
			const kind = this.uint8();
			if (kind !== KIND_TEXT) {
				values[index] = nullOrUnchanged(kind);
				continue;
			}
			const length = this.uint32();
			const start = this.skip(length);
			if (characters === '') values[index] = bytes.toString('utf8', start, start + length);
			else {
				const text = characters.substring(start - shift, start - shift + length);
				values[index] = this.areAllAscii || isAsciiText(text) ? text : bytes.toString('utf8', start, start + length);
			}
		}
		return values;
	}

	/**
	 * Some columns of a row; the others are passed over, which takes a tenth of the time.
	 *
	 * @param places - of the wanted ones, ascending
	 */
	tupleOf(places: readonly number[]): Tuple {
		const count = this.uint16();
		if (count > this.remaining) throw malformed(`a row of ${count} columns in too few bytes`);
		const values: ColumnText[] = [];
		for (let index = 0; index < count; index++) {
			const isWanted = places[values.length] === index;
			const kind = this.uint8();
			if (kind === KIND_TEXT) {
				const length = this.uint32();
				const start = this.skip(length);
				if (isWanted) values.push(this.bytes.toString('utf8', start, start + length));
			} else {
				const value = nullOrUnchanged(kind);
				if (isWanted) values.push(value);
			}
		}
		if (values.length < places.length) throw malformed(`a row of ${count} columns, which is too few`);
		return values;
	}

	/**
	 * What is left, as one text in which a byte is a character: cutting it is twice as fast as decoding
	 * each column, and right for all that are ASCII. Empty where a piece of it, kept for long, would keep too much.
	 */
	private charactersOfRest(): string {
		if (this.characters !== null) return this.characters;
		const { bytes, offset, until } = this;
		const isSmall = until - offset <= MAX_CUT_BYTES;
		// False for a letter beyond ASCII, and for a length over 127.
		this.areAllAscii = isSmall && isAscii(bytes.subarray(offset, until));
		this.characters = isSmall ? bytes.toString('latin1', offset, until) : '';
		return this.characters;
	}

	private skip(length: number): number {
		const start = this.offset;
		if (length > this.until - start) throw malformed('a text that is longer than the message');
		this.offset += length;
		return start;
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

/** As characters, cut from a text of bytes: whether it reads the same in UTF-8. */
function isAsciiText(text: string): boolean {
	for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false;
	return true;
}

const word = new Uint8Array(8);
const wordView = new DataView(word.buffer);

/** Buffer's own method makes five bigints on its way to one. */
export function readUint64(bytes: Uint8Array, at: number): bigint {
	for (let index = 0; index < 8; index++) word[index] = bytes[at + index]!;
	return wordView.getBigUint64(0);
}

/** The inverse of `readUint64`. */
export function writeUint64(bytes: Uint8Array, at: number, value: bigint): void {
	wordView.setBigUint64(0, value);
	for (let index = 0; index < 8; index++) bytes[at + index] = word[index]!;
}

/** @param what - completes "The message has ..." */
export function malformed(what: string, cause?: unknown): SyncError {
	return new SyncError('DECODE_FAILED', `A message of the change stream has ${what}`, { cause });
}
