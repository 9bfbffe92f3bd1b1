import { isDue } from '../core/decide';
import { reviewChanges } from '../core/draft';
import { SyncError } from '../core/errors';
import type { JournalEntry, PolicyMode } from '../core/journal';
import type { PolicyInForce } from '../core/observe';
import { resolve, type Choice, type Resolution } from '../core/resolve';
import type { ReviewChange, StoredReview } from '../core/review';
import { answerTwins, asksAboutTwins } from './answer-twins';
import { approveFirstContact, firstContactReviewId } from './approve-first-contact';
import { answerMassDelete, isMassDeleteItem } from './mass-delete';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import { reviewsById } from './reviews-by-id';
import { spreadOfChange } from './spread-of-links';
import type { LinkCommit, LoadedLink, PublishedPolicy, SyncStore } from './sync-store';

export type ResolvingStore = Pick<SyncStore, 'load' | 'commit' | 'listReviews' | 'changeReviews' | 'scanLinks' | 'setMode' | 'raiseEpoch' | 'approve'>;

/** The item as it was resolved, or why this decision was refused: REVIEW_CLOSED, REVIEW_CHANGED, INVALID_RESOLUTION, COMMIT_CONTENDED. */
export type Resolved = StoredReview | SyncError;

/** A decision about an item that is open. */
interface Asked {
	readonly item: StoredReview;
	readonly resolution: Resolution;
}

/** By decision, so that two of them about one item have an end each. */
type Outcomes = Map<Resolution, Resolved>;

/**
 * R5: carries people's decisions into the store, in order; one that is refused does not hold up
 * the others. They write state and make links due; the sweep hands these to Field Authority Merge,
 * which alone makes operations. Store trips: one, and two per policy.
 *
 * @returns one for each decision, in the order given
 * @throws SyncError STORE_UNREACHABLE, POLICY_UNPUBLISHED
 */
export async function resolveReviews(
	store: ResolvingStore,
	resolutions: readonly Resolution[],
): Promise<readonly Resolved[]> {
	const items = await reviewsById(store, resolutions.map(({ review }) => review));
	const outcomes: Outcomes = new Map();
	const asked = resolutions.flatMap((resolution): Asked[] => {
		const item = items.get(resolution.review);
		if (item?.state === 'open') return [{ item, resolution }];
		const how = item ? `was closed by ${item.closedBy ?? 'the sync'}` : 'does not exist';
		outcomes.set(resolution, closed(resolution.review, how));
		return [];
	});
	for (const policy of new Set(asked.map(({ item }) => item.policy))) {
		const ofPolicy = asked.filter(({ item }) => item.policy === policy);
		const twins = ofPolicy.filter(({ item }) => asksAboutTwins(item));
		const others = ofPolicy.filter((one) => !twins.includes(one));
		await resolveWhole(store, { policy, asked: others.filter(({ item }) => item.link === null), outcomes });
		await resolveLinks(store, { policy, asked: others.filter(({ item }) => item.link !== null), outcomes });
		for (const { item, resolution } of twins) {
			outcomes.set(resolution, (await refusalOf(() => answerTwins(store, item, resolution))) ?? item);
		}
	}
	return resolutions.map((resolution) => outcomes.get(resolution) ?? closed(resolution.review, 'was answered already'));
}

/** The same for one decision. @throws SyncError why it was refused */
export async function resolveReview(store: ResolvingStore, resolution: Resolution): Promise<StoredReview> {
	const [resolved] = await resolveReviews(store, [resolution]);
	if (resolved === undefined || resolved instanceof SyncError) throw resolved ?? closed(resolution.review, 'has no answer');
	return resolved;
}

interface OfPolicy {
	readonly policy: string;
	readonly asked: readonly Asked[];
	readonly outcomes: Outcomes;
}

/** Decisions about records: one commit for all links, and again for those that lost it to another worker. */
async function resolveLinks(store: ResolvingStore, { policy, asked, outcomes }: OfPolicy): Promise<void> {
	let open = asked;
	await retryContended(async (isLast) => {
		if (open.length === 0) return true;
		const loaded = await store.load({ policy, links: [...new Set(open.map(({ item }) => item.link ?? ''))] });
		const published = requirePublished(loaded, policy);
		const links = new Map(loaded.links.map((link) => [link.state.id, link]));
		const commits = [...groupedByLink(open)].flatMap(([id, ofLink]) => {
			const link = links.get(id);
			if (link) return commitOf(link, ofLink, { published, outcomes }) ?? [];
			for (const { item, resolution } of ofLink) outcomes.set(resolution, closed(item.id, 'belongs to a record that is gone'));
			return [];
		});
		const results = commits.length > 0 ? (await store.commit({ policy, links: commits })).links : [];
		const lost = new Set(commits.filter((_, index) => results[index] === 'conflict').map(({ state }) => state.id));
		open = open.filter(({ item }) => lost.has(item.link ?? ''));
		if (!isLast) return open.length === 0 ? true : null;
		for (const { item, resolution } of open) outcomes.set(resolution, contended(item.id));
		return true;
	});
}

function groupedByLink(asked: readonly Asked[]): Map<string, Asked[]> {
	const groups = new Map<string, Asked[]>();
	for (const one of asked) {
		const link = one.item.link ?? '';
		const group = groups.get(link);
		if (group) group.push(one);
		else groups.set(link, [one]);
	}
	return groups;
}

