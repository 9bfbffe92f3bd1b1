import type { Json } from '../core/canonical-json';
import type { StoredJournalEntry, StoredMode } from '../core/journal';
import { EXISTENCE, type LinkState } from '../core/link';
import { formatLsn, parseLsn } from '../core/lsn';
import type { ReviewChange, StoredReview } from '../core/review';
import { nextEpoch } from './epoch';
import { keyText, matchText } from './identity-text';
import { claimIn, completeIn, releaseIn } from './memory-claims';
import { commitTo } from './memory-commit';
import {
	copyOf,
	EMPTY_DATA,
	EMPTY_POLICY,
	type LinkRecord,
	type MemoryData,
	type PolicyData,
	type PublishedVersion,
	serialise,
	withEntry,
} from './memory-data';
import { leaseFrom, noteAttemptsIn, wakeAll } from './memory-due';
import { changedReviews, keptReviews, selectReviews } from './memory-reviews';
import { findAlikeIn } from './memory-spread';
import { figuresOf, keptSamples, selectSamples } from './memory-figures';
import { policyUnpublished, streamUnknown } from './stream-errors';
import type { FiguresRequest, Sample, SampleFilter, StoreFigures } from './store-figures';
import type { StreamId, StreamRecord, StreamRegistration } from './stream-record';
import type * as store from './sync-store';
import { MAX_SIGNATURES } from './sync-store';
import { type Bucket, paused, takeFrom, type Taken, type TakeRequest } from './token-bucket';

export interface MemoryOptions {
	/** The store's clock, milliseconds since 1970. */
	readonly now: () => number;
	/** How long a link that a commit left due is kept from the sweep; default 5,000. */
	readonly graceMs?: number;
	readonly storeId?: string;
	readonly macKey?: string;
	readonly epoch?: number;
	/** 0 to 1; spreads the delays of the sweep by a fifth either way. Default: always 0.5, no spread. */
	readonly random?: () => number;
}

/**
 * The reference sync store without promises, for model checking: the verbs of `SyncStore`, and
 * `snapshot` and `restore`, which cost nothing because data is never changed in place.
 */
export class MemoryState {
	#data: MemoryData = EMPTY_DATA;
	readonly #options: Required<MemoryOptions>;

