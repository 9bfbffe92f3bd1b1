import { SyncError } from '../core/errors';
import type { EventOrigin } from './event-envelope';
import { LargeChanges } from './large-changes';
import { decodePgoutput } from './pgoutput';
import type { SourceTransaction } from './source-transaction';
import { relationOf, TransactionAssembler, truncation } from './transaction-assembler';

/** What becomes of a transaction that is too large for memory. */
export interface SizeLimits {
	/** Absent: larger transactions are refused. */
	readonly spool?: SpoolSettings | undefined;
	/** Where no file may be made, a larger transaction fails the stream, rather than the process when memory runs out; default 256 MiB, which takes about three times as much memory. */
	readonly maxTransactionBytes?: number | undefined;
}

export interface SpoolSettings {
	/** Where files may be made. */
	readonly directory: string;
	/** Above it the rest of a transaction goes to a file; default 1 MiB, which takes about five times as much memory. */
	readonly aboveBytes?: number | undefined;
	/** Says which rows are of the same record. */
	readonly origin: EventOrigin;
}

const MIB = 1024 * 1024;

const [INSERT, UPDATE, DELETE, MESSAGE, TRUNCATE] = [...'IUDMT'].map((tag) => tag.charCodeAt(0));
/** Messages that make up the size of a transaction: with each session the same ones, as those that announce tables are not. */
const CHANGES: ReadonlySet<number | undefined> = new Set([INSERT, UPDATE, DELETE, MESSAGE, TRUNCATE]);
const ROWS: ReadonlySet<number | undefined> = new Set([INSERT, UPDATE, DELETE]);

/** Decodes messages and puts them together to transactions; what a large one has beyond its first part goes to a file. */
export class TransactionReader {
	readonly #assembler = new TransactionAssembler();
	/** Those that were made and are not closed yet. */
	readonly #larges = new Set<LargeChanges>();
	/** Of the transaction that is being read. */
	#large: LargeChanges | null = null;
	#openBytes = 0;

	constructor(private readonly limits: SizeLimits) {}

	/** Whether a transaction has begun and not yet committed. */
	get isOpen(): boolean {
		return this.#assembler.isOpen;
	}

	/** Of the transaction that is being read, as far as they are in memory. */
	get openBytes(): number {
		return this.#large === null ? this.#openBytes : 0;
	}

	/** Changes of the transaction that is being read, as far as they are in memory. */
	get openChangeCount(): number {
		return this.#assembler.openChangeCount;
	}

	/**
	 * @returns the transaction that this message completes, and its size in memory
	 * @throws SyncError DECODE_FAILED, TRANSACTION_TOO_LARGE, SPOOL_FAILED, KEY_INCOMPLETE
	 */
	push(bytes: Buffer, payloadStart: number, lsn: bigint): { transaction: SourceTransaction; bytes: number } | null {
		if (this.#large !== null) return this.#pushLarge(this.#large, bytes, payloadStart, lsn);
		const transaction = this.#assembler.push(decodePgoutput(bytes, payloadStart), lsn);
		if (transaction) return this.#complete(transaction);
		if (this.isOpen && CHANGES.has(bytes[payloadStart])) {
			this.#openBytes += bytes.length - payloadStart;
			this.#checkSize();
		}
		return null;
	}

	#pushLarge(large: LargeChanges, bytes: Buffer, payloadStart: number, lsn: bigint): { transaction: SourceTransaction; bytes: number } | null {
		if (ROWS.has(bytes[payloadStart])) {
			large.addRow(bytes, payloadStart, lsn);
			return null;
		}
		const message = decodePgoutput(bytes, payloadStart);
		const { relations } = this.#assembler;
		if (message.tag === 'message') {
			if (message.transactional) large.add({ kind: 'message', lsn, prefix: message.prefix, content: message.content });
			return null;
		}
		if (message.tag === 'truncate') {
			for (const oid of message.relationOids) large.add(truncation(relationOf(relations, oid), lsn));
			return null;
		}
		const transaction = this.#assembler.push(message, lsn);
		if (message.tag === 'relation') large.announce(relationOf(relations, message.oid));
		return transaction && this.#complete(transaction);
	}

	#complete(transaction: SourceTransaction): { transaction: SourceTransaction; bytes: number } {
		const bytes = this.#openBytes;
		const large = this.#large;
		this.#openBytes = 0;
		this.#large = null;
		return { transaction: large === null ? transaction : { ...transaction, spool: large }, bytes };
	}

	/** Removes all files, also of transactions that were handed on. */
	close(): void {
		for (const large of this.#larges) large.close();
		this.#larges.clear();
	}

	#checkSize(): void {
		const { spool, maxTransactionBytes = 256 * MIB } = this.limits;
		if (spool !== undefined) {
			if (this.#openBytes > (spool.aboveBytes ?? MIB)) this.#startLarge(spool);
		} else if (this.#openBytes > maxTransactionBytes) {
			throw new SyncError(
				'TRANSACTION_TOO_LARGE',
				`A transaction of more than ${Math.round(maxTransactionBytes / MIB)} MiB, with ` +
					`${this.#assembler.openChangeCount} changes so far, is too large to read`,
			);
		}
	}

	#startLarge({ directory, origin }: SpoolSettings): void {
		for (const large of this.#larges) if (large.isClosed) this.#larges.delete(large);
		const large = new LargeChanges(directory, origin);
		this.#larges.add(large);
		this.#large = large;
		for (const relation of this.#assembler.relations.values()) large.announce(relation);
		for (const change of this.#assembler.openChanges) large.add(change);
	}
}
