import { keySumOf, unpaired } from '../../src/core/hashed-bucket';
import { isOfUse, type KeptComparison, MAX_WRITTEN, type Seen } from '../../src/core/kept-comparison';
import type { ListRules } from '../../src/core/reconcile-lists';
import { chunks } from './chunks';
import { LISTED, settled } from './hashed-side';
import { distinctKeys, type KeyTexts, type Sides, type TableSide } from './table-side';

/** What n8n keeps of a node between the executions of a published workflow, as JSON. */
export type TablesMemory = Record<string, unknown>;

export interface TablesByHash {
	readonly rows: { readonly a: number; readonly b: number };
	/** Of the rows that are not the same by their hashes, and of those that only one table has. */
	readonly keys: readonly KeyTexts[];
	/** When all was hashed for the last time, in milliseconds, where only what has been written since the last comparison was looked at. */
	readonly wholeAtMs?: number;
}

const KEPT = 'compared';
/** Characters of keys: n8n writes its memory whole, and reads it with each execution. */
const MAX_REMEMBERED = 100_000;

interface Kept extends Pick<KeptComparison, 'wholeAtMs'> {
	readonly seen: Readonly<Record<'a' | 'b', Seen>>;
	readonly keys: readonly KeyTexts[];
}

/**
 * Where a comparison of two tables begins, and what the next one begins with. Each table is looked at as it was at a moment of
 * its own: what nobody has written since in either of them is as it was then.
 */
export class TablesBefore {
	private constructor(
		private readonly sides: Sides,
		private readonly memory: TablesMemory,
		private readonly seen: Kept['seen'],
	) {}

	/** Null: what has been written since cannot be told. */
	static async of({ a, b }: Sides, { keys, fields }: ListRules, memory: TablesMemory): Promise<TablesBefore | null> {
		const names = JSON.stringify([keys, fields.map((field) => [field.a, field.b])]);
		const [seenA, seenB] = await settled([seenOf(a, names), seenOf(b, names)] as const);
		return seenA && seenB && new TablesBefore({ a, b }, memory, { a: seenA, b: seenB });
	}

	/** Null: all has to be hashed, as there is nothing to begin with, or too much has been written, or rows are gone from one of the tables. */
	async compare(): Promise<TablesByHash | null> {
		const kept = this.#kept();
		if (!kept) return null;
		const { a, b } = this.sides;
		const [writtenA, writtenB] = await settled([a.writtenSince(kept.seen.a.horizon, MAX_WRITTEN), b.writtenSince(kept.seen.b.horizon, MAX_WRITTEN)] as const);
		if (!writtenA || !writtenB) return null;
		const keys = distinctKeys([...writtenA, ...writtenB, ...kept.keys]);
		const [allA, allB] = await settled([a.keySum(), b.keySum()] as const);
		const found = await this.#compareRows(keys);
		if (allA.sum - found.a !== allB.sum - found.b) return null;
		this.keep(found.keys, kept.wholeAtMs);
		return { rows: { a: allA.rows, b: allB.rows }, keys: found.keys, wholeAtMs: kept.wholeAtMs };
	}

	/** @param wholeAtMs - null: just now */
	keep(keys: readonly KeyTexts[], wholeAtMs: number | null): void {
		const next: Kept = { seen: this.seen, keys, wholeAtMs: wholeAtMs ?? Date.now() };
		if (JSON.stringify(keys).length <= MAX_REMEMBERED) this.memory[KEPT] = next;
		else delete this.memory[KEPT];
	}

	#kept(): Kept | null {
		const kept = this.memory[KEPT] as Kept | undefined;
		const { a, b } = this.seen;
		return kept && isOfUse(kept, { identities: { a: a.identity, b: b.identity }, ms: Date.now() }) ? kept : null;
	}

	/** Of these keys: the sum of those that each table has, and which are not the same in both. */
	async #compareRows(keys: readonly KeyTexts[]): Promise<{ a: bigint; b: bigint; keys: readonly KeyTexts[] }> {
		const { a, b } = this.sides;
		const found = { a: 0n, b: 0n, keys: [] as KeyTexts[] };
		for (const some of chunks(keys, LISTED)) {
			const [mine, theirs] = await settled([a.find(some), b.find(some)] as const);
			found.a += keySumOf(mine);
			found.b += keySumOf(theirs);
			const differing = unpaired(mine, theirs);
			found.keys.push(...distinctKeys([...(await a.keysAt(differing.mine)), ...(await b.keysAt(differing.theirs))]));
		}
		return found;
	}
}

async function seenOf(side: TableSide, names: string): Promise<Seen | null> {
	return side.identity === null ? null : { identity: `${side.identity} ${names}`, horizon: await side.horizon() };
}
