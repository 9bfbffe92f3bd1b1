/**
 * A place in one system's change stream: the LSN of the commit and the index of the event
 * within that transaction. Commit LSN order is the order in which one row's versions came to be.
 *
 * The text form has fixed width ("00000000/01A2B3C4:00000002"), so that comparing texts
 * compares positions, in TypeScript, in SQL (`collate "C"`) and in Redis alike.
 */
export type Position = string;

/** Before every event of every stream. */
export const STREAM_START: Position = '00000000/00000000:00000000';

const POSITION = /^[0-9A-F]{8}\/[0-9A-F]{8}:[0-9]{8}$/;
const MAX_INDEX = 99_999_999;

/**
 * @param lsn - the commit LSN, 0 to 2^64 - 1
 * @param index - the event's place in its transaction, 0 to 99,999,999
 */
export function positionOf(lsn: bigint, index: number): Position {
	if (!Number.isInteger(index) || index < 0 || index > MAX_INDEX) {
		throw new RangeError(`event index ${index} is outside 0 to ${MAX_INDEX}`);
	}
	const hex = lsn.toString(16).toUpperCase().padStart(16, '0');
	return `${hex.slice(0, 8)}/${hex.slice(8)}:${String(index).padStart(8, '0')}`;
}

/** The commit LSN of a position. */
export function lsnOfPosition(position: Position): bigint {
	return BigInt(`0x${position.slice(0, 8)}${position.slice(9, 17)}`);
}

/** The event's place in its transaction. */
export function indexOfPosition(position: Position): number {
	return Number(position.slice(position.indexOf(':') + 1));
}

export function isPosition(text: string): boolean {
	return POSITION.test(text);
}

/** The transaction's part: events of one transaction have it in common, and no others of their stream. */
export function commitOf(position: Position): string {
	return position.slice(0, position.indexOf(':'));
}
