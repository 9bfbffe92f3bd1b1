import type { Json } from '../core/canonical-json';
import type { JournalEntry, PolicyMode, StoredJournalEntry, StoredMode } from '../core/journal';
import type { Likeness } from '../core/likeness';
import type { Key, LinkState } from '../core/link';
import type { Position } from '../core/position';
import type { ReviewChange, ReviewItem, StoredReview } from '../core/review';
import type { FiguresRequest, Sample, SampleFilter, StoreFigures } from './store-figures';
import type { StoreDigests } from './store-digests';
import type { StreamId, StreamRecord, StreamRegistration } from './stream-record';
import type { Taken, TakeRequest } from './token-bucket';

/**
 * Where links, claims, review items, journal, policies and stream positions live. The verbs are
 * those of the domain; each is one atomic step and takes arrays, so that the number of round
 * trips of a node does not depend on the number of its items. No connection or transaction
 * leaves an implementation, and none of them ever reads a clock but the store's own.
 *
 * Errors: STORE_UNREACHABLE (retry) when the store cannot be reached; STORE_LOST from `load` when
 * its data has vanished since `migrate`; STREAM_GAP and STREAM_UNKNOWN from `commit`. Everything else is a defect and surfaces as it is.
 */
export interface SyncStore {
	/**
	 * Makes or upgrades the schema under a lock; safe to run from many processes at once. A store that has lost its data
	 * begins anew, as another store.
	 */
	migrate(): Promise<void>;

	/**
	 * Publishes a version of a policy and makes every link of it due. The same hash again changes
	 * nothing, and neither does a request that was worked out from a version no longer in force.
	 *
	 * @returns what is in force then
	 */
	publishPolicy(request: PublishRequest): Promise<PublishedPolicy>;
	/**
	 * Ends the first contact of all that is pending in the version with this hash, of a policy in first contact
	 * also that mode, and makes every link due. Nothing when another version is in force by now.
	 *
	 * @returns what is in force then
	 */
	approve(policy: string, hash: string): Promise<PublishedPolicy>;
	/**
	 * Lets scopes of the version with this hash wait for a first contact again, beside those that do. Nothing when
	 * another version is in force by now.
	 *
	 * @returns what is in force then
	 */
	suspend(policy: string, hash: string, scopes: readonly string[]): Promise<PublishedPolicy>;
	/** Turns the switch of a policy (approve first contact, shadow, stop). Makes every link due when it becomes `live`. */
	setMode(policy: string, mode: StoredMode): Promise<PublishedPolicy>;
	/** The documents of versions that have been published, by their hashes; a hash that never was is left out. */
	findVersions(policy: string, hashes: readonly string[]): Promise<ReadonlyMap<string, Json>>;
	/** The versions that have been published, the newest first. */
	listVersions(policy: string, limit: number): Promise<readonly PolicyVersion[]>;
	/**
	 * Notes that a person has signed what has this hash, which need not be in force; the same person again changes nothing.
	 * Makes every link due when it is in force. The last `MAX_SIGNATURES` are kept.
	 *
	 * @returns what is in force then
	 */
	sign(policy: string, hash: string, by: string): Promise<PublishedPolicy>;
	/**
	 * Starts a new epoch of this store: to an epoch that no copy of it has had, so that the ledgers take
	 * the numbers of a store that went back to an older copy, and refuse those of its later life.
	 */
	raiseEpoch(): Promise<void>;

	/** Registers a stream, or replaces its registration; never moves its position backwards. */
	registerStream(registration: StreamRegistration): Promise<StreamRecord>;
	/** Notes what is about to be acknowledged to the source; called before the acknowledgement is sent. Never goes back. */
	recordAcknowledged(stream: StreamId, lsn: string): Promise<void>;

	/** Everything a node needs before it can think, in one round trip. */
	load(request: LoadRequest): Promise<Loaded>;
	/** A page of a policy's links in the order of their ids: for reports and comparisons, never for deciding. */
	scanLinks(request: ScanRequest): Promise<readonly LoadedLink[]>;
	/** What it keeps beside its documents to compare many links at once. Absent: nothing, see `scannedDigests`. */
	readonly digests?: StoreDigests;
	/** The links that go by each of these blocks, as their commits said last: in the order of their ids, and of one block no more than `MAX_ALIKE`. */
	findAlike(policy: string, blocks: readonly string[]): Promise<readonly Alike[]>;
	/** Links of which a system's record counts as deleted from a time on that is not after `untilMs`: the earliest first. See `LinkState.dates`. */
	findPassed(request: DatesRequest): Promise<readonly LinkState[]>;
	/** How many records of an entity there are, those that are deleted not counted: what a mass delete is a share of. */
	countRecords(policy: string, entity: string): Promise<number>;
	/**
	 * Commits new states for links, all or nothing per link, if each is still at `expectedRevision`
	 * and none of its new keys and match keys belongs to another link. State, keys, journal,
	 * reviews and the stream position move in one step.
	 */
	commit(request: CommitRequest): Promise<CommitResult>;
	/** Leases due links whose time has come, oldest first; nobody else gets them before the lease is over. The delay doubles with each wake. */
	leaseDue(request: LeaseRequest): Promise<readonly DueLink[]>;
	/** Notes that writes were tried but could not reach their target, so that the sweep does not take it for a wiring fault. */
	noteAttempts(policy: string, links: readonly string[]): Promise<void>;

