import { SyncError } from '../core/errors';
import { formatLsn } from '../core/lsn';

/**
 * What was handed out and what was acknowledged, of one stream. Pure.
 *
 * The one rule: a position is acknowledged exactly as it was handed out, never a byte more. The
 * end of one commit record can be the start of the next; one byte more and the server would skip that
 * transaction for ever.
 */
export class Acknowledgements {
	#received = 0n;
	#ceiling: bigint;
	#acknowledged: bigint;

	/**
	 * @param confirmed - what the slot has confirmed before this stream
	 * @param start - where this stream starts
	 */
	constructor(confirmed: bigint, start: bigint) {
		this.#acknowledged = confirmed;
		this.#ceiling = confirmed > start ? confirmed : start;
	}

	get acknowledged(): bigint {
		return this.#acknowledged;
	}

	/** A transaction that ends here is in memory, and nowhere else on this side. */
	receive(endLsn: bigint): void {
		this.#received = endLsn;
	}

	/** It goes to the consumer, who may acknowledge its end from now on. */
	handOut(endLsn: bigint): void {
		if (endLsn > this.#ceiling) this.#ceiling = endLsn;
	}

	/**
	 * The server has nothing more for us before this position.
	 *
	 * @returns whether it may be acknowledged and is worth it. Not while a received transaction is
	 * unacknowledged: a later position would acknowledge that one as well.
	 */
	reachIdle(walEnd: bigint): boolean {
		if (this.#received > this.#acknowledged || walEnd <= this.#acknowledged) return false;
		if (walEnd > this.#ceiling) this.#ceiling = walEnd;
		return true;
	}

	/**
	 * Moves forward; an older position changes nothing.
	 *
	 * @returns whether it moved
	 * @throws SyncError ACK_OUT_OF_RANGE for a position that was never handed out
	 */
	acknowledge(lsn: bigint): boolean {
		if (lsn > this.#ceiling) {
			throw new SyncError(
				'ACK_OUT_OF_RANGE',
				`${formatLsn(lsn)} was acknowledged, but the stream has handed out only up to ${formatLsn(this.#ceiling)}`,
			);
		}
		if (lsn <= this.#acknowledged) return false;
		this.#acknowledged = lsn;
		return true;
	}
}
