import type { LargeChanges } from './large-changes';
import type { RelationMessage } from './pgoutput';
import type { Tuple } from './pgoutput-reader';
import { type Columns, identityPlanOf, planOf, type RowValues } from './row-plan';

/** A committed transaction, whole: what happened, in the order in which it happened. */
export interface SourceTransaction {
	/** Unsigned 32 bits; used again after a wraparound. */
	readonly xid: number;
	/** Where the commit record starts. Commit positions order transactions; the same one comes back after a restart. */
	readonly commitLsn: bigint;
	/** What to acknowledge once this transaction is safe. */
	readonly endLsn: bigint;
	/** Commit time by the server's clock, milliseconds since 1970. */
	readonly commitTsMs: number;
	/** The replication origin the transaction came from, or null when it was made on this server. */
	readonly origin: string | null;
	/** All changes, or those before the ones in `spool`. `takeEvents` takes them out. */
	readonly changes: SourceChange[];
	/** Further changes of a transaction that is too large for memory; see `largeTransactionEvents`. Absent: there are none. */
	readonly spool?: LargeChanges;
}

export type SourceChange = RowChange | MessageChange | RelationChange;

/** One row inserted, updated or deleted, or one table truncated (then `old` and `new` are null). */
export interface RowChange {
	readonly kind: 'row';
	readonly op: 'i' | 'u' | 'd' | 't';
	readonly relation: Relation;
	/** Where the change stands in the log: distinct for each change of a transaction, but of a multi-row record. */
	readonly lsn: bigint;
	/** The version before; see `RowMessage.old`. */
	readonly old: Tuple | null;
	/** Only the identity columns of `old` mean anything. */
	readonly oldIsKeyOnly: boolean;
	readonly new: Tuple | null;
}

/** A transactional message of `pg_logical_emit_message`, at the place where it was emitted. */
export interface MessageChange {
	readonly kind: 'message';
	readonly lsn: bigint;
	readonly prefix: string;
	readonly content: string;
}

/** A table appears for the first time in this stream, or in another shape than before. */
export interface RelationChange {
	readonly kind: 'relation';
	readonly lsn: bigint;
	readonly relation: Relation;
	readonly previous: Relation | null;
}

/** A table and its published columns, as they were at the time of a change. */
export type Relation = Omit<RelationMessage, 'tag'>;

/** The JSON values of a row version (see `readerOfType`); the tuple itself keeps the server's texts. */
export function rowValues(relation: Columns, tuple: Tuple): RowValues {
	return planOf(relation).read(tuple);
}

/**
 * The JSON values of the version before a change: every column, or those of the replica identity,
 * or null when the server sent no such version.
 */
export function oldRowValues({ relation, old, oldIsKeyOnly }: RowChange): RowValues | null {
	if (old === null) return null;
	return (oldIsKeyOnly ? identityPlanOf(relation) : planOf(relation)).read(old);
}
