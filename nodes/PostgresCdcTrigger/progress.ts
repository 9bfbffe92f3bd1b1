import { SyncError } from '../../src/core/errors';
import { formatLsn, parseLsn } from '../../src/core/lsn';
import { inLineage, lineageOf, type Position, STREAM_START } from '../../src/core/position';
import { requirePublished } from '../../src/store/published-policy';
import { streamUnknown } from '../../src/store/stream-errors';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { StreamId, StreamRecord } from '../../src/store/stream-record';
import type { RunEnd } from './workflow-runs';

/** What is known of how far a stream has been observed. */
export interface Progress {
	/** Whether events name their predecessors. */
	readonly keepsCount: boolean;
	/** The last event observed, as far as it was looked up. */
	readonly position: Position;
	/** Looks up the position after an execution that was handed everything up to `last`. */
	observed(last: Position, end: RunEnd): Promise<Position>;
	/** Called before everything up to `lsn` is acknowledged to the source. */
	acknowledging(lsn: bigint): Promise<void>;
}

export type ProgressStore = Pick<SyncStore, 'load' | 'recordAcknowledged' | 'raiseEpoch'>;

/**
 * With a sync store: what the store has observed counts, however the execution ended. A failed one
 * may have observed everything, a successful one nothing.
 */
export class StoreProgress implements Progress {
	readonly keepsCount = true;
	#position: Position;
	/** The highest that this trigger has stored. */
	#acknowledged = 0n;
	#published: PublishedPolicy;

	constructor(
		private readonly store: ProgressStore,
		private readonly stream: StreamId,
		start: { readonly position: Position; readonly published: PublishedPolicy },
	) {
		this.#position = start.position;
		this.#published = start.published;
	}

	get position(): Position {
		return this.#position;
	}

	/** The policy as it was published when last looked up. */
	get published(): PublishedPolicy {
		return this.#published;
	}

	/** @throws SyncError STORE_UNREACHABLE, STORE_LOST, STORE_WENT_BACK, STREAM_UNKNOWN, POLICY_UNPUBLISHED */
	async observed(): Promise<Position> {
		const { policy, system } = this.stream;
		const loaded = await this.store.load({ policy });
		const published = requirePublished(loaded, policy);
		const record = loaded.streams[system];
		if (published.storeId !== this.#published.storeId) throw this.#wentBack('it has another identity');
		if (!record) throw streamUnknown(this.stream);
		await this.#requireProgress(record);
		this.#published = published;
		this.#position = record.position;
		return record.position;
	}

	async acknowledging(lsn: bigint): Promise<void> {
		const acknowledged = inLineage(lsn, lineageOf(this.#position));
		await this.store.recordAcknowledged(this.stream, formatLsn(acknowledged));
		if (acknowledged > this.#acknowledged) this.#acknowledged = acknowledged;
	}

	/** A store only ever moves on. One that has not was put back, or lost its last writes with its server. */
	async #requireProgress({ position, acknowledgedLsn }: StreamRecord): Promise<void> {
		const acknowledged = acknowledgedLsn === null ? 0n : parseLsn(acknowledgedLsn);
		const hasLost = position < this.#position || acknowledged < this.#acknowledged;
		if (!hasLost) return;
		// It would give numbers to operations that others have had since.
		await this.store.raiseEpoch();
		throw this.#wentBack(`it knew changes up to ${this.#position}, and now up to ${position}`);
	}

	#wentBack(what: string): SyncError {
		const { policy, system } = this.stream;
		return new SyncError('STORE_WENT_BACK', `The sync store has forgotten what it knew of ${system} for the policy "${policy}": ${what}`);
	}
}

/** Without a store nobody knows what became of a change, unless the whole execution succeeded. */
export class RunProgress implements Progress {
	readonly keepsCount = false;
	#position: Position = STREAM_START;
	#acknowledged = 0n;

	/** The highest that was acknowledged to the source, or is about to be; 0: none. */
	get acknowledgedLsn(): bigint {
		return this.#acknowledged;
	}

	get position(): Position {
		return this.#position;
	}

	async observed(last: Position, end: RunEnd): Promise<Position> {
		if (end === 'success') this.#position = last;
		return this.#position;
	}

	async acknowledging(lsn: bigint): Promise<void> {
		if (lsn > this.#acknowledged) this.#acknowledged = lsn;
	}
}
