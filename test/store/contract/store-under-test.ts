import type { JournalEntry } from '../../../src/core/journal';
import { emptyLink, type LinkState } from '../../../src/core/link';
import { type Position, positionOf } from '../../../src/core/position';
import type { ReviewItem } from '../../../src/core/review';
import type { CommitRequest, LinkCommit, LoadedLink, SyncStore } from '../../../src/store/sync-store';
import type { StreamRegistration } from '../../../src/store/stream-record';

/** An empty, migrated store, and what a test needs to do to it from outside. */
export interface StoreUnderTest {
	readonly store: SyncStore;
	/** Another client of the same store, with connections of its own. */
	another(): Promise<SyncStore>;
	/** Lets the store's clock go on. */
	elapse(ms: number): Promise<void>;
	/** Closes all clients. */
	close(): Promise<void>;
}

export type OpenStore = () => Promise<StoreUnderTest>;

/** How long the stores under test keep a link that a commit left due from the sweep. */
export const GRACE_MS = 5_000;

export const POLICY = 'crm-billing';

/** The record that crm calls by the link's id, unless told otherwise. */
export function link(id: string, changes: Partial<LinkState> = {}): LinkState {
	return { ...emptyLink(id, 'customer', 1), keys: { crm: { id } }, ...changes };
}

/** Creates the link, unless told otherwise. */
export function commitOf(state: LinkState, changes: Partial<LinkCommit> = {}): LinkCommit {
	return {
		state,
		expectedRevision: 0,
		due: true,
		claims: [],
		journal: [],
		reviews: [],
		stopAt: null,
		...changes,
	};
}

/** @returns per link whether it was committed */
export async function commit(
	store: SyncStore,
	links: readonly LinkCommit[],
	request: Partial<CommitRequest> = {},
): Promise<readonly string[]> {
	return (await store.commit({ policy: POLICY, links, ...request })).links;
}

export async function loadLink(store: SyncStore, id: string): Promise<LoadedLink | undefined> {
	return (await store.load({ policy: POLICY, links: [id] })).links[0];
}

/** The id of the link that a record of the crm leads to. */
export async function linkOfKey(store: SyncStore, id: string): Promise<string | undefined> {
	const key = { system: 'crm', entity: 'customer', key: { id } };
	return (await store.load({ policy: POLICY, keys: [key] })).links[0]?.state.id;
}

export async function linkOfMatch(store: SyncStore, match: string): Promise<string | undefined> {
	const { links } = await store.load({ policy: POLICY, matches: [{ entity: 'customer', match }] });
	return links[0]?.state.id;
}

/** The nth event of a stream. */
export const at = (n: number): Position => positionOf(BigInt(n), 0);

export function stream(changes: Partial<StreamRegistration> = {}): StreamRegistration {
	return {
		policy: POLICY,
		system: 'crm',
		slot: 'bisync_crm',
		systemId: '7312000000000000001',
		timeline: 1,
		filterHash: 'f1',
		start: at(0),
		snapshot: 'none',
		...changes,
	};
}

export function note(detail: string): JournalEntry {
	return { kind: 'warning', detail };
}

export function review(id: string, changes: Partial<ReviewItem> = {}): ReviewItem {
	return {
		id,
		kind: 'conflict',
		policy: POLICY,
		link: 'l1',
		entity: 'customer',
		fields: ['phone'],
		reason: 'both systems changed phone',
		token: 't1',
		detail: { fields: { phone: 1 } },
		...changes,
	};
}
