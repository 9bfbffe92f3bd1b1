import type { Json } from '../core/canonical-json';
import type { StoredJournalEntry, StoredMode } from '../core/journal';
import type { LinkState } from '../core/link';
import type { ReviewChange, StoredReview } from '../core/review';
import { type MemoryOptions, MemoryState } from './memory-state';
import type { FiguresRequest, Sample, SampleFilter, StoreFigures } from './store-figures';
import type { StreamId, StreamRecord, StreamRegistration } from './stream-record';
import type * as store from './sync-store';
import type { Taken, TakeRequest } from './token-bucket';

/**
 * The reference sync store: forgets everything with its process, so it is for tests, the demo of
 * a rule and model checks. Each verb does its whole work before it returns its promise.
 */
export class MemoryStore implements store.SyncStore {
	readonly state: MemoryState;

	constructor(options: MemoryOptions | MemoryState) {
		this.state = options instanceof MemoryState ? options : new MemoryState(options);
	}

	async migrate(): Promise<void> {}

	async publishPolicy(request: store.PublishRequest): Promise<store.PublishedPolicy> {
		return this.state.publishPolicy(request);
	}

	async approve(policy: string, hash: string): Promise<store.PublishedPolicy> {
		return this.state.approve(policy, hash);
	}

	async suspend(policy: string, hash: string, scopes: readonly string[]): Promise<store.PublishedPolicy> {
		return this.state.suspend(policy, hash, scopes);
	}

	async raiseEpoch(): Promise<void> {
		this.state.raiseEpoch();
	}

	async setMode(policy: string, mode: StoredMode): Promise<store.PublishedPolicy> {
		return this.state.setMode(policy, mode);
	}

	async listVersions(policy: string, limit: number): Promise<readonly store.PolicyVersion[]> {
		return this.state.listVersions(policy, limit);
	}

	async findVersions(policy: string, hashes: readonly string[]): Promise<ReadonlyMap<string, Json>> {
		return this.state.findVersions(policy, hashes);
	}

	async sign(policy: string, hash: string, by: string): Promise<store.PublishedPolicy> {
		return this.state.sign(policy, hash, by);
	}

	async registerStream(registration: StreamRegistration): Promise<StreamRecord> {
		return this.state.registerStream(registration);
	}

	async recordAcknowledged(stream: StreamId, lsn: string): Promise<void> {
		this.state.recordAcknowledged(stream, lsn);
	}

	async load(request: store.LoadRequest): Promise<store.Loaded> {
		return this.state.load(request);
	}

	async scanLinks(request: store.ScanRequest): Promise<readonly store.LoadedLink[]> {
		return this.state.scanLinks(request);
	}

	async findPassed(request: store.DatesRequest): Promise<readonly LinkState[]> {
		return this.state.findPassed(request);
	}

	async findAlike(policy: string, blocks: readonly string[]): Promise<readonly store.Alike[]> {
		return this.state.findAlike(policy, blocks);
	}

	async countRecords(policy: string, entity: string): Promise<number> {
		return this.state.countRecords(policy, entity);
	}

	async commit(request: store.CommitRequest): Promise<store.CommitResult> {
		return this.state.commit(request);
	}

	async leaseDue(request: store.LeaseRequest): Promise<readonly store.DueLink[]> {
		return this.state.leaseDue(request);
	}

	async noteAttempts(policy: string, links: readonly string[]): Promise<void> {
		this.state.noteAttempts(policy, links);
	}

	async claim(request: store.ClaimRequest): Promise<readonly store.Claim[]> {
		return this.state.claim(request);
	}

	async complete(
		claims: readonly store.HeldClaim[],
		retainMs: number,
	): Promise<readonly boolean[]> {
		return this.state.complete(claims, retainMs);
	}

	async release(claims: readonly store.HeldClaim[]): Promise<readonly boolean[]> {
		return this.state.release(claims);
	}

	async take(requests: readonly TakeRequest[]): Promise<readonly Taken[]> {
		return this.state.take(requests);
	}

	async pause(bucket: string, forMs: number): Promise<void> {
		this.state.pause(bucket, forMs);
	}

	async changeReviews(policy: string, changes: readonly ReviewChange[]): Promise<void> {
		this.state.changeReviews(policy, changes);
	}

	async purgeReviews(request: store.PurgeRequest): Promise<number> {
		return this.state.purgeReviews(request);
	}

	async listReviews(filter: store.ReviewFilter): Promise<readonly StoredReview[]> {
		return this.state.listReviews(filter);
	}

	async readJournal(filter: store.JournalFilter): Promise<readonly StoredJournalEntry[]> {
		return this.state.readJournal(filter);
	}

	async figures(request: FiguresRequest): Promise<StoreFigures> {
		return this.state.figures(request);
	}

	async keepSamples(policy: string, samples: readonly Sample[]): Promise<void> {
		this.state.keepSamples(policy, samples);
	}

	async readSamples(filter: SampleFilter): Promise<readonly Sample[]> {
		return this.state.readSamples(filter);
	}

	async close(): Promise<void> {}
}
