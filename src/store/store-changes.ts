import type { HashedBucket } from '../core/hashed-bucket';
import type { KeptComparison, Seen } from '../core/kept-comparison';
import type { DigestShape } from '../core/row-digest';
import type { RecordKey } from './sync-store';

/** What was compared. */
export interface ChangesOf {
	readonly policy: string;
	readonly entity: string;
	/** In the order of the comparison. */
	readonly systems: readonly string[];
}

export interface ChangesRequest {
	readonly policy: string;
	readonly entity: string;
	readonly shapes: readonly DigestShape[];
	readonly horizon: string;
	/** Of links that have been written since. */
	readonly most: number;
}

/** An entity's links at one moment, and what has been written of them since an earlier one. */
export interface LinkChanges {
	readonly links: number;
	/** See `DigestSums`. */
	readonly differing: number;
	/** In the order of the shapes: the rows that the streams have shown. */
	readonly rows: readonly number[];
	/** Links that have been written since. */
	readonly changed: readonly string[];
	/** Some of these have no digest by one of the shapes. */
	readonly isStale: boolean;
	/** Keys that these have by now. */
	keysOf(changed: readonly string[]): Promise<readonly RecordKey[]>;
	/** The hashes of the rows with these keys, as if they were a bucket; see `StoreDigests.inBuckets`. */
	find(shape: DigestShape, keys: readonly RecordKey[]): Promise<readonly HashedBucket[]>;
}

/** Where comparisons leave what the next one begins with. */
export interface StoreChanges {
	read(of: ChangesOf): Promise<KeptComparison | null>;
	/** @param kept - null: nothing is left to begin with */
	keep(of: ChangesOf, kept: KeptComparison | null): Promise<void>;
	/** Whatever is committed later is written since. */
	seen(): Promise<Seen & { readonly nowMs: number }>;
	/**
	 * All that `work` asks for is of one moment. It is not to ask the store for anything else: that could wait for this.
	 *
	 * @returns null: more links have been written since
	 */
	since<T>(request: ChangesRequest, work: (changes: LinkChanges) => Promise<T>): Promise<T | null>;
}
