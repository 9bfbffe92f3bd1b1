import type { ChangeEvent } from '../../src/core/change-event';
import type { HashedBucket } from '../../src/core/hashed-bucket';
import type { Key } from '../../src/core/link';
import type { DigestShape, HashSums } from '../../src/core/row-digest';

/** One system's rows as they were at one place of its stream, which has been observed past it. What it gives are reads: events with `source.fresh`. */
export interface RowSource {
	readonly system: string;
	/** The place, as Postgres prints it. */
	readonly lsn: string;
	/** All rows of an entity, in pages. */
	rows(entity: string): AsyncIterable<readonly ChangeEvent[]>;
	/** Of these records: the rows that are there, and that the others are gone. */
	read(entity: string, keys: readonly Key[]): Promise<readonly ChangeEvent[]>;
	/** Of these records, that those are gone that have no row. */
	missing(entity: string, keys: readonly Key[]): Promise<readonly ChangeEvent[]>;
	/** Hashes of all rows, computed where they are; a text says why there are none. Absent: this source has none. */
	hashing?(shape: DigestShape): Promise<RowHashing | string>;
	close(): Promise<void>;
}

/** An entity's rows as hashes. A row is in the bucket that the bits of `mask` of its key's hash name. */
export interface RowHashing {
	/** How many rows there are, about; null: nobody knows. */
	readonly estimate: number | null;
	sums(mask: number): Promise<HashSums>;
	inBuckets(mask: number, buckets: readonly number[]): Promise<readonly HashedBucket[]>;
	/** Of the rows with these ids. */
	keysAt(ids: readonly string[]): Promise<readonly Key[]>;
	/** Absent: what has been written since cannot be told. */
	readonly changes?: RowChanges;
}

/** What has been written of a table since an earlier look. */
export interface RowChanges {
	/** See `Seen`. */
	readonly identity: string;
	horizon(): Promise<string>;
	/** All rows as they are now, and which of them have been written since. Null: the horizon is too far away, or more have been written. */
	since(horizon: string, most: number): Promise<{ readonly rows: number; readonly ids: readonly string[] } | null>;
	/** The hashes of the rows with these keys, as if they were a bucket. */
	find(keys: readonly Key[]): Promise<readonly HashedBucket[]>;
}
