/**
 * Postgres' own hash of a text, chained: each text is hashed with the hash of those before it as its seed. It is
 * `hashtextextended(text collate "C", seed)` of a server whose encoding is UTF8 and whose processor is little-endian;
 * hash partitioning rests on this function, so that it is the same in every version (lookup3 by Bob Jenkins, public domain).
 * Whoever compares with a server's hashes first asks that server for one that is known here.
 */
export class ChainedHash {
	/** The upper and the lower 32 bits, as signed numbers. */
	#upper: number;
	#lower: number;

	/** @param seed - a signed 64-bit number */
	constructor(seed: bigint) {
		this.#upper = Number(BigInt.asIntN(32, seed >> 32n));
		this.#lower = Number(BigInt.asIntN(32, seed));
	}

	/** @param kind - joins the seed, bit by bit (`seed # kind` in SQL) */
	add(text: string, kind = 0): this {
		const bytes = bytesOf(text);
		this.#hash(bytes.bytes, bytes.length, kind);
		return this;
	}

	/** As the server has it: a signed 64-bit number. */
	get value(): bigint {
		return (BigInt(this.#upper) << 32n) | BigInt(this.#lower >>> 0);
	}

	#hash(bytes: Uint8Array, length: number, kind: number): void {
		const start = (GOLDEN + length + INCREMENT) | 0;
		words[0] = start;
		words[1] = start;
		words[2] = start;
		const lower = this.#lower ^ kind;
		if (this.#upper !== 0 || lower !== 0) {
			words[0] += this.#upper;
			words[1] += lower;
			mix();
		}
		let at = 0;
		for (; length - at >= BLOCK; at += BLOCK) {
			words[0] += wordAt(bytes, at);
			words[1] += wordAt(bytes, at + 4);
			words[2] += wordAt(bytes, at + 8);
			mix();
		}
		addRest(bytes, at, length);
		finish();
		this.#upper = words[1];
		this.#lower = words[2];
	}
}

const GOLDEN = 0x9e3779b9;
const INCREMENT = 3_923_095;
const BLOCK = 12;

/** The three words that are mixed; 32-bit arithmetic comes from the array's type. */
const words = new Int32Array(3) as unknown as [number, number, number];

const wordAt = (bytes: Uint8Array, at: number): number =>
	(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);

/** The last bytes, fewer than a block. The lowest byte of the third word is left to the length. */
function addRest(bytes: Uint8Array, from: number, length: number): void {
	let [a, b, c] = [0, 0, 0];
	for (let at = from; at < length; at++) {
		const place = at - from;
		const byte = bytes[at] ?? 0;
		if (place < 4) a |= byte << (8 * place);
		else if (place < 8) b |= byte << (8 * (place - 4));
		else c |= byte << (8 * (place - 7));
	}
	words[0] += a;
	words[1] += b;
	words[2] += c;
}

const turned = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

function mix(): void {
	let [a, b, c] = words;
	a = (a - c) | 0; a ^= turned(c, 4); c = (c + b) | 0;
	b = (b - a) | 0; b ^= turned(a, 6); a = (a + c) | 0;
	c = (c - b) | 0; c ^= turned(b, 8); b = (b + a) | 0;
	a = (a - c) | 0; a ^= turned(c, 16); c = (c + b) | 0;
	b = (b - a) | 0; b ^= turned(a, 19); a = (a + c) | 0;
	c = (c - b) | 0; c ^= turned(b, 4); b = (b + a) | 0;
	words[0] = a;
	words[1] = b;
	words[2] = c;
}

function finish(): void {
	let [a, b, c] = words;
	c ^= b; c = (c - turned(b, 14)) | 0;
	a ^= c; a = (a - turned(c, 11)) | 0;
	b ^= a; b = (b - turned(a, 25)) | 0;
	c ^= b; c = (c - turned(b, 16)) | 0;
	a ^= c; a = (a - turned(c, 4)) | 0;
	b ^= a; b = (b - turned(a, 14)) | 0;
	c ^= b; c = (c - turned(b, 24)) | 0;
	words[0] = a;
	words[1] = b;
	words[2] = c;
}

/** Reused for short texts, which nearly all are. */
const scratch = new Uint8Array(256);

function bytesOf(text: string): { bytes: Uint8Array; length: number } {
	const { length } = text;
	if (length > scratch.length) return whole(text);
	for (let at = 0; at < length; at++) {
		const code = text.charCodeAt(at);
		if (code > 127) return whole(text);
		scratch[at] = code;
	}
	return { bytes: scratch, length };
}

function whole(text: string): { bytes: Uint8Array; length: number } {
	const bytes = Buffer.from(text, 'utf8');
	return { bytes, length: bytes.length };
}
