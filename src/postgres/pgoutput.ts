import { malformed, PgoutputReader, type Tuple } from './pgoutput-reader';

/**
 * The messages of the `pgoutput` plugin, protocol version 1 with logical messages, as the manual
 * lists them ("Logical Replication Message Formats"). Transactions come whole and in commit
 * order: the tags of streamed and prepared transactions are never sent to us, because we do not ask.
 */
export type PgoutputMessage =
	| BeginMessage
	| CommitMessage
	| OriginMessage
	| RelationMessage
	| TypeMessage
	| RowMessage
	| TruncateMessage
	| LogicalMessage;

export interface BeginMessage {
	readonly tag: 'begin';
	/** Where the commit record starts. */
	readonly commitLsn: bigint;
	/** Commit time by the server's clock, milliseconds since 1970. */
	readonly commitTsMs: number;
	/** Unsigned 32 bits; used again after a wraparound, so it identifies nothing for long. */
	readonly xid: number;
}

export interface CommitMessage {
	readonly tag: 'commit';
	readonly commitLsn: bigint;
	/** The byte after the commit record: the position to acknowledge, exactly as it is. */
	readonly endLsn: bigint;
	readonly commitTsMs: number;
}

/** The transaction was replicated to the server from elsewhere (`pg_replication_origin`). */
export interface OriginMessage {
	readonly tag: 'origin';
	readonly name: string;
}

/** A table's shape; sent before its first row and again whenever it may have changed. */
export interface RelationMessage {
	readonly tag: 'relation';
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
	readonly replicaIdentity: ReplicaIdentity;
	readonly columns: readonly RelationColumn[];
}

/** What an old row version holds: key columns, nothing, every column, or those of an index. */
export type ReplicaIdentity = 'default' | 'nothing' | 'full' | 'index';

export interface RelationColumn {
	readonly name: string;
	readonly typeOid: number;
	readonly typeModifier: number;
	/** Part of the replica identity; with `full`, every column is. */
	readonly isIdentity: boolean;
}

/** The name of a type that is not built in; precedes the relation that uses it. */
export interface TypeMessage {
	readonly tag: 'type';
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
}

export interface RowMessage {
	readonly tag: 'insert' | 'update' | 'delete';
	readonly relationOid: number;
	/** Null for an insert, and for an update that left the replica identity as it was. */
	readonly old: Tuple | null;
	/** Only the identity columns of `old` mean anything; the others are null whatever they were. */
	readonly oldIsKeyOnly: boolean;
	/** Null for a delete. */
	readonly new: Tuple | null;
}

export interface TruncateMessage {
	readonly tag: 'truncate';
	readonly cascade: boolean;
	readonly restartIdentity: boolean;
	readonly relationOids: readonly number[];
}

/** From `pg_logical_emit_message`. */
export interface LogicalMessage {
	readonly tag: 'message';
	/** Otherwise it stands outside of transactions and is sent even if its own was rolled back. */
	readonly transactional: boolean;
	readonly lsn: bigint;
	readonly prefix: string;
	/** Bytes that are not UTF-8 become U+FFFD. */
	readonly content: string;
}

/** From the Postgres epoch, 2000-01-01 UTC, back to 1970. */
const EPOCH_OFFSET_MS = 946_684_800_000;

/** Which columns a table's rows are wanted with: their places, ascending; null: all. */
export type WantedColumns = (relationOid: number) => readonly number[] | null;

export const everyColumn: WantedColumns = () => null;

/**
 * Decodes one message.
 *
 * @param bytes - may be a view of a buffer that is used again: nothing of it is kept
 * @param start - where in `bytes` the message starts
 * @param wanted - absent: whole rows
 * @param end - where it ends; absent: with the bytes
 * @throws SyncError DECODE_FAILED, and nothing else, for bytes that are no such message
 */
export function decodePgoutput(bytes: Buffer, start = 0, wanted: WantedColumns = everyColumn, end: number = bytes.length): PgoutputMessage {
	const reader = new PgoutputReader(bytes, start, end);
	const message = readMessage(reader, wanted);
	reader.end();
	return message;
}

const INSERT = 0x49; // I
const UPDATE = 0x55; // U
const DELETE = 0x44; // D
const BEGIN = 0x42; // B
const COMMIT = 0x43; // C
const RELATION = 0x52; // R
const MESSAGE = 0x4d; // M
const TRUNCATE = 0x54; // T
const ORIGIN = 0x4f; // O
const TYPE = 0x59; // Y

function readMessage(reader: PgoutputReader, wanted: WantedColumns): PgoutputMessage {
	const tag = reader.uint8();
	switch (tag) {
		case INSERT:
			return readInsert(reader, wanted);
		case UPDATE:
			return readUpdate(reader, wanted);
		case DELETE:
			return readDelete(reader, wanted);
		case BEGIN:
			return readBegin(reader);
		case COMMIT:
			return readCommit(reader);
		case RELATION:
			return readRelation(reader);
		case MESSAGE:
			return readLogicalMessage(reader);
		case TRUNCATE:
			return readTruncate(reader);
		case ORIGIN:
			reader.uint64(); // The commit's position at the origin; of no use to us.
			return { tag: 'origin', name: reader.cString() };
		case TYPE:
			return {
				tag: 'type',
				oid: reader.uint32(),
				schema: reader.cString() || 'pg_catalog',
				name: reader.cString(),
			};
		default:
			throw malformed(`the unknown tag ${JSON.stringify(String.fromCharCode(tag))}`);
	}
}

