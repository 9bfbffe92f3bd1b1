import { openReviews } from '../core/draft';
import { SyncError } from '../core/errors';
import { EXISTENCE, type LinkState } from '../core/link';
import type { PolicyInForce } from '../core/observe';
import type { Resolution } from '../core/resolve';
import { mayBeOne } from '../core/twins';
import { commitOfChoice, joinPair } from './join-pair';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
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

function joined({ asking, other, published, policy }: Pair, resolution: Resolution): LinkCommit[] {
	checkToken(asking.state, resolution, policy.policy.name);
	const entity = policy.policy.entities.get(asking.state.entity);
	if (!entity || !other || !mayBeOne(asking.state, other.state, entity)) {
		throw new SyncError('REVIEW_CHANGED', `One of the two records of review item ${resolution.review} has changed, or is being written, since the item was looked at`);
	}
	return joinPair({ one: asking, other, entity, published }, resolution);
}

function keptApart(pair: Pair, resolution: Resolution): LinkCommit[] {
	const { asking, other } = pair;
	const isHeld = other?.state.fields[EXISTENCE]?.frozen?.review === resolution.review;
	return [asking, ...(other && isHeld ? [other] : [])].map((link) => commitOfChoice(link, pair, resolution));
}

/** `resolve` checks it for whoever's item it is; that one may be the link that is given up. */
function checkToken(state: LinkState, { review, token }: Resolution, policy: string): void {
	const item = openReviews(state, policy).find(({ id }) => id === review);
	if (!item) throw new SyncError('REVIEW_CLOSED', `The review item ${review} is no longer open`);
	if (item.token !== token) throw new SyncError('REVIEW_CHANGED', `The record has changed since review item ${review} was looked at`);
}
