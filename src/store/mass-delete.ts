import { isDue } from '../core/decide';
import { SyncError } from '../core/errors';
import { EXISTENCE, type LinkState } from '../core/link';
import {
	asksForShare,
	deleteRuns,
	isForeignDelete,
	isMassDelete,
	isOfRun,
	massDeleteReview,
	type DeleteRun,
	type TransactionShares,
} from '../core/mass-delete';
import type { PolicyInForce } from '../core/observe';
import type { RecordChange } from '../core/record-change';
import type { ReviewItem, StoredReview } from '../core/review';
import { resolve, type Resolution } from '../core/resolve';
import { BatchLinks } from './batch-identity';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import { spreadOfChange } from './spread-of-links';
import type { LoadedLink, SyncStore } from './sync-store';

/** Links read in one store trip. */
const PAGE = 1_000;

/**
 * Finds the transactions that delete more than the policy lets through, and opens the item that
 * a person approves. It is opened with the records that wait for it, in one commit: an answer in
 * between would find none of them, and close the item that they wait for.
 *
 * @param links - those of the changes, by their keys, as far as they are known
 * @returns the changes, those of such a transaction naming their item, and the items to be opened
 */
export async function holdMassDeletes(
	store: Pick<SyncStore, 'countRecords' | 'listReviews'>,
	{ changes, links, shares }: { changes: readonly RecordChange[]; links: readonly LoadedLink[]; shares?: TransactionShares },
	{ policy }: PolicyInForce,
): Promise<{ readonly changes: readonly RecordChange[]; readonly approvals: readonly ReviewItem[] }> {
	const known = new BatchLinks(policy, links);
	const linkOf = ({ system, entity, key, previousKey }: RecordChange): LinkState | undefined => {
		const before = previousKey ?? key;
		return before === null ? undefined : known.byKey(system, entity, before)?.state;
	};
	const deletes = new Set(changes.filter((change) => isForeignDelete(change, linkOf(change), policy)));
	const approvals: ReviewItem[] = [];
	const items = new Map<DeleteRun, Required<RecordChange>['awaits']>();
	for (const run of deleteRuns(deletes, shares)) {
		const rules = policy.entities.get(run.entity)?.deletes;
		if (!rules) continue;
		const records = asksForShare(run, rules) ? await store.countRecords(policy.name, run.entity) : 0;
		if (!isMassDelete(run, rules, records)) continue;
		const item = massDeleteReview(policy, run);
		// Approved already, before this transaction could be committed: nobody would be asked again.
		const [earlier] = await store.listReviews({ ids: [item.id], limit: 1 });
		if (earlier?.state === 'resolved') continue;
		approvals.push(item);
		items.set(run, { review: item.id, reason: item.reason });
	}
	const held = changes.map((change) => {
		const [, awaits] = (deletes.has(change) && [...items].find(([run]) => isOfRun(change, run))) || [];
		return awaits ? { ...change, awaits } : change;
	});
	return { changes: held, approvals };
}

export function isMassDeleteItem({ detail }: StoredReview): boolean {
	return typeof detail === 'object' && detail !== null && 'massDelete' in detail;
}

/**
 * Carries a decision about a mass delete to every record that waits for it. What is cut short can be
 * done again: a record that has its answer no longer waits.
 */
export async function answerMassDelete(
	store: Pick<SyncStore, 'load' | 'commit' | 'scanLinks'>,
	item: StoredReview,
	resolution: Resolution,
): Promise<void> {
	if (!['approve', 'reject', 'retry', 'dismiss'].includes(resolution.choice.kind)) {
		throw new SyncError('INVALID_RESOLUTION', `The review item ${item.id} is answered by approving, rejecting or dismissing it`);
	}
	let afterId: string | undefined;
	for (;;) {
		const request = { policy: item.policy, ...(item.entity === null ? {} : { entity: item.entity }), limit: PAGE };
		const page = await store.scanLinks(afterId === undefined ? request : { ...request, afterId });
		const waiting = page.filter(({ state }) => state.fields[EXISTENCE]?.frozen?.review === item.id);
		if (waiting.length > 0) await answerAll(store, { policy: item.policy, links: waiting.map(({ state }) => state.id), resolution });
		afterId = page.at(-1)?.state.id;
		if (page.length < PAGE || afterId === undefined) return;
	}
}

async function answerAll(
	store: Pick<SyncStore, 'load' | 'commit'>,
	{ policy: name, links, resolution }: { policy: string; links: readonly string[]; resolution: Resolution },
): Promise<void> {
	await retryContended(async (isLast) => {
		const loaded = await store.load({ policy: name, links });
		const published = requirePublished(loaded, name);
		const policy = policyInForce(published);
		const commits = loaded.links
			.filter(({ state }) => state.fields[EXISTENCE]?.frozen?.review === resolution.review)
			.map((link) => {
				const { state, journal } = resolve(link.state, resolution, policy);
				const due = isDue(state, policy, published.mode);
				return { state, expectedRevision: link.revision, due, claims: [], journal, reviews: [], stopAt: null, ...spreadOfChange(link.state, state, policy) };
			});
		if (commits.length === 0) return true;
		const { links: results } = await store.commit({ policy: name, links: commits });
		if (!results.includes('conflict')) return true;
		// The item stays open, to be answered again.
		if (isLast) throw new SyncError('COMMIT_CONTENDED', `Records that wait for the review item ${resolution.review} change all the time`);
		return null;
	});
}
