import type { PgoutputMessage, RelationColumn } from '../../src/postgres/pgoutput';
import { type Tuple, UNCHANGED } from '../../src/postgres/pgoutput-reader';

const EPOCH_OFFSET_MS = 946_684_800_000;
const IDENTITIES = { default: 'd', nothing: 'n', full: 'f', index: 'i' } as const;

/** The bytes a server would send for a message: the decoder's counterpart, for tests. */
export function encodePgoutput(message: PgoutputMessage): Buffer {
	switch (message.tag) {
		case 'begin':
			return join('B', int64(message.commitLsn), time(message.commitTsMs), int32(message.xid));
		case 'commit':
			return join(
				'C',
				int8(0),
				int64(message.commitLsn),
				int64(message.endLsn),
				time(message.commitTsMs),
			);
		case 'origin':
			return join('O', int64(0n), cString(message.name));
		case 'relation':
			return join(
				'R',
				int32(message.oid),
				cString(message.schema),
				cString(message.name),
				IDENTITIES[message.replicaIdentity],
				int16(message.columns.length),
				...message.columns.map(column),
			);
		case 'type':
			return join('Y', int32(message.oid), cString(message.schema), cString(message.name));
		case 'insert':
			return join('I', int32(message.relationOid), 'N', tuple(message.new));
		case 'update':
			return join('U', int32(message.relationOid), ...old(message), 'N', tuple(message.new));
		case 'delete':
			return join('D', int32(message.relationOid), ...old(message));
		case 'truncate':
			return join(
				'T',
				int32(message.relationOids.length),
				int8((message.cascade ? 1 : 0) + (message.restartIdentity ? 2 : 0)),
				...message.relationOids.map(int32),
			);
		case 'message':
			return join(
				'M',
				int8(message.transactional ? 1 : 0),
				int64(message.lsn),
				cString(message.prefix),
				text(message.content),
			);
	}
}

function old(message: { old: Tuple | null; oldIsKeyOnly: boolean }): (Buffer | string)[] {
	return message.old ? [message.oldIsKeyOnly ? 'K' : 'O', tuple(message.old)] : [];
}

function tuple(values: Tuple | null): Buffer {
	const columns = (values ?? []).map((value) => {
		if (value === null) return join('n');
		return value === UNCHANGED ? join('u') : join('t', text(value));
	});
	return join(int16(columns.length), ...columns);
}

function column({ isIdentity, name, typeOid, typeModifier }: RelationColumn): Buffer {
	return join(int8(isIdentity ? 1 : 0), cString(name), int32(typeOid), int32(typeModifier >>> 0));
}

const join = (...parts: (Buffer | string)[]): Buffer =>
	Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));

const cString = (value: string): Buffer => Buffer.from(`${value}\0`);

function text(value: string): Buffer {
	const bytes = Buffer.from(value);
	return join(int32(bytes.length), bytes);
}

const int8 = (value: number): Buffer => Buffer.from([value]);

function int16(value: number): Buffer {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(value);
	return bytes;
}

function int32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}

function int64(value: bigint): Buffer {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(value);
	return bytes;
}

function time(ms: number): Buffer {
	const bytes = Buffer.alloc(8);
	bytes.writeBigInt64BE(BigInt(ms - EPOCH_OFFSET_MS) * 1000n);
	return bytes;
}
