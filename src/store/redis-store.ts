import type { Redis } from 'ioredis';

import type { PolicyMode, StoredJournalEntry } from '../core/journal';
import type { LinkState } from '../core/link';
import type { ReviewChange, StoredReview } from '../core/review';
import * as buckets from './redis-buckets';
import * as claims from './redis-claims';
import { commit } from './redis-commit';
import { RedisDatabase } from './redis-database';
import { findPassed } from './redis-dates';
import { leaseDue, noteAttempts } from './redis-due';
import { readJournal } from './redis-journal';
import { countRecords, findAlike, load, scanLinks } from './redis-load';
import { migrateStore } from './redis-migrate';
import { approve, publishPolicy, raiseEpoch, setMode, suspend } from './redis-policies';
import { changeReviews, listReviews } from './redis-reviews';
import { recordAcknowledged, registerStream } from './redis-streams';
import type { StreamId, StreamRecord, StreamRegistration } from './stream-record';
import type * as store from './sync-store';
import type { Taken, TakeRequest } from './token-bucket';

export interface RedisStoreOptions {
	/** What the names of all keys begin with: letters, digits, dots, dashes and underscores; default `n8n_bisync`. */
	readonly prefix?: string | undefined;
	/** How long a link that a commit left due is kept from the sweep; default 5,000. */
	readonly graceMs?: number | undefined;
	/** Called before each command that is sent. */
	readonly onRoundTrip?: (() => void) | undefined;
}

const DEFAULT_PREFIX = 'n8n_bisync';
const DEFAULT_GRACE_MS = 5_000;

/**
 * The sync store in a Redis (7 or newer) that keeps what it is given: no eviction, and a file on disk. Every verb is
 * one script, which the server runs alone; all times are the server's.
 */
export class RedisStore implements store.SyncStore {
	readonly #db: RedisDatabase;
	readonly #graceMs: number;

	/** @param client - becomes the store's: `close` ends it */
	constructor(client: Redis, { prefix = DEFAULT_PREFIX, graceMs = DEFAULT_GRACE_MS, onRoundTrip }: RedisStoreOptions = {}) {
		this.#db = new RedisDatabase(client, { prefix, onRoundTrip });
		this.#graceMs = graceMs;
	}

	async migrate(): Promise<void> {
		await migrateStore(this.#db);
	}

	async publishPolicy(request: store.PublishRequest): Promise<store.PublishedPolicy> {
		return await publishPolicy(this.#db, request);
	}

	async approve(policy: string, hash: string): Promise<store.PublishedPolicy> {
		return await approve(this.#db, policy, hash);
	}

	async suspend(policy: string, hash: string, scopes: readonly string[]): Promise<store.PublishedPolicy> {
		return await suspend(this.#db, { policy, hash, scopes });
	}

	async raiseEpoch(): Promise<void> {
		await raiseEpoch(this.#db);
	}

	async setMode(policy: string, mode: PolicyMode): Promise<store.PublishedPolicy> {
		return await setMode(this.#db, policy, mode);
	}

	async registerStream(registration: StreamRegistration): Promise<StreamRecord> {
		return await registerStream(this.#db, registration);
	}

	async recordAcknowledged(stream: StreamId, lsn: string): Promise<void> {
		await recordAcknowledged(this.#db, stream, lsn);
	}

	async load(request: store.LoadRequest): Promise<store.Loaded> {
		return await load(this.#db, request);
	}

	async scanLinks(request: store.ScanRequest): Promise<readonly store.LoadedLink[]> {
		return await scanLinks(this.#db, request);
	}

	async findPassed(request: store.DatesRequest): Promise<readonly LinkState[]> {
		return await findPassed(this.#db, request);
	}

	async findAlike(policy: string, blocks: readonly string[]): Promise<readonly store.Alike[]> {
		return await findAlike(this.#db, policy, blocks);
	}

	async countRecords(policy: string, entity: string): Promise<number> {
		return await countRecords(this.#db, policy, entity);
	}

	async commit(request: store.CommitRequest): Promise<store.CommitResult> {
		return await commit(this.#db, request, this.#graceMs);
	}

	async leaseDue(request: store.LeaseRequest): Promise<readonly store.DueLink[]> {
		return await leaseDue(this.#db, request);
	}

	async noteAttempts(policy: string, links: readonly string[]): Promise<void> {
		await noteAttempts(this.#db, policy, links);
	}

	async claim(request: store.ClaimRequest): Promise<readonly store.Claim[]> {
		return await claims.claim(this.#db, request);
	}

	async complete(held: readonly store.HeldClaim[], retainMs: number): Promise<readonly boolean[]> {
		return await claims.complete(this.#db, held, retainMs);
	}

	async release(held: readonly store.HeldClaim[]): Promise<readonly boolean[]> {
		return await claims.release(this.#db, held);
	}

	async take(requests: readonly TakeRequest[]): Promise<readonly Taken[]> {
		return await buckets.take(this.#db, requests);
	}

	async pause(bucket: string, forMs: number): Promise<void> {
		await buckets.pause(this.#db, bucket, forMs);
	}

	async changeReviews(policy: string, changes: readonly ReviewChange[]): Promise<void> {
		await changeReviews(this.#db, policy, changes);
	}

	async listReviews(filter: store.ReviewFilter): Promise<readonly StoredReview[]> {
		return await listReviews(this.#db, filter);
	}

	async readJournal(filter: store.JournalFilter): Promise<readonly StoredJournalEntry[]> {
		return await readJournal(this.#db, filter);
	}

	async close(): Promise<void> {
		await this.#db.close();
	}
}
