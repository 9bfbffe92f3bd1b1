import { SyncError } from '../core/errors';
import { readUint64 } from './pgoutput-reader';

/**
 * The envelope around the plugin's messages ("Streaming Replication Protocol" in the manual):
 * what the server sends while it streams, and the status updates that we send.
 */
export type ReplicationMessage =
	| {
			readonly tag: 'data';
			/** The position of the change, commit or message in the log. */
			readonly lsn: bigint;
			/** The plugin's message is `bytes` from here on. */
			readonly payloadStart: number;
	  }
	| {
			readonly tag: 'keepalive';
			/** Everything before this position that concerns us has been sent. */
			readonly walEnd: bigint;
			/** The server waits for a status update and ends the session if none comes. */
			readonly replyRequested: boolean;
	  };

const DATA = 0x77; // w
const KEEPALIVE = 0x6b; // k
const DATA_HEADER_BYTES = 25;
const KEEPALIVE_BYTES = 18;

/** @throws SyncError DECODE_FAILED */
export function decodeReplicationMessage(bytes: Buffer): ReplicationMessage {
	if (bytes[0] === DATA && bytes.length >= DATA_HEADER_BYTES) {
		return { tag: 'data', lsn: readUint64(bytes, 1), payloadStart: DATA_HEADER_BYTES };
	}
	if (bytes[0] === KEEPALIVE && bytes.length === KEEPALIVE_BYTES) {
		return { tag: 'keepalive', walEnd: bytes.readBigUInt64BE(1), replyRequested: bytes[17] === 1 };
	}
	throw new SyncError(
		'DECODE_FAILED',
		`The change stream sent ${bytes.length} bytes that are no message`,
	);
}

/** From the Postgres epoch, 2000-01-01 UTC, back to 1970. */
const EPOCH_OFFSET_MS = 946_684_800_000;

/**
 * A standby status update.
 *
 * All three positions are the acknowledged one. "Written" could run ahead of it, but then the
 * server would not tell us its own position when it falls idle, and an idle slot could not move.
 *
 * @param nowMs - the client's clock, milliseconds since 1970; the server only displays it
 * @param wantsReply - asks for a keepalive, which proves that the server is there
 */
export function encodeStatusUpdate(
	acknowledged: bigint,
	nowMs: number,
	wantsReply: boolean,
): Buffer {
	const bytes = Buffer.alloc(34);
	bytes.write('r', 0, 'latin1');
	bytes.writeBigUInt64BE(acknowledged, 1);
	bytes.writeBigUInt64BE(acknowledged, 9);
	bytes.writeBigUInt64BE(acknowledged, 17);
	bytes.writeBigInt64BE(BigInt(Math.trunc(nowMs) - EPOCH_OFFSET_MS) * 1000n, 25);
	bytes.writeUInt8(wantsReply ? 1 : 0, 33);
	return bytes;
}