	/** Claims keys for one worker: exactly one of many concurrent callers gets `new`. A lapsed lease may be claimed again. */
	claim(request: ClaimRequest): Promise<readonly Claim[]>;
	/** Marks claims as done, for `retainMs`. A token that is no longer the holder's changes nothing and gets `false`. */
	complete(claims: readonly HeldClaim[], retainMs: number): Promise<readonly boolean[]>;
	/** Gives claims back, so that the next caller gets `new`. */
	release(claims: readonly HeldClaim[]): Promise<readonly boolean[]>;

	/** Takes tokens out of buckets, as many as there are, up to what is wanted. See `takeFrom`. */
	take(requests: readonly TakeRequest[]): Promise<readonly Taken[]>;
	/** Lets nobody take from a bucket for so long, because the other side asked for a rest. Never shortens a pause. */
	pause(bucket: string, forMs: number): Promise<void>;

	/** Opens, refreshes or closes items that belong to no link's commit (dead letters, approvals, wiring faults). */
	changeReviews(policy: string, changes: readonly ReviewChange[]): Promise<void>;
	listReviews(filter: ReviewFilter): Promise<readonly StoredReview[]>;
	/** Forgets review items that have been closed for so long, those asked first first; never an open one. @returns how many */
	purgeReviews(request: PurgeRequest): Promise<number>;
	readJournal(filter: JournalFilter): Promise<readonly StoredJournalEntry[]>;

	/** What is counted for a look at a policy's health, in one step; costs no commit anything. */
	figures(request: FiguresRequest): Promise<StoreFigures>;
	/** Keeps samples, each in the place of the one of its series, grain and time; forgets those that are too old (`KEPT_MS`). */
	keepSamples(policy: string, samples: readonly Sample[]): Promise<void>;
	/** Samples of one grain, by series and time. */
	readSamples(filter: SampleFilter): Promise<readonly Sample[]>;

	close(): Promise<void>;
}

export interface PublishRequest {
	readonly name: string;
	/** The normalised document. */
	readonly document: Json;
	readonly hash: string;
	/** The person or workflow that publishes, for the journal. */
	readonly by: string;
	/** The mode of a policy published for the first time; a later version keeps the mode in force. */
	readonly initialMode: StoredMode;
	/** Scopes that wait for their first contact from now on; default none. See `newScopes`. */
	readonly pending?: readonly string[];
	/** The hash that was in force when `pending` was worked out, null before the first publish. Absent: whatever is. */
	readonly after?: string | null;
}

export interface PublishedPolicy {
	readonly name: string;
	readonly document: Json;
	readonly hash: string;
	/** 1, 2, 3 … */
	readonly version: number;
	/** Where the switch stands; as a node is to act on it, also `unsigned` (see `inEffect`). */
	readonly mode: PolicyMode;
	/** Scopes that are observed only until somebody approves their first contact. */
	readonly pending: readonly string[];
	/** Who has signed this or another version, oldest first. */
	readonly signatures: readonly Signature[];
	/** Of the store, made at its first migration. */
	readonly storeId: string;
	/** The secret that markers are signed with; never leaves the store's clients. */
	readonly macKey: string;
	/** Raised by a declared gap or a restored store; ops of an older epoch are zombies. */
	readonly epoch: number;
}

/** A policy as it was published once. */
export interface PolicyVersion {
	/** 1, 2, 3 … */
	readonly version: number;
	readonly hash: string;
	readonly document: Json;
	readonly by: string;
	/** By the store's clock, milliseconds since 1970. */
	readonly atMs: number;
}

/** What a person has put their name under. */
export interface Signature {
	readonly hash: string;
	readonly by: string;
	/** By the store's clock, milliseconds since 1970. */
	readonly atMs: number;
}

/** Of a policy. */
export const MAX_SIGNATURES = 50;

export interface RecordKey {
	readonly system: string;
	readonly entity: string;
	readonly key: Key;
}

/** A record's claim to be the one with these values (see `matchKeys`). */
export interface MatchKey {
	readonly entity: string;
	readonly match: string;
}

export interface LoadRequest {
	readonly policy: string;
	readonly links?: readonly string[];
	readonly keys?: readonly RecordKey[];
	readonly matches?: readonly MatchKey[];
}

