/**
 * A place in one system's change stream: the LSN of the commit and the index of the event
 * within that transaction. Commit LSN order is the order in which one row's versions came to be.
 * The top byte of the LSN is the stream's lineage (see `inLineage`).
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
 * @param lineage - of the stream; see `inLineage`
 */
export function positionOf(lsn: bigint, index: number, lineage = 0): Position {
	return positionsAt(lsn, lineage)(index);
}

/** As `positionOf`, of many events of one transaction. */
export function positionsAt(lsn: bigint, lineage = 0): (index: number) => Position {
	const hex = inLineage(lsn, lineage).toString(16).toUpperCase().padStart(16, '0');
	const commit = `${hex.slice(0, 8)}/${hex.slice(8)}:`;
	return (index) => {
		if (!Number.isInteger(index) || index < 0 || index > MAX_INDEX) {
			throw new RangeError(`event index ${index} is outside 0 to ${MAX_INDEX}`);
		}
		return commit + String(index).padStart(8, '0');
	};
}

/** The commit LSN of a position, without the lineage. */
export function lsnOfPosition(position: Position): bigint {
	return withoutLineage(BigInt(`0x${position.slice(0, 8)}${position.slice(9, 17)}`));
}

/** The lineage of a position's stream. */
export function lineageOf(position: Position): number {
	return Number.parseInt(position.slice(0, 2), 16);
}

const LINEAGE_BIT = 56n;
/** A system may go back so often, before its stream has to begin under another policy's name. */
export const MAX_LINEAGE = 255;

/**
 * A log position of a server that was put back to an older copy, or replaced: its log counts from an earlier
 * place, and yet all that it sends comes after what was observed before. So each time the lineage, which
 * stands in the LSN's top byte, is one higher. No log comes that far: 2^56 bytes are 72 petabytes.
 */
export function inLineage(lsn: bigint, lineage: number): bigint {
	return lsn | (BigInt(lineage) << LINEAGE_BIT);
}

export function withoutLineage(lsn: bigint): bigint {
	return lsn & ((1n << LINEAGE_BIT) - 1n);
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
