import { SyncError } from '../core/errors';
import { ChangeSpool } from './change-spool';
import { decodePgoutput } from './pgoutput';
import type { SourceTransaction } from './source-transaction';
import { TransactionAssembler } from './transaction-assembler';

/** What becomes of a transaction that is too large for memory. */
export interface SizeLimits {
	/** Above it a transaction goes to a file in `spoolDirectory`, if that is given; default 4 MiB, which takes about three times as much memory. */
	readonly spoolAboveBytes?: number | undefined;
	/** Where such a file may be made. Absent: larger transactions are refused. */
	readonly spoolDirectory?: string | undefined;
	/** Where no file may be made, a larger transaction fails the stream, rather than the process when memory runs out; default 256 MiB, which takes about three times as much memory. */
	readonly maxTransactionBytes?: number | undefined;
}

const MIB = 1024 * 1024;

/** Messages that make up the size of a transaction: with each session the same ones, as those that announce tables are not. */
const CHANGES: ReadonlySet<number> = new Set([...'IUDMT'].map((tag) => tag.charCodeAt(0)));
const RELATION = 'R'.charCodeAt(0);

/** Decodes messages and puts them together to transactions; what a large one has beyond its first part goes to a file. */
export class TransactionReader {
	readonly #assembler = new TransactionAssembler();
	/** Those that were made and are not closed yet. */
	readonly #spools = new Set<ChangeSpool>();
	#spool: ChangeSpool | null = null;
	#openBytes = 0;

	constructor(private readonly limits: SizeLimits) {}

	/** Whether a transaction has begun and not yet committed. */
	get isOpen(): boolean {
		return this.#assembler.isOpen;
	}

	/** Of the transaction that is being read. */
	get openBytes(): number {
		return this.#openBytes;
	}

	/** Changes of the transaction that is being read, as far as they are in memory. */
	get openChangeCount(): number {
		return this.#assembler.openChangeCount;
	}

	/**
	 * @returns the transaction that this message completes, and its size
	 * @throws SyncError DECODE_FAILED, TRANSACTION_TOO_LARGE, SPOOL_FAILED
	 */
	push(bytes: Buffer, payloadStart: number, lsn: bigint): { transaction: SourceTransaction; bytes: number } | null {
		const tag = bytes[payloadStart] ?? 0;
		const isChange = CHANGES.has(tag);
		if (isChange && this.#assembler.isOpen) this.#openBytes += bytes.length - payloadStart;
		if (this.#spool !== null && (isChange || tag === RELATION)) this.#spool.append(bytes, payloadStart, lsn);
		const transaction = this.#spool !== null && isChange ? null : this.#assembler.push(decodePgoutput(bytes, payloadStart), lsn);
		if (!transaction) {
			if (this.#spool === null) this.#checkSize();
			return null;
		}
		const size = this.#openBytes;
		this.#openBytes = 0;
		const spool = this.#spool;
		this.#spool = null;
		return { transaction: spool === null ? transaction : { ...transaction, spool }, bytes: size };
	}

	/** Removes all files, also of transactions that were handed on. */
	close(): void {
		for (const spool of this.#spools) spool.close();
		this.#spools.clear();
	}

	#checkSize(): void {
		const { spoolDirectory, spoolAboveBytes = 4 * MIB, maxTransactionBytes = 256 * MIB } = this.limits;
		if (spoolDirectory !== undefined) {
			if (this.#openBytes > spoolAboveBytes) this.#startSpool(spoolDirectory);
		} else if (this.#openBytes > maxTransactionBytes) {
			throw new SyncError(
				'TRANSACTION_TOO_LARGE',
				`A transaction of more than ${Math.round(maxTransactionBytes / MIB)} MiB, with ` +
					`${this.#assembler.openChangeCount} changes so far, is too large to read`,
			);
		}
	}

	#startSpool(directory: string): void {
		for (const spool of this.#spools) if (spool.isClosed) this.#spools.delete(spool);
		this.#spool = new ChangeSpool(directory, this.#assembler.relations);
		this.#spools.add(this.#spool);
	}
}