export interface Loaded {
	/** The version in force; null before the first publish. */
	readonly policy: PublishedPolicy | null;
	/** By system. */
	readonly streams: Readonly<Record<string, StreamRecord>>;
	/** The links asked for in any of the three ways, each once. */
	readonly links: readonly LoadedLink[];
}

export interface LoadedLink {
	readonly state: LinkState;
	readonly revision: number;
	readonly due: boolean;
	/** The match keys it holds. */
	readonly matches: readonly string[];
}

export interface ScanRequest {
	readonly policy: string;
	readonly entity?: string;
	/** Links after this id; from the first one when absent. */
	readonly afterId?: string;
	readonly limit: number;
}

export interface DatesRequest extends StreamId {
	/** Milliseconds since 1970. */
	readonly untilMs: number;
	readonly limit: number;
}

export interface CommitRequest {
	readonly policy: string;
	readonly links: readonly LinkCommit[];
	/** Given by R1 alone: the events (from, to] of this stream are observed once these links are committed. */
	readonly advance?: StreamAdvance;
	/**
	 * All links or none: where keys change hands. Were only the link that took a key to win, a
	 * second look at the events of the one that had it would lead to the wrong link. Their keys then
	 * lead to them whoever had these before, but for those they yield, and one may claim a match key
	 * that another one of them releases.
	 */
	readonly together?: boolean;
}

export interface StreamAdvance {
	readonly system: string;
	/** `prev` of the first event of the batch; the stream must have been observed at least up to here. */
	readonly from: Position;
	readonly to: Position;
}

export interface LinkCommit {
	readonly state: LinkState;
	/** 0 for a new link. */
	readonly expectedRevision: number;
	readonly due: boolean;
	/** Match keys to claim for this link, beside those it holds. */
	readonly claims: readonly string[];
	/** Match keys that the record no longer has: another record may claim them from now on. */
	readonly releases?: readonly string[];
	/** Where links are committed together: systems in which the link's key leads to another link by now. */
	readonly yields?: readonly string[];
	/** What the link waits for from now on: texts that other commits may tell. Absent: as before. */
	readonly waitsFor?: readonly string[];
	/** What has come to be with this commit. Links that wait for it are due again, and what was thought out about them loses. */
	readonly tells?: readonly string[];
	/** By what the record can be found by those that resemble it; null: by nothing. Absent: as before. */
	readonly alike?: Likeness | null;
	readonly journal: readonly JournalEntry[];
	readonly reviews: readonly ReviewChange[];
	/** Where the stream's position must stop when this link loses: the event before its first one. Null outside R1. */
	readonly stopAt: Position | null;
}

export interface CommitResult {
	/** One per link commit, in the same order. */
	readonly links: readonly ('committed' | 'conflict')[];
	/** The stream's position after the commit; null when no advance was asked for. */
	readonly position: Position | null;
	/** Links outside of the request that are due because of what was told, in the order of their ids; `MAX_WOKEN` at most. */
	readonly woken: readonly string[];
}

/** Of one commit; those left over are found by the sweep. */
export const MAX_WOKEN = 200;

/** Of one block: where more records begin alike, the rest is not looked at. */
export const MAX_ALIKE = 200;

/** A link that was found by a block. */
export interface Alike extends Pick<Likeness, 'values'> {
	readonly block: string;
	readonly link: string;
}

export interface LeaseRequest {
	readonly policy: string;
	readonly limit: number;
	/** The first delay before a due link is offered again; doubles up to `maxDelayMs`. */
	readonly delayMs: number;
	readonly maxDelayMs: number;
}

export interface DueLink {
	readonly state: LinkState;
	/** Times woken since the link's last commit or noted attempt. */
	readonly unattempted: number;
}

export interface ClaimRequest {
	/** Keeps the keys of different guards apart. */
	readonly scope: string;
	readonly keys: readonly string[];
	readonly leaseMs: number;
}

export type Claim =
	/** `token` grows with every claim of the key (a fencing token). */
	| { readonly state: 'new'; readonly token: number }
	| { readonly state: 'in-progress' }
	| { readonly state: 'duplicate' };

export interface HeldClaim {
	readonly scope: string;
	readonly key: string;
	readonly token: number;
}

export interface ReviewFilter {
	readonly policy?: string;
	readonly ids?: readonly string[];
	readonly link?: string;
	readonly kind?: ReviewItem['kind'];
	readonly state?: StoredReview['state'];
	readonly limit: number;
	/** Skips this many, oldest first. */
	readonly offset?: number;
}

export interface PurgeRequest {
	readonly policy: string;
	/** For how long they have been closed, by the store's clock. */
	readonly closedForMs: number;
	readonly limit: number;
}

export interface JournalFilter {
	readonly policy: string;
	readonly link?: string;
	readonly kinds?: readonly JournalEntry['kind'][];
	/** Entries after this one. */
	readonly afterSeq?: string;
	readonly limit: number;
}
