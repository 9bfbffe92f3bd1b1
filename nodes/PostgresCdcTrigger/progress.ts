import { type Position, STREAM_START } from '../../src/core/position';
import { requirePublished } from '../../src/store/published-policy';
import { streamUnknown } from '../../src/store/stream-errors';
import type { PublishedPolicy, StreamId, SyncStore } from '../../src/store/sync-store';
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
	acknowledging(lsn: string): Promise<void>;
}

export type ProgressStore = Pick<SyncStore, 'load' | 'recordAcknowledged'>;

/**
 * With a sync store: what the store has observed counts, however the execution ended. A failed one
 * may have observed everything, a successful one nothing.
 */
export class StoreProgress implements Progress {
	readonly keepsCount = true;
	#position: Position;
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

	/** @throws SyncError STORE_UNREACHABLE, STREAM_UNKNOWN, POLICY_UNPUBLISHED */
	async observed(): Promise<Position> {
		const { policy, system } = this.stream;
		const loaded = await this.store.load({ policy });
		this.#published = requirePublished(loaded, policy);
		const record = loaded.streams[system];
		if (!record) throw streamUnknown(this.stream);
		this.#position = record.position;
		return record.position;
	}

	async acknowledging(lsn: string): Promise<void> {
		await this.store.recordAcknowledged(this.stream, lsn);
	}
}

/** Without a store nobody knows what became of a change, unless the whole execution succeeded. */
export class RunProgress implements Progress {
	readonly keepsCount = false;
	#position: Position = STREAM_START;

	get position(): Position {
		return this.#position;
	}

	async observed(last: Position, end: RunEnd): Promise<Position> {
		if (end === 'success') this.#position = last;
		return this.#position;
	}

	async acknowledging(): Promise<void> {}
}
