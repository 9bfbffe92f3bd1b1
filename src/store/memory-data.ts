import { canonicalJson } from '../core/canonical-json';
import type { StoredJournalEntry } from '../core/journal';
import type { Likeness } from '../core/likeness';
import type { StoredReview } from '../core/review';
import type { Sample } from './store-figures';
import type { PolicyVersion, PublishedPolicy } from './sync-store';
import type { StreamRecord } from './stream-record';
import type { Bucket } from './token-bucket';

/**
 * All that a memory store holds. Nothing in it is ever changed in place: a write makes new maps
 * of the old records, so that keeping an earlier version costs nothing.
 */
export interface MemoryData {
	readonly policies: ReadonlyMap<string, PolicyData>;
	/** By the text of (scope, key). */
	readonly claims: ReadonlyMap<string, ClaimRecord>;
	readonly lastToken: number;
	/** By name; absent: none. */
	readonly buckets?: ReadonlyMap<string, Bucket>;
	/** Absent: the one that the store began with. */
	readonly epoch?: number;
}

export interface PolicyData {
	readonly published: PublishedVersion | null;
	/** All that was published, the newest first. Absent: nothing. */
	readonly versions?: readonly PolicyVersion[];
	/** By system. */
	readonly streams: ReadonlyMap<string, StreamRecord>;
	readonly links: ReadonlyMap<string, LinkRecord>;
	/** By `keyText`: the last link that took this key, and whose it is unless it has moved on. */
	readonly keys: ReadonlyMap<string, { readonly link: string; readonly generation: number }>;
	/** By `matchText`: the link that holds it. */
	readonly matches: ReadonlyMap<string, string>;
	/** By link, what it waits for. */
	readonly waits: ReadonlyMap<string, readonly string[]>;
	/** By link, what it can be found by. */
	readonly alike: ReadonlyMap<string, Likeness>;
	readonly reviews: ReadonlyMap<string, StoredReview>;
	readonly journal: readonly StoredJournalEntry[];
	/** Absent: none. */
	readonly samples?: readonly Sample[];
}

export type PublishedVersion = Pick<
	PublishedPolicy,
	'name' | 'document' | 'hash' | 'version' | 'mode' | 'pending' | 'signatures'
>;

export interface LinkRecord {
	/** Canonical JSON: equal states have equal texts, and parsing it is the copy that a reader gets. */
	readonly state: string;
	readonly revision: number;
	readonly due: boolean;
	readonly wakeAtMs: number;
	readonly wakes: number;
	readonly unattempted: number;
	/** Held match keys, sorted. */
	readonly matches: readonly string[];
}

export interface ClaimRecord {
	readonly state: 'held' | 'done';
	readonly token: number;
	readonly untilMs: number;
}

export const EMPTY_DATA: MemoryData = { policies: new Map(), claims: new Map(), lastToken: 0 };

export const EMPTY_POLICY: PolicyData = {
	published: null,
	streams: new Map(),
	links: new Map(),
	keys: new Map(),
	matches: new Map(),
	waits: new Map(),
	alike: new Map(),
	reviews: new Map(),
	journal: [],
};

/** What a JSON value is after a trip to a database: no `undefined`, nothing shared with the original. */
export function copyOf<T>(value: T): T {
	return JSON.parse(JSON.stringify(value)) as T;
}

/** `map` with one more entry; the original stays as it is. */
export function withEntry<V>(
	map: ReadonlyMap<string, V>,
	key: string,
	value: V,
): ReadonlyMap<string, V> {
	return new Map(map).set(key, value);
}

/**
 * One text for equal data, whatever the order in which it came to be.
 *
 * @param history - whether the journal counts; without it, two ways to the same state are one
 */
export function serialise({ policies, claims, lastToken, buckets }: MemoryData, history: boolean): string {
	return canonicalJson({
		...(buckets ? { buckets: sorted(buckets, asJson) } : {}),
		policies: sorted(policies, (data) => serialisePolicy(data, history)),
		claims: sorted(claims, asJson),
		lastToken,
	});
}

function serialisePolicy(data: PolicyData, history: boolean): unknown {
	return {
		published: data.published,
		streams: sorted(data.streams, asJson),
		links: sorted(data.links, asJson),
		keys: sorted(data.keys, asJson),
		matches: sorted(data.matches, asJson),
		waits: sorted(data.waits, asJson),
		alike: sorted(data.alike, asJson),
		reviews: sorted(data.reviews, asJson),
		journal: history ? data.journal : [],
	};
}

function sorted<V>(map: ReadonlyMap<string, V>, write: (value: V) => unknown): unknown {
	const entries = [...map].map(([key, value]): [string, unknown] => [key, write(value)]);
	return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

const asJson = (value: unknown): unknown => value;