/** All decisions about one link, one after the other; null when each was refused. */
function commitOf(
	link: LoadedLink,
	asked: readonly Asked[],
	{ published, outcomes }: { published: PublishedPolicy; outcomes: Outcomes },
): LinkCommit | null {
	const policy = policyInForce(published);
	let { state } = link;
	const journal: JournalEntry[] = [];
	const reviews: ReviewChange[] = [];
	for (const { item, resolution } of asked) {
		const resolved = misnamed(item, resolution) ?? tryResolve(state, resolution, policy);
		if (resolved instanceof SyncError) {
			outcomes.set(resolution, resolved);
			continue;
		}
		const closing = { policy: published.name, how: endOf(resolution.choice), by: resolution.by };
		reviews.push(...reviewChanges(state, resolved.state, closing));
		journal.push(...resolved.journal);
		state = resolved.state;
		outcomes.set(resolution, item);
	}
	if (journal.length === 0) return null;
	const due = isDue(state, policy, published.mode);
	return { state, expectedRevision: link.revision, due, claims: [], journal, reviews, stopAt: null, ...spreadOfChange(link.state, state, policy) };
}

/** What is said about a field that the item is not about would be lost. */
function misnamed({ id, fields }: StoredReview, { choice }: Resolution): SyncError | null {
	const named = choice.kind === 'mix' ? choice.systems : choice.kind === 'values' ? choice.values : {};
	const other = Object.keys(named).find((name) => !fields.includes(name));
	return other === undefined ? null : new SyncError('INVALID_RESOLUTION', `The review item ${id} is not about ${other}, but about ${fields.join(', ')}`);
}

function tryResolve(
	state: LoadedLink['state'],
	resolution: Resolution,
	policy: PolicyInForce,
): ReturnType<typeof resolve> | SyncError {
	try {
		return resolve(state, resolution, policy);
	} catch (error) {
		if (error instanceof SyncError) return error;
		throw error;
	}
}

/** Items about the policy as a whole: whoever approves turns the policy on again. */
async function resolveWhole(store: ResolvingStore, { policy, asked, outcomes }: OfPolicy): Promise<void> {
	const ends = new Map<string, ReviewChange>();
	let turnsOn = false;
	for (const { item, resolution } of asked) {
		const { choice, token, by } = resolution;
		if (ends.has(item.id)) continue;
		if (item.token !== token) {
			const changed = `The review item ${item.id} has changed since it was looked at`;
			outcomes.set(resolution, new SyncError('REVIEW_CHANGED', changed));
			continue;
		}
		const refused = await refusalOf(() => carryOut(store, item, resolution));
		if (refused !== null) {
			outcomes.set(resolution, refused);
			continue;
		}
		turnsOn ||= turnsPolicyOn(item, choice);
		ends.set(item.id, { action: 'close', id: item.id, how: endOf(choice), by });
		outcomes.set(resolution, item);
	}
	const live: PolicyMode = 'live';
	if (turnsOn) await store.setMode(policy, live);
	if (ends.size > 0) await store.changeReviews(policy, [...ends.values()]);
}

/** What an answer does beyond closing its item. */
async function carryOut(store: ResolvingStore, item: StoredReview, resolution: Resolution): Promise<void> {
	const { policy } = item;
	if (isMassDeleteItem(item)) return await answerMassDelete(store, item, resolution);
	if (item.kind !== 'approval' || !isYes(resolution.choice)) return;
	if (item.id === firstContactReviewId(policy)) await approveFirstContact(store, { policy, hash: resolution.token });
	// After a gap the store may be an older copy of itself, whose numbers the ledgers have had already.
	else if (keepsMode(item)) await store.raiseEpoch();
}

/** Whether agreeing to the item means that the policy, which it had stopped, goes on. */
function turnsPolicyOn(item: StoredReview, choice: Choice): boolean {
	const isAboutMode = !isMassDeleteItem(item) && item.id !== firstContactReviewId(item.policy) && !keepsMode(item);
	return item.kind === 'approval' && isYes(choice) && isAboutMode;
}

/** @returns why that was refused; null when it was not */
async function refusalOf(work: () => Promise<unknown>): Promise<SyncError | null> {
	try {
		await work();
		return null;
	} catch (error) {
		if (error instanceof SyncError && error.code !== 'STORE_UNREACHABLE') return error;
		throw error;
	}
}

/** Whoever agrees to read a system anew after a gap has not said what may be written. */
function keepsMode({ detail }: StoredReview): boolean {
	return typeof detail === 'object' && detail !== null && 'keepsMode' in detail && detail['keepsMode'] === true;
}

function isYes({ kind }: Choice): boolean {
	return kind !== 'dismiss' && kind !== 'reject';
}

/** How an item ends that was decided so. */
export function endOf(choice: Choice): 'resolved' | 'dismissed' {
	return isYes(choice) ? 'resolved' : 'dismissed';
}

function closed(id: string, how: string): SyncError {
	return new SyncError('REVIEW_CLOSED', `The review item ${id} ${how}`);
}

function contended(id: string): SyncError {
	return new SyncError('COMMIT_CONTENDED', `The record of review item ${id} changes all the time`);
}
