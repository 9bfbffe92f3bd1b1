import { unpaired } from '../../src/core/hashed-bucket';
import { MAX_SUSPECTS } from '../../src/core/kept-comparison';
import type { Key } from '../../src/core/link';
import type { HashSums } from '../../src/core/row-digest';
import { type DigestSums, scannedDigests, type StoreDigests } from '../../src/store/store-digests';
import { type ByChange, ComparedBefore } from './by-change';
import { chunks } from './chunks';
import { type ByHashParts, hashedSides, type HashedSide, settled, suspectKeys } from './hashed-side';

export interface ByHash {
	readonly links: number;
	/** By system. */
	readonly rows: Readonly<Record<string, number>>;
	/** Keys of a system's rows that are not by their hashes what the store knows of them, and of those that it knows and are not there. */
	suspects(system: string): AsyncIterable<readonly Key[]>;
	/** Of the links whose systems do not all show the same. */
	readonly digests: StoreDigests;
	readonly differing: number;
	/** When all was hashed for the last time, in milliseconds, where only what has been written since the last comparison was looked at. */
	readonly wholeAtMs?: number;
	/** Leaves what the next comparison begins with. Only once all suspects have been listed. */
	keep?(): Promise<void>;
}

/** Rows of a bucket, at least. The more there are, the more is listed where one differs; the fewer, the more sums travel. */
const ROWS_OF_BUCKET = 16;
const MIN_BUCKETS = 64;
/** The servers' tables of sums stay in their processors' caches: with four times as many, grouping takes half as long as hashing. */
const MAX_BUCKETS = 16_384;
const UNKNOWN_ROWS = 1_000_000;
/** Rows that are listed at once: each list is a look at all of them. */
const LISTED = 200_000;
/** So often digests are worked out that other processes leave behind. */
const MAX_REFRESHES = 3;

/**
 * Compares each side with what the store knows of that side, by what has been written since the last comparison where that is
 * wanted and can be told, else by the hashes of all rows.
 *
 * @returns why not, where the rows of one side cannot be compared so
 */
export async function compareByHash(parts: ByHashParts): Promise<ByHash | string> {
	const sides = await hashedSides(parts);
	if (typeof sides === 'string') return sides;
	const digests = parts.store.digests ?? scannedDigests(parts.store, parts.entity);
	const before = parts.keeps === true ? await ComparedBefore.of(parts, sides, digests.changes) : null;
	const changed = (await before?.compare()) ?? null;
	if (before && changed) return byChange(changed, before, digests);
	const whole = await compareSums(parts, { sides, digests, onRefreshed: async () => await before?.refreshed() });
	return before && typeof whole !== 'string' ? keeping(whole, before) : whole;
}

function byChange({ suspects, ...found }: ByChange, before: ComparedBefore, digests: StoreDigests): ByHash {
	return {
		...found,
		digests,
		async *suspects(system) {
			yield suspects[system] ?? [];
		},
		keep: async () => await before.keep(suspects, false),
	};
}

/** Notes the suspects as they are listed. */
function keeping(whole: ByHash, before: ComparedBefore): ByHash {
	const suspects: Record<string, Key[]> = {};
	return {
		...whole,
		async *suspects(system) {
			const mine: Key[] = (suspects[system] = []);
			for await (const keys of whole.suspects(system)) {
				// More are not kept, and need not be noted.
				if (mine.length <= MAX_SUSPECTS) for (const key of keys) mine.push(key);
				yield keys;
			}
		},
		keep: async () => await before.keep(suspects, true),
	};
}

interface Summing {
	readonly sides: readonly HashedSide[];
	readonly digests: StoreDigests;
	onRefreshed(): Promise<void>;
}

/**
 * By sums of hashes that are computed where the rows are; lists those that differ. What is listed may be equal all the same
 * (it is changing, or its text is another one); what is not listed is to the letter what the store knows, but for a chance
 * of 1 in 2^64 for each bucket that differs.
 */
async function compareSums(parts: ByHashParts, { sides, digests, onRefreshed }: Summing): Promise<ByHash | string> {
	const mask = maskFor(sides.map(({ hashing }) => hashing.estimate));
	const summing = sides.map(async ({ hashing }) => await hashing.sums(mask));
	const [known, ...found] = await settled([sumsOf(parts, { sides, digests, onRefreshed, mask }), ...summing] as const);
	if (known === null) return 'other processes keep committing without hashes';
	const rows = sides.map(({ system }, at): [string, number] => [system, found[at]?.rows ?? 0]);
	const suspects = (system: string): AsyncIterable<readonly Key[]> => {
		const at = sides.findIndex((side) => side.system === system);
		const [side, mine, theirs] = [sides[at], found[at], known.sides[at]];
		if (!side || !mine || !theirs) throw new TypeError(`there are no sums of ${system}`);
		return suspectsIn(differingBuckets(mine, theirs), { side, digests, parts, mask, rows: mine.rows });
	};
	return { links: known.links, differing: known.differing, rows: Object.fromEntries(rows), suspects, digests };
}

/** @param estimates - of the rows of each side; null: nobody knows */
export function maskFor(estimates: readonly (number | null)[]): number {
	const rows = Math.max(...estimates.map((estimate) => estimate ?? UNKNOWN_ROWS));
	const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, rows / ROWS_OF_BUCKET)));
	return Math.min(MAX_BUCKETS, Math.max(MIN_BUCKETS, wanted)) - 1;
}

/** How many buckets' rows are listed at once, of so many rows. */
export function bucketsListed(mask: number, rows: number): number {
	return Math.max(1, Math.floor((LISTED * (mask + 1)) / Math.max(1, rows)));
}

/** Null: there are links that have no digests each time. */
async function sumsOf({ policy, entity }: ByHashParts, { sides, digests, onRefreshed, mask }: Summing & { mask: number }): Promise<DigestSums | null> {
	const request = { policy, entity: entity.name, shapes: sides.map(({ shape }) => shape), mask };
	for (let turn = 0; turn <= MAX_REFRESHES; turn++) {
		const sums = await digests.sums(request);
		if (sums.stale === 0) return sums;
		await digests.refresh(policy, entity);
		await onRefreshed();
	}
	return null;
}

export function differingBuckets(mine: HashSums, theirs: HashSums): number[] {
	const all = new Set([...mine.sums.keys(), ...theirs.sums.keys()]);
	return [...all].filter((bucket) => mine.sums.get(bucket) !== theirs.sums.get(bucket));
}

interface Drill {
	readonly side: HashedSide;
	readonly digests: StoreDigests;
	readonly parts: ByHashParts;
	readonly mask: number;
	readonly rows: number;
}

async function* suspectsIn(buckets: readonly number[], { side, digests, parts, mask, rows: all }: Drill): AsyncGenerator<readonly Key[], void, undefined> {
	for (const wanted of chunks(buckets, bucketsListed(mask, all))) {
		const [mine, theirs] = await settled([
			side.hashing.inBuckets(mask, wanted),
			digests.inBuckets({ policy: parts.policy, entity: parts.entity.name, shape: side.shape, mask, buckets: wanted }),
		] as const);
		yield await suspectKeys(unpaired(mine, theirs), side, parts);
	}
}
