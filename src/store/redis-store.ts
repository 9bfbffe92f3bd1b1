import type { Json } from '../core/canonical-json';
import type { Redis } from 'ioredis';

import type { StoredJournalEntry, StoredMode } from '../core/journal';
import type { LinkState } from '../core/link';
import type { ReviewChange, StoredReview } from '../core/review';
import * as buckets from './redis-buckets';
import * as claims from './redis-claims';
import { commit } from './redis-commit';
import { RedisDatabase } from './redis-database';
import { findPassed } from './redis-dates';
import { leaseDue, noteAttempts } from './redis-due';
import * as figures from './redis-figures';
import { readJournal } from './redis-journal';
import { countRecords, findAlike, load, scanLinks } from './redis-load';
import { migrateStore } from './redis-migrate';
import { approve, findVersions, listVersions, publishPolicy, raiseEpoch, setMode, sign, suspend } from './redis-policies';
import { changeReviews, listReviews, purgeReviews } from './redis-reviews';
import { recordAcknowledged, registerStream } from './redis-streams';
import type { FiguresRequest, Sample, SampleFilter, StoreFigures } from './store-figures';
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

	async setMode(policy: string, mode: StoredMode): Promise<store.PublishedPolicy> {
		return await setMode(this.#db, policy, mode);
	}

	async listVersions(policy: string, limit: number): Promise<readonly store.PolicyVersion[]> {
		return await listVersions(this.#db, policy, limit);
	}

	async findVersions(policy: string, hashes: readonly string[]): Promise<ReadonlyMap<string, Json>> {
		return await findVersions(this.#db, policy, hashes);
	}

	async sign(policy: string, hash: string, by: string): Promise<store.PublishedPolicy> {
		return await sign(this.#db, { policy, hash, by });
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

	async purgeReviews(request: store.PurgeRequest): Promise<number> {
		return await purgeReviews(this.#db, request);
	}

	async listReviews(filter: store.ReviewFilter): Promise<readonly StoredReview[]> {
		return await listReviews(this.#db, filter);
	}

	async readJournal(filter: store.JournalFilter): Promise<readonly StoredJournalEntry[]> {
		return await readJournal(this.#db, filter);
	}

	async figures(request: FiguresRequest): Promise<StoreFigures> {
		return await figures.readFigures(this.#db, request);
	}

	async keepSamples(policy: string, samples: readonly Sample[]): Promise<void> {
		await figures.keepSamples(this.#db, policy, samples);
	}

	async readSamples(filter: SampleFilter): Promise<readonly Sample[]> {
		return await figures.readSamples(this.#db, filter);
	}

	async close(): Promise<void> {
		await this.#db.close();
	}
}
