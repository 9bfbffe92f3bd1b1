const BLOCK = 65_536;

/** A long list of numbers that grows without ever being copied, so that no memory waits to be collected. */
export class NumberList {
	readonly #blocks: (Float64Array | Uint32Array)[] = [];
	#length = 0;

	/** @param kind - what the numbers are: 32 bits without a sign, or whole ones up to 2^53 and below zero */
	constructor(private readonly kind: typeof Float64Array | typeof Uint32Array) {}

	get length(): number {
		return this.#length;
	}

	push(value: number): void {
		const at = this.#length++;
		const offset = at % BLOCK;
		if (offset === 0) this.#blocks.push(new this.kind(BLOCK));
		this.#blocks[(at - offset) / BLOCK]![offset] = value;
	}

	/** @param at - 0 or more, and less than the length */
	at(at: number): number {
		return this.#blocks[Math.floor(at / BLOCK)]![at % BLOCK]!;
	}
}
