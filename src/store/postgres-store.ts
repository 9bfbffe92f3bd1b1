import type pg from 'pg';

import type { Json } from '../core/canonical-json';
import type { StoredJournalEntry, StoredMode } from '../core/journal';
import { SyncError } from '../core/errors';
import type { LinkState } from '../core/link';
import type { Policy } from '../core/policy';
import type { ReviewChange, StoredReview } from '../core/review';
import { pause, take } from './postgres-buckets';
import * as claims from './postgres-claims';
import { commit } from './postgres-commit';
import { StoreDatabase } from './postgres-database';
import { leaseDue, noteAttempts } from './postgres-due';
import * as figures from './postgres-figures';
import { readJournal } from './postgres-journal';
import { findAlike } from './postgres-alike';
import { findPassed } from './postgres-dates';
import { PostgresDigests } from './postgres-digests';
import { countRecords, load, scanLinks } from './postgres-load';
import { migrateStore } from './postgres-migrations';
import { approve, findVersions, listVersions, publishPolicy, raiseEpoch, setMode, sign, suspend } from './postgres-policies';
import { changeReviews, listReviews, purgeReviews } from './postgres-reviews';
import { recordAcknowledged, registerStream } from './postgres-streams';
import { policyInForce } from './published-policy';
import type { FiguresRequest, Sample, SampleFilter, StoreFigures } from './store-figures';
import type { StreamId, StreamRecord, StreamRegistration } from './stream-record';
import type * as store from './sync-store';
import type { Taken, TakeRequest } from './token-bucket';

export interface PostgresStoreOptions {
	/** The name of the schema, unquoted; default `n8n_bisync`. */
	readonly schema?: string | undefined;
	/** How long a link that a commit left due is kept from the sweep; default 5,000. */
	readonly graceMs?: number | undefined;
	/** Called before each statement that is sent. */
	readonly onRoundTrip?: (() => void) | undefined;
}

const DEFAULT_SCHEMA = 'n8n_bisync';
const DEFAULT_GRACE_MS = 5_000;

/**
 * The sync store in a schema of a Postgres database (14 or newer). Every verb is one statement,
 * and `publishPolicy`, `approve`, `suspend`, `setMode` and `sign` read the policy back with a second; all times are the server's.
 */
export class PostgresStore implements store.SyncStore {
	readonly #db: StoreDatabase;
	readonly #graceMs: number;
	/** By policy, the version that was loaded last: a commit was thought out by it, or by one whose digests count as stale. */
	readonly #inForce = new Map<string, store.PublishedPolicy>();
	readonly digests: PostgresDigests;

	/** @param pool - becomes the store's: `close` ends it */
	constructor(pool: pg.Pool, options: PostgresStoreOptions = {}) {
		const { schema = DEFAULT_SCHEMA, graceMs = DEFAULT_GRACE_MS, onRoundTrip } = options;
		this.#db = new StoreDatabase(pool, { schema, onRoundTrip });
		this.#graceMs = graceMs;
		this.digests = new PostgresDigests(this.#db);
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
		const loaded = await load(this.#db, request);
		if (loaded.policy) this.#inForce.set(request.policy, loaded.policy);
		return loaded;
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
		return await commit(this.#db, request, { graceMs: this.#graceMs, policyInForce: this.#policyOf(request.policy) });
	}

	/** Undefined: nothing has been loaded yet, or a version of another pack that cannot be read here. */
	#policyOf(name: string): Policy | undefined {
		const published = this.#inForce.get(name);
		try {
			return published && policyInForce(published).policy;
		} catch (error) {
			if (error instanceof SyncError) return undefined;
			throw error;
		}
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
		return await take(this.#db, requests);
	}

	async pause(bucket: string, forMs: number): Promise<void> {
		await pause(this.#db, bucket, forMs);
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