const NEW_ROW = 0x4e; // N
const OLD_KEY = 0x4b; // K
const OLD_ROW = 0x4f; // O

function readInsert(reader: PgoutputReader, wanted: WantedColumns): RowMessage {
	const relationOid = reader.uint32();
	const places = wanted(relationOid);
	const kind = reader.uint8();
	if (kind !== NEW_ROW) throw unknownRow('an insert', kind);
	return { tag: 'insert', relationOid, old: null, oldIsKeyOnly: false, new: readTuple(reader, places) };
}

function readUpdate(reader: PgoutputReader, wanted: WantedColumns): RowMessage {
	const relationOid = reader.uint32();
	const places = wanted(relationOid);
	let kind = reader.uint8();
	let old: Tuple | null = null;
	const oldIsKeyOnly = kind === OLD_KEY;
	if (kind === OLD_KEY || kind === OLD_ROW) {
		old = readTuple(reader, places);
		kind = reader.uint8();
	}
	if (kind !== NEW_ROW) throw unknownRow('an update', kind);
	return { tag: 'update', relationOid, old, oldIsKeyOnly, new: readTuple(reader, places) };
}

function readDelete(reader: PgoutputReader, wanted: WantedColumns): RowMessage {
	const relationOid = reader.uint32();
	const places = wanted(relationOid);
	const kind = reader.uint8();
	if (kind !== OLD_KEY && kind !== OLD_ROW) throw unknownRow('a delete', kind);
	const oldIsKeyOnly = kind === OLD_KEY;
	return { tag: 'delete', relationOid, old: readTuple(reader, places), oldIsKeyOnly, new: null };
}

function readTuple(reader: PgoutputReader, places: readonly number[] | null): Tuple {
	return places === null ? reader.tuple() : reader.tupleOf(places);
}

function unknownRow(where: string, kind: number): Error {
	return malformed(`a row version of the unknown kind 0x${kind.toString(16)} in ${where}`);
}

function readBegin(reader: PgoutputReader): BeginMessage {
	return {
		tag: 'begin',
		commitLsn: reader.uint64(),
		commitTsMs: readTimeMs(reader),
		xid: reader.uint32(),
	};
}

function readCommit(reader: PgoutputReader): CommitMessage {
	reader.uint8(); // Flags, none defined.
	return {
		tag: 'commit',
		commitLsn: reader.uint64(),
		endLsn: reader.uint64(),
		commitTsMs: readTimeMs(reader),
	};
}

function readTimeMs(reader: PgoutputReader): number {
	return Number(reader.int64() / 1000n) + EPOCH_OFFSET_MS;
}

const REPLICA_IDENTITIES: Readonly<Record<string, ReplicaIdentity>> = {
	d: 'default',
	n: 'nothing',
	f: 'full',
	i: 'index',
};

/** Flags, the zero byte of an empty name, type number and type modifier. */
const SMALLEST_COLUMN_BYTES = 10;

function readRelation(reader: PgoutputReader): RelationMessage {
	const oid = reader.uint32();
	const schema = reader.cString() || 'pg_catalog';
	const name = reader.cString();
	const identity = String.fromCharCode(reader.uint8());
	const replicaIdentity = REPLICA_IDENTITIES[identity];
	if (!replicaIdentity) throw malformed(`the unknown replica identity ${JSON.stringify(identity)}`);
	const count = reader.uint16();
	if (count * SMALLEST_COLUMN_BYTES > reader.remaining) {
		throw malformed(`a relation of ${count} columns in too few bytes`);
	}
	const columns = Array.from({ length: count }, () => readColumn(reader));
	return { tag: 'relation', oid, schema, name, replicaIdentity, columns };
}

function readColumn(reader: PgoutputReader): RelationColumn {
	return {
		isIdentity: (reader.uint8() & 1) === 1,
		name: reader.cString(),
		typeOid: reader.uint32(),
		typeModifier: reader.int32(),
	};
}

function readTruncate(reader: PgoutputReader): TruncateMessage {
	const count = reader.uint32();
	const flags = reader.uint8();
	if (count * 4 > reader.remaining)
		throw malformed(`a truncate of ${count} tables in too few bytes`);
	return {
		tag: 'truncate',
		cascade: (flags & 1) === 1,
		restartIdentity: (flags & 2) === 2,
		relationOids: Array.from({ length: count }, () => reader.uint32()),
	};
}

function readLogicalMessage(reader: PgoutputReader): LogicalMessage {
	return {
		tag: 'message',
		transactional: (reader.uint8() & 1) === 1,
		lsn: reader.uint64(),
		prefix: reader.cString(),
		content: reader.text(reader.uint32()),
	};
}
