import { SyncError } from './errors';

/** Two hexadecimal numbers of up to 32 bits: the log file and the byte in it. */
const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;
const MAX_LSN = 0xffff_ffff_ffff_ffffn;

/**
 * A log sequence number: a byte position in a server's write-ahead log, as Postgres prints it.
 *
 * @param text - "0/16B3748"; leading zeros and lower case are accepted
 * @returns the position, 0 to 2^64 - 1: a bigint, because it passes 2^53
 * @throws SyncError NOT_AN_LSN
 */
export function parseLsn(text: string): bigint {
	const match = LSN.exec(text);
	if (!match) {
		throw new SyncError('NOT_AN_LSN', `"${text}" is not a log position such as 0/16B3748`);
	}
	return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/**
 * The text Postgres prints for a position: upper case, no leading zeros ("0/16B3748").
 *
 * @throws SyncError NOT_AN_LSN for a number outside of 0 to 2^64 - 1
 */
export function formatLsn(lsn: bigint): string {
	if (lsn < 0n || lsn > MAX_LSN) {
		throw new SyncError('NOT_AN_LSN', `${lsn} is outside of the log positions 0 to 2^64 - 1`);
	}
	halves.setBigUint64(0, lsn);
	const high = halves.getUint32(0);
	if (high !== lastHigh.value) lastHigh = { value: high, text: hexadecimal(high) };
	return `${lastHigh.text}/${hexadecimal(halves.getUint32(4))}`;
}

const hexadecimal = (value: number): string => value.toString(16).toUpperCase();

/** It is the same for 4 GiB of log. */
let lastHigh = { value: 0, text: '0' };

/** Splits a position into two numbers several times as fast as shifting bigints does: every event needs it. */
const halves = new DataView(new ArrayBuffer(8));

/** Negative when `a` comes before `b`, 0 when they are the same place, positive when after. */
export function compareLsn(a: bigint, b: bigint): -1 | 0 | 1 {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}
