import type { HashedBucket } from '../core/hashed-bucket';
import type { EntityPolicy } from '../core/policy';
import { type DigestShape, digestOf, type HashSums, linkDigest, type RowDigest } from '../core/row-digest';
import type { StoreChanges } from './store-changes';
import type { LoadedLink, ScanRequest, SyncStore } from './sync-store';

/** What the store knows of the rows of systems, as hashes: by them, many records are compared without reading any. */
export interface StoreDigests {
	/** Sums of the hashes of all links of an entity, as they are at one moment. */
	sums(request: DigestsRequest): Promise<DigestSums>;
	/** The records in some buckets of one shape, with the ids of their links. */
	inBuckets(request: BucketsRequest): Promise<readonly HashedBucket[]>;
	/** A page of the links of which the systems do not all show the same, in the order of their ids. */
	differing(request: ScanRequest & { readonly entity: string }): Promise<readonly LoadedLink[]>;
	/** Works out the digests that were made by other shapes, or not at all. */
	refresh(policy: string, entity: EntityPolicy): Promise<void>;
	/** What has been written since an earlier look. Absent: this store cannot tell. */
	readonly changes?: StoreChanges;
}

export interface DigestsRequest {
	readonly policy: string;
	readonly entity: string;
	readonly shapes: readonly DigestShape[];
	/** A record is in the bucket that these bits of its key's hash name. */
	readonly mask: number;
}

export interface DigestSums {
	readonly links: number;
	/** Links without a digest by one of these shapes: the sums know nothing of them. */
	readonly stale: number;
	/** Links of which the systems do not all show the same. */
	readonly differing: number;
	/** In the order of the shapes. */
	readonly sides: readonly HashSums[];
}

export interface BucketsRequest extends Omit<DigestsRequest, 'shapes'> {
	readonly shape: DigestShape;
	readonly buckets: readonly number[];
}

export const hashText = ({ key, row }: RowDigest): string => `${key} ${row ?? '-'}`;

const PAGE = 1_000;

/** Of a store that keeps no digests: all documents are read, a page at a time. */
export function scannedDigests(store: Pick<SyncStore, 'scanLinks'>, entity: EntityPolicy): StoreDigests {
	return {
		sums: async (request) => {
			const sides = request.shapes.map(() => new Summed(request.mask));
			let [links, differing] = [0, 0];
			for await (const { state } of linksOf(store, request)) {
				links += 1;
				if (linkDigest(state, entity).differs) differing += 1;
				request.shapes.forEach((shape, at) => sides[at]?.add(digestOf(state, shape)));
			}
			return { links, differing, stale: 0, sides: sides.map((side) => side.result) };
		},
		inBuckets: async (request) => {
			const wanted = new Set(request.buckets);
			const found = new Map<number, { hashes: string[]; ids: string[] }>();
			for await (const { state } of linksOf(store, request)) {
				const digest = digestOf(state, request.shape);
				if (digest === null) continue;
				const bucket = bucketOf(digest.key, request.mask);
				if (!wanted.has(bucket)) continue;
				const rows = found.get(bucket) ?? { hashes: [], ids: [] };
				found.set(bucket, rows);
				rows.hashes.push(hashText(digest));
				rows.ids.push(state.id);
			}
			return [...found].map(([bucket, { hashes, ids }]) => ({ bucket, hashes: hashes.join(','), ids: ids.join(' ') }));
		},
		differing: async ({ limit, ...request }) => {
			const found: LoadedLink[] = [];
			for await (const link of linksOf(store, request)) {
				if (linkDigest(link.state, entity).differs) found.push(link);
				if (found.length === limit) break;
			}
			return found;
		},
		refresh: async () => undefined,
	};
}

async function* linksOf(store: Pick<SyncStore, 'scanLinks'>, { policy, entity, afterId }: Omit<ScanRequest, 'limit'>): AsyncGenerator<LoadedLink, void, undefined> {
	let after = afterId;
	for (;;) {
		const page = await store.scanLinks({ policy, limit: PAGE, ...(entity === undefined ? {} : { entity }), ...(after === undefined ? {} : { afterId: after }) });
		yield* page;
		after = page.at(-1)?.state.id;
		if (page.length < PAGE) return;
	}
}

export const bucketOf = (key: bigint, mask: number): number => Number(key & BigInt(mask));

/** Sums by bucket; the hash of what equals no row is left out, so that its bucket differs. */
class Summed {
	readonly #sums = new Map<number, bigint>();
	#rows = 0;

	constructor(private readonly mask: number) {}

	add(digest: RowDigest | null): void {
		if (digest === null) return;
		const bucket = bucketOf(digest.key, this.mask);
		this.#rows += 1;
		this.#sums.set(bucket, (this.#sums.get(bucket) ?? 0n) + (digest.row ?? 0n));
	}

	get result(): HashSums {
		return { rows: this.#rows, sums: new Map([...this.#sums].map(([bucket, sum]) => [bucket, String(sum)])) };
	}
}
