import { isDue } from '../core/decide';
import { openReviews, reviewChanges } from '../core/draft';
import { SyncError } from '../core/errors';
import { EXISTENCE, type LinkState } from '../core/link';
import { matchKeysOfLink } from '../core/match-keys';
import type { PolicyInForce } from '../core/observe';
import { resolve, type Choice, type Resolution } from '../core/resolve';
import { joinOrder, mayBeOne } from '../core/twins';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import { spreadOfChange } from './spread-of-links';
import type { StoredReview } from '../core/review';
import type { LinkCommit, LoadedLink, PublishedPolicy, SyncStore } from './sync-store';

type TwinStore = Pick<SyncStore, 'load' | 'commit'>;

/** Whether the item asks if two records are one. */
export function asksAboutTwins({ detail }: StoredReview): boolean {
	return typeof detail === 'object' && detail !== null && 'resembles' in detail;
}

/**
 * Carries out what a person has said about two records that resemble each other. *Approve*: they are the same,
 * and their links become one, in one commit. *Reject*: they are two; nobody is asked about them again, and
 * each is created where it is not.
 *
 * @throws SyncError REVIEW_CHANGED when one of them is no longer what it was, INVALID_RESOLUTION for any other choice
 */
export async function answerTwins(store: TwinStore, item: StoredReview, resolution: Resolution): Promise<void> {
	const { kind } = resolution.choice;
	if (kind !== 'approve' && kind !== 'reject') {
		throw new SyncError('INVALID_RESOLUTION', `The review item ${item.id} asks whether two records are the same: approve when they are, reject when they are not`);
	}
	await retryContended(async (isLast) => {
		const pair = await loadPair(store, item);
		const commits = kind === 'approve' ? joined(pair, resolution) : keptApart(pair, resolution);
		const { links } = await store.commit({ policy: item.policy, links: commits, together: true });
		if (!links.includes('conflict')) return true;
		if (isLast) throw new SyncError('COMMIT_CONTENDED', `The records of review item ${item.id} change all the time`);
		return null;
	});
}

interface Pair {
	readonly asking: LoadedLink;
	/** Null when the asking link has been joined, or let go, meanwhile. */
	readonly other: LoadedLink | null;
	readonly published: PublishedPolicy;
	readonly policy: PolicyInForce;
}

async function loadPair(store: TwinStore, item: StoredReview): Promise<Pair> {
	const twin = (item.detail as { readonly resembles?: { readonly link?: unknown } }).resembles?.link;
	const loaded = await store.load({ policy: item.policy, links: [item.link ?? '', String(twin)] });
	const published = requirePublished(loaded, item.policy);
	const byId = new Map(loaded.links.map((link) => [link.state.id, link]));
	const asking = byId.get(item.link ?? '');
	if (!asking) throw new SyncError('REVIEW_CLOSED', `The review item ${item.id} belongs to a record that is gone`);
	return { asking, other: byId.get(String(twin)) ?? null, published, policy: policyInForce(published) };
}

function joined(pair: Pair, resolution: Resolution): LinkCommit[] {
	const { asking, other, policy } = pair;
	checkToken(asking.state, resolution, policy.policy.name);
	const entity = policy.policy.entities.get(asking.state.entity);
	if (!entity || !other || !mayBeOne(asking.state, other.state, entity)) {
		throw new SyncError('REVIEW_CHANGED', `One of the two records of review item ${resolution.review} has changed, or is being written, since the item was looked at`);
	}
	const order = joinOrder(asking.state, other.state, entity);
	const [survivor, absorbed] = order.survivor === asking.state ? [asking, other] : [other, asking];
	const whole = commitOf(survivor, pair, { ...resolution, choice: { kind: 'join', absorbed: absorbed.state } });
	const rest = commitOf(absorbed, pair, { ...resolution, choice: { kind: 'joined', into: survivor.state.id } });
	const matches = matchKeysOfLink(policy.policy, whole.state);
	const claims = absorbed.matches.filter((match) => matches.has(match));
	return [{ ...whole, claims }, { ...rest, releases: absorbed.matches, waitsFor: [] }];
}

function keptApart(pair: Pair, resolution: Resolution): LinkCommit[] {
	const { asking, other } = pair;
	const isHeld = other?.state.fields[EXISTENCE]?.frozen?.review === resolution.review;
	return [asking, ...(other && isHeld ? [other] : [])].map((link) => commitOf(link, pair, resolution));
}

/** `resolve` checks it for whoever's item it is; that one may be the link that is given up. */
function checkToken(state: LinkState, { review, token }: Resolution, policy: string): void {
	const item = openReviews(state, policy).find(({ id }) => id === review);
	if (!item) throw new SyncError('REVIEW_CLOSED', `The review item ${review} is no longer open`);
	if (item.token !== token) throw new SyncError('REVIEW_CHANGED', `The record has changed since review item ${review} was looked at`);
}

function commitOf({ state: before, revision }: LoadedLink, { published, policy }: Pair, resolution: Resolution): LinkCommit {
	const { state, journal } = resolve(before, resolution, policy);
	const how = endOf(resolution.choice);
	return {
		state,
		expectedRevision: revision,
		due: isDue(state, policy, published.mode),
		claims: [],
		journal,
		reviews: reviewChanges(before, state, { policy: published.name, how, by: resolution.by }),
		stopAt: null,
		...spreadOfChange(before, state, policy),
	};
}

const endOf = ({ kind }: Choice): 'resolved' | 'dismissed' => (kind === 'reject' ? 'dismissed' : 'resolved');
