import type { ChangeEvent } from '../../src/core/change-event';
import type { Key } from '../../src/core/link';

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
	close(): Promise<void>;
}
