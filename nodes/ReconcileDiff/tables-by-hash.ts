import { unpaired } from '../../src/core/hashed-bucket';
import type { ListRules } from '../../src/core/reconcile-lists';
import { bucketsListed, differingBuckets, maskFor } from './by-hash';
import { chunks } from './chunks';
import { settled } from './hashed-side';
import { distinctKeys, type KeyTexts, type Sides } from './table-side';
import { TablesBefore, type TablesByHash, type TablesMemory } from './tables-before';

/** Of the sums: where more differ, and there are more rows than these, the tables are read whole. */
const MOST_DIFFERING = 1 / 2;
const MANY_ROWS = 40_000;

/**
 * By hashes that the servers compute: of what has been written since the last comparison where that is kept, else of all rows.
 *
 * @param memory - where comparisons leave what the next one begins with; null: none is wanted
 * @returns why not, where the rows cannot be compared so
 */
export async function tablesByHash(sides: Sides, rules: ListRules, memory: TablesMemory | null): Promise<TablesByHash | string> {
	const { a, b } = sides;
	const [ofA, ofB] = [rules.fields.map((field) => field.a), rules.fields.map((field) => field.b)];
	const whyNot = (await typesApart(sides, [ofA, ofB], rules)) ?? (await a.prepareHashes(ofA)) ?? (await b.prepareHashes(ofB));
	if (whyNot !== null) return whyNot;
	const before = memory && (await TablesBefore.of(sides, rules, memory));
	const changed = await before?.compare();
	if (changed) return changed;
	const whole = await compareSums(sides);
	if (before && typeof whole !== 'string') before.keep(whole.keys, null);
	return whole;
}

async function compareSums({ a, b }: Sides): Promise<TablesByHash | string> {
	const mask = maskFor([a.estimate, b.estimate]);
	const [sumsA, sumsB] = await settled([a.sums(mask), b.sums(mask)] as const);
	const buckets = differingBuckets(sumsA, sumsB);
	const rows = Math.max(sumsA.rows, sumsB.rows, 1);
	if (rows > MANY_ROWS && buckets.length > (mask + 1) * MOST_DIFFERING) return 'most of it differs';
	const keys: KeyTexts[] = [];
	for (const some of chunks(buckets, bucketsListed(mask, rows))) {
		const { mine, theirs } = unpaired(...(await settled([a.inBuckets(mask, some), b.inBuckets(mask, some)] as const)));
		for (const key of [...(await a.keysAt(mine)), ...(await b.keysAt(theirs))]) keys.push(key);
	}
	return { rows: { a: sumsA.rows, b: sumsB.rows }, keys: distinctKeys(keys) };
}

const TEXTS: ReadonlySet<number> = new Set([25, 1043]);

/** Texts of different types are spelled differently, so that by hashes nearly all rows would differ. Null: none are. */
async function typesApart({ a, b }: Sides, [ofA, ofB]: readonly [readonly string[], readonly string[]], { keys }: ListRules): Promise<string | null> {
	const [typesA, typesB] = [await a.typesOf([...keys.map((key) => key.a), ...ofA]), await b.typesOf([...keys.map((key) => key.b), ...ofB])];
	const place = typesA.findIndex(({ typeOid }, at) => {
		const other = typesB[at]?.typeOid ?? 0;
		return typeOid !== other && !(TEXTS.has(typeOid) && TEXTS.has(other));
	});
	return place === -1 ? null : `"${typesA[place]?.name}" and "${typesB[place]?.name}" are of different types`;
}
