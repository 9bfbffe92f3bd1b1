/**
 * Which rows of a table have changed between two polls, told by the transactions that wrote them.
 *
 * A poll reads everything in one snapshot. Of that snapshot it keeps the *horizon*: the lowest transaction that had not
 * ended. Whatever the next poll sees and this one did not was written by a transaction that had not ended, or had not
 * begun, so its number, or that of the sub-transaction which wrote the row, is the horizon or a later one: however long
 * it was open, whatever clock it went by, in whatever order it committed. The other way round it need not hold: a row
 * from the horizon on may have been seen already.
 *
 * Refused: `pg_visible_in_snapshot`, which knows no sub-transactions: a row that was written after a savepoint, in a
 * transaction that was still open, would count as seen, and be lost.
 *
 * Rows hold the lower half of the number. Two are told apart as long as fewer than 2^31 transactions lie between two polls.
 */

/** What a snapshot knows of transactions, as 64-bit numbers (xid8). */
export interface TransactionBounds {
	/** Every transaction before it had ended. */
	readonly horizon: bigint;
	/** No transaction from it on had begun. */
	readonly next: bigint;
}

const HALF_OF_ALL = 2n ** 31n;
const LOW_BITS = 2n ** 32n - 1n;

/** @param text - a `pg_snapshot`, "10:20:10,14,15" @throws SyntaxError for anything else */
export function parseBounds(text: string): TransactionBounds {
	const [horizon = '', next = ''] = text.split(':');
	return { horizon: BigInt(horizon), next: BigInt(next) };
}

/** The number as rows hold it. */
export function rowNumber(transaction: bigint): bigint {
	return transaction & LOW_BITS;
}

/**
 * Since when rows have to be read.
 *
 * @param horizon - of the last poll; null: there was none
 * @returns null: all rows have to be read, because none was, or too many transactions lie between
 */
export function readSince(horizon: bigint | null, { next }: TransactionBounds): bigint | null {
	if (horizon === null || horizon > next || next - horizon >= HALF_OF_ALL) return null;
	return horizon;
}

/**
 * Whether a row that is visible in a snapshot was written by a transaction from the snapshot's own horizon on: the next
 * poll will find it again.
 *
 * @param xmin - of the row, as the server prints it
 */
export function comesAgain(xmin: string, { horizon, next }: TransactionBounds): boolean {
	return ((BigInt(xmin) - horizon) & LOW_BITS) < next - horizon;
}
