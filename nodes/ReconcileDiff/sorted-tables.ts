import { compareKeys } from '../../src/postgres/rows-by-text';
import type { KeyTexts, Row, Sides, TableSide } from './table-side';

/** Rows in a batch, at least, but for the last one. */
const BATCH = 500;

/** Rows of both sides, in batches in which each key is whole. */
export async function* merged({ a, b }: Sides): AsyncGenerator<{ a: Row[]; b: Row[] }, void, undefined> {
	const [rowsA, rowsB] = [new Ahead(a.sorted()), new Ahead(b.sorted())];
	let batch: { a: Row[]; b: Row[] } = { a: [], b: [] };
	for (;;) {
		const [nextA, nextB] = [await rowsA.peek(), await rowsB.peek()];
		if (!nextA && !nextB) break;
		const lowest = nextA && (!nextB || compareKeys(nextA.key, nextB.key) <= 0) ? nextA.key : (nextB?.key ?? []);
		batch.a.push(...(await rowsA.take(lowest)));
		batch.b.push(...(await rowsB.take(lowest)));
		if (batch.a.length + batch.b.length < BATCH) continue;
		yield batch;
		batch = { a: [], b: [] };
	}
	yield batch;
}

type Sorted = ReturnType<TableSide['sorted']>;
type Next = { readonly key: KeyTexts; readonly row: Row } | undefined;

/** Rows of one side, with a look at the next one. */
class Ahead {
	#next: Next | null = null;

	constructor(private readonly rows: Sorted) {}

	async peek(): Promise<Next> {
		if (this.#next === null) this.#next = (await this.rows.next()).value ?? undefined;
		return this.#next;
	}

	/** All rows with this key. */
	async take(key: KeyTexts): Promise<Row[]> {
		const taken: Row[] = [];
		for (let next = await this.peek(); next && compareKeys(next.key, key) === 0; next = await this.peek()) {
			taken.push(next.row);
			this.#next = null;
		}
		return taken;
	}
}
