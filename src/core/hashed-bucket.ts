/** The rows of one bucket, as texts: they may be many, and few of them are looked at. */
export interface HashedBucket {
	readonly bucket: number;
	/**
	 * Of each row the hashes of its key and of all of it with a space between, and a comma between two rows. What equals no
	 * row has "-" for the second, as no row has.
	 */
	readonly hashes: string;
	/** In the same order, with a space between two. */
	readonly ids: string;
}

/** Ids of rows. */
export interface Unpaired {
	/** Of which the other side has none like it. */
	readonly mine: readonly string[];
	/** The same, without those whose key is a key of `mine`: who looks at that one looks at them. */
	readonly theirs: readonly string[];
}

/** What either side has in some buckets and the other has not. */
export function unpaired(mine: readonly HashedBucket[], theirs: readonly HashedBucket[]): Unpaired {
	const left = new Map(mine.map((bucket) => [bucket.bucket, bucket]));
	const found: { mine: string[]; theirs: string[] } = { mine: [], theirs: [] };
	const add = (some: Unpaired): void => {
		found.mine.push(...some.mine);
		found.theirs.push(...some.theirs);
	};
	for (const bucket of theirs) {
		add(pair(rowsOf(left.get(bucket.bucket)), rowsOf(bucket)));
		left.delete(bucket.bucket);
	}
	for (const bucket of left.values()) add({ mine: rowsOf(bucket).ids, theirs: [] });
	return found;
}

interface Rows {
	readonly hashes: readonly string[];
	readonly ids: readonly string[];
}

const rowsOf = (bucket: HashedBucket | undefined): Rows => (bucket === undefined ? { hashes: [], ids: [] } : { hashes: bucket.hashes.split(','), ids: bucket.ids.split(' ') });

function pair(mine: Rows, theirs: Rows): Unpaired {
	const left = new Map<string, number>();
	for (const hash of mine.hashes) left.set(hash, (left.get(hash) ?? 0) + 1);
	const take = (hash: string): boolean => {
		const count = left.get(hash) ?? 0;
		if (count > 0) left.set(hash, count - 1);
		return count > 0;
	};
	const unknown = theirs.hashes.flatMap((hash, at) => (take(hash) ? [] : [at]));
	const own = mine.hashes.flatMap((hash, at) => (take(hash) ? [at] : []));
	const keys = new Set(own.map((at) => keyHashIn(mine.hashes[at])));
	return {
		mine: own.map((at) => mine.ids[at] ?? ''),
		theirs: unknown.flatMap((at) => (keys.has(keyHashIn(theirs.hashes[at])) ? [] : [theirs.ids[at] ?? ''])),
	};
}

/** The first of the two. */
export const keyHashIn = (hash = ''): string => hash.slice(0, hash.indexOf(' '));

/** Rows that were looked up one by one, as if they were a bucket; none where there are none. */
export function oneBucket(rows: readonly (readonly [hash: string, id: string])[]): HashedBucket[] {
	if (rows.length === 0) return [];
	return [{ bucket: 0, hashes: rows.map(([hash]) => hash).join(','), ids: rows.map(([, id]) => id).join(' ') }];
}

/** How many rows they have. */
export const countOf = (buckets: readonly HashedBucket[]): number => buckets.reduce((sum, { ids }) => sum + ids.split(' ').length, 0);

/** Of the hashes of their keys. */
export const keySumOf = (buckets: readonly HashedBucket[]): bigint =>
	buckets.reduce((sum, { hashes }) => hashes.split(',').reduce((all, hash) => all + BigInt(keyHashIn(hash)), sum), 0n);