	constructor(options: MemoryOptions) {
		this.#options = {
			graceMs: 5_000,
			storeId: 'memorystore0',
			macKey: '0'.repeat(64),
			epoch: 1,
			random: () => 0.5,
			...options,
		};
	}

	/** All data as it is now, for {@link restore}, of this object or another one. */
	snapshot(): MemoryData {
		return this.#data;
	}

	restore(snapshot: MemoryData): void {
		this.#data = snapshot;
	}

	/**
	 * One text for equal data.
	 *
	 * @param history - whether the journal counts (default), or only what can still have an effect
	 */
	serialise({ history = true }: { history?: boolean } = {}): string {
		return serialise(this.#data, history);
	}

	publishPolicy({
		name,
		document,
		hash,
		by,
		initialMode,
		pending = [],
		after,
	}: store.PublishRequest): store.PublishedPolicy {
		const data = this.#policy(name);
		const before = data.published;
		const isOutdated = after !== undefined && (before?.hash ?? null) !== after;
		if (before && (before.hash === hash || isOutdated)) return this.#described(before);
		const published: PublishedVersion = {
			name,
			document: copyOf(document),
			hash,
			version: (before?.version ?? 0) + 1,
			mode: before?.mode ?? initialMode,
			pending: [...pending],
			signatures: before?.signatures ?? [],
		};
		const nowMs = this.#options.now();
		const versions = [{ version: published.version, hash, document: published.document, by, atMs: nowMs }, ...(data.versions ?? [])];
		this.#put(name, { ...wakeAll(data, nowMs), published, versions });
		return this.#described(published);
	}

	findVersions(policy: string, hashes: readonly string[]): ReadonlyMap<string, Json> {
		const wanted = (this.#policy(policy).versions ?? []).filter(({ hash }) => hashes.includes(hash));
		return new Map(wanted.map(({ hash, document }) => [hash, copyOf(document)]));
	}

	listVersions(policy: string, limit: number): readonly store.PolicyVersion[] {
		return copyOf((this.#policy(policy).versions ?? []).slice(0, limit));
	}

	approve(policy: string, hash: string): store.PublishedPolicy {
		const data = this.#policy(policy);
		const before = data.published;
		if (!before) throw policyUnpublished(policy);
		const isWaiting = before.mode === 'first-contact' || before.pending.length > 0;
		if (before.hash !== hash || !isWaiting) return this.#described(before);
		const mode = before.mode === 'first-contact' ? 'live' : before.mode;
		const published: PublishedVersion = { ...before, mode, pending: [] };
		this.#put(policy, { ...wakeAll(data, this.#options.now()), published });
		return this.#described(published);
	}

	suspend(policy: string, hash: string, scopes: readonly string[]): store.PublishedPolicy {
		const before = this.#policy(policy).published;
		if (!before) throw policyUnpublished(policy);
		if (before.hash !== hash) return this.#described(before);
		const published: PublishedVersion = { ...before, pending: [...new Set([...before.pending, ...scopes])].sort() };
		this.#put(policy, { ...this.#policy(policy), published });
		return this.#described(published);
	}

	raiseEpoch(): void {
		const { now, epoch } = this.#options;
		this.#data = { ...this.#data, epoch: nextEpoch(this.#data.epoch ?? epoch, now()) };
	}

	setMode(policy: string, mode: StoredMode): store.PublishedPolicy {
		const data = this.#policy(policy);
		if (!data.published) throw policyUnpublished(policy);
		const goesLive = mode === 'live' && data.published.mode !== 'live';
		const published = { ...data.published, mode };
		this.#put(policy, { ...(goesLive ? wakeAll(data, this.#options.now()) : data), published });
		return this.#described(published);
	}

	sign(policy: string, hash: string, by: string): store.PublishedPolicy {
		const data = this.#policy(policy);
		const before = data.published;
		if (!before) throw policyUnpublished(policy);
		if (before.signatures.some((one) => one.hash === hash && one.by === by)) return this.#described(before);
		const signature = { hash, by, atMs: this.#options.now() };
		const published = { ...before, signatures: [...before.signatures, signature].slice(-MAX_SIGNATURES) };
		this.#put(policy, { ...(before.hash === hash ? wakeAll(data, signature.atMs) : data), published });
		return this.#described(published);
	}

	registerStream(registration: StreamRegistration): StreamRecord {
		const data = this.#policy(registration.policy);
		const known = data.streams.get(registration.system);
		const position =
			known && known.position > registration.start ? known.position : registration.start;
		const { reading = null } = registration;
		const columns = registration.columns ?? known?.columns ?? null;
		const acknowledgedLsn = known?.acknowledgedLsn ?? null;
		const record = { ...registration, reading, columns, position, acknowledgedLsn };
		const streams = withEntry(data.streams, registration.system, record);
		this.#put(registration.policy, { ...data, streams });
		return { ...record };
	}

	recordAcknowledged({ policy, system }: StreamId, lsn: string): void {
		const data = this.#policy(policy);
		const stream = data.streams.get(system);
		if (!stream) throw streamUnknown({ policy, system });
		const next = parseLsn(lsn);
		if (stream.acknowledgedLsn !== null && parseLsn(stream.acknowledgedLsn) >= next) return;
		const record = { ...stream, acknowledgedLsn: formatLsn(next) };
		this.#put(policy, { ...data, streams: withEntry(data.streams, system, record) });
	}

	load({ policy, links = [], keys = [], matches = [] }: store.LoadRequest): store.Loaded {
		const data = this.#policy(policy);
		const ids = new Set<string | undefined>([
			...links,
			...keys.map((key) => data.keys.get(keyText(key))?.link),
			...matches.map((match) => data.matches.get(matchText(match))),
		]);
		const found = [...ids].flatMap((id) => (id === undefined ? [] : (data.links.get(id) ?? [])));
		return {
			policy: data.published ? this.#described(data.published) : null,
			streams: copyOf(Object.fromEntries(data.streams)),
			links: found.map(loadedLink),
		};
	}

	scanLinks({
		policy,
		entity,
		afterId = '',
		limit,
	}: store.ScanRequest): readonly store.LoadedLink[] {
		const all = [...this.#policy(policy).links].sort(([a], [b]) => (a < b ? -1 : 1));
		const after = all.filter(([id]) => id > afterId).map(([, record]) => loadedLink(record));
		return after
			.filter(({ state }) => entity === undefined || state.entity === entity)
			.slice(0, limit);
	}

	countRecords(policy: string, entity: string): number {
		const links = [...this.#policy(policy).links.values()].map(loadedLink);
		return links.filter(({ state }) => state.entity === entity && state.fields[EXISTENCE]?.merged?.canon !== false).length;
	}

	findPassed({ policy, system, untilMs, limit }: store.DatesRequest): readonly LinkState[] {
		const states = [...this.#policy(policy).links.values()].map(({ state }) => JSON.parse(state) as LinkState);
		const at = ({ dates }: LinkState): number => dates?.[system]?.atMs ?? Number.POSITIVE_INFINITY;
		const passed = states.filter((state) => at(state) <= untilMs);
		return passed.sort((a, b) => at(a) - at(b) || (a.id < b.id ? -1 : 1)).slice(0, limit);
	}

	findAlike(policy: string, blocks: readonly string[]): readonly store.Alike[] {
		return findAlikeIn(this.#policy(policy), blocks);
	}

	commit(request: store.CommitRequest): store.CommitResult {
		const nowMs = this.#options.now();
		const time = { nowMs, wakeAtMs: nowMs + this.#options.graceMs };
		const { data, result } = commitTo(this.#policy(request.policy), request, time);
		this.#put(request.policy, data);
		return result;
	}

	leaseDue(request: store.LeaseRequest): readonly store.DueLink[] {
		const { now, random } = this.#options;
		const time = { nowMs: now(), jitter: () => 0.8 + 0.4 * random() };
		const { data, result } = leaseFrom(this.#policy(request.policy), request, time);
		this.#put(request.policy, data);
		return result;
	}

	noteAttempts(policy: string, links: readonly string[]): void {
		this.#put(policy, noteAttemptsIn(this.#policy(policy), links));
	}

	claim(request: store.ClaimRequest): readonly store.Claim[] {
		return this.#keep(claimIn(this.#data, request, this.#options.now()));
	}

	complete(claims: readonly store.HeldClaim[], retainMs: number): readonly boolean[] {
		return this.#keep(completeIn(this.#data, claims, this.#options.now() + retainMs));
	}

	release(claims: readonly store.HeldClaim[]): readonly boolean[] {
		return this.#keep(releaseIn(this.#data, claims));
	}

	take(requests: readonly TakeRequest[]): readonly Taken[] {
		return requests.map((request) => {
			const { bucket, ...taken } = takeFrom(this.#data.buckets?.get(request.bucket), request, this.#options.now());
			this.#putBucket(request.bucket, bucket);
			return taken;
		});
	}

	pause(bucket: string, forMs: number): void {
		this.#putBucket(bucket, paused(this.#data.buckets?.get(bucket), forMs, this.#options.now()));
	}

	changeReviews(policy: string, changes: readonly ReviewChange[]): void {
		const data = this.#policy(policy);
		const reviews = changedReviews(data.reviews, changes, this.#options.now());
		this.#put(policy, { ...data, reviews });
	}

	purgeReviews({ policy, ...request }: store.PurgeRequest): number {
		const data = this.#policy(policy);
		const reviews = keptReviews(data.reviews, { ...request, nowMs: this.#options.now() });
		this.#put(policy, { ...data, reviews });
		return data.reviews.size - reviews.size;
	}

	listReviews(filter: store.ReviewFilter): readonly StoredReview[] {
		const all = [...this.#data.policies.values()].flatMap((data) => [...data.reviews.values()]);
		return selectReviews(all, filter);
	}

	readJournal(filter: store.JournalFilter): readonly StoredJournalEntry[] {
		const { policy, link, kinds, afterSeq = '0', limit } = filter;
		const after = BigInt(afterSeq);
		const wanted = this.#policy(policy).journal.filter(
			(entry) =>
				(link === undefined || entry.link === link) &&
				(kinds === undefined || kinds.includes(entry.entry.kind)) &&
				BigInt(entry.seq) > after,
		);
		return copyOf(wanted.slice(0, limit));
	}

	figures(request: FiguresRequest): StoreFigures {
		return figuresOf(this.#policy(request.policy), request, this.#options.now());
	}

	keepSamples(policy: string, samples: readonly Sample[]): void {
		const data = this.#policy(policy);
		this.#put(policy, { ...data, samples: keptSamples(data.samples, samples, this.#options.now()) });
	}

	readSamples(filter: SampleFilter): readonly Sample[] {
		return selectSamples(this.#policy(filter.policy).samples, filter);
	}

	#policy(name: string): PolicyData {
		return this.#data.policies.get(name) ?? EMPTY_POLICY;
	}

	#put(name: string, data: PolicyData): void {
		this.#data = { ...this.#data, policies: withEntry(this.#data.policies, name, data) };
	}

	#putBucket(name: string, bucket: Bucket): void {
		this.#data = { ...this.#data, buckets: withEntry(this.#data.buckets ?? new Map(), name, bucket) };
	}

	#keep<T>({ data, result }: { data: MemoryData; result: T }): T {
		this.#data = data;
		return result;
	}

	#described(published: PublishedVersion): store.PublishedPolicy {
		const { storeId, macKey, epoch: first } = this.#options;
		const epoch = this.#data.epoch ?? first;
		const document: Json = copyOf(published.document);
		return { ...published, document, pending: [...published.pending], signatures: copyOf(published.signatures), storeId, macKey, epoch };
	}
}

function loadedLink({ state, revision, due, matches }: LinkRecord): store.LoadedLink {
	return { state: JSON.parse(state) as LinkState, revision, due, matches: [...matches] };
}
