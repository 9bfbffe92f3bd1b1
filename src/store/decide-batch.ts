import type { Operation } from '../core/link';
import type { Wait } from '../core/references';
import type { ReviewItem } from '../core/review';
import { prepareDecision, type PreparedDecision } from './decide-step';
import { findTwins } from './find-twins';
import { loadReferred } from './load-referred';
import { policyInForce, requirePublished } from './published-policy';
import { retryContended } from './retry-contended';
import type { PublishedPolicy, SyncStore } from './sync-store';

/** What a link needs now. */
export interface Decided {
	readonly link: string;
	/** New and unsettled operations, one per system at most. */
	readonly ops: readonly Operation[];
	/** Open items that hold fields of the link. */
	readonly reviews: readonly ReviewItem[];
	/** What is not written yet, because it names a record that is not there yet. */
	readonly waits: readonly Wait[];
}

export type DecidingStore = Pick<SyncStore, 'load' | 'commit' | 'findAlike'>;

export interface DecideRequest {
	readonly policy: string;
	/** Ids. */
	readonly links: readonly string[];
	/** Sees the policy in force before anything is committed, and may refuse by throwing. */
	readonly check?: (published: PublishedPolicy) => void;
	/** The id of the workflow's execution, for the journal. */
	readonly execution?: string | undefined;
}

export interface DecidedBatch {
	readonly published: PublishedPolicy;
	/** By link id. A link that is missing lost its commit each time, or does not exist: it stays due. */
	readonly links: ReadonlyMap<string, Decided>;
}

/**
 * R2: loads the links, decides once per link, commits what changed. Store trips: load and
 * commit; both again, for the losers alone, when another worker was faster. One more where a link
 * refers to others, and its references are not at rest.
 */
export async function decideBatch(
	store: DecidingStore,
	{ policy, links, check, execution }: DecideRequest,
): Promise<DecidedBatch> {
	const decided = new Map<string, Decided>();
	let open = [...new Set(links)];
	return await retryContended(async (isLast) => {
		const loaded = await store.load({ policy, links: open });
		const published = requirePublished(loaded, policy);
		check?.(published);
		const rules = { published, policy: policyInForce(published) };
		const known = await loadReferred(store, loaded.links, policyInForce(published));
		const alike = await findTwins(store, loaded.links, rules);
		const prepared = loaded.links.map((link) => {
			const one = prepareDecision(link, rules, { ...known.get(link.state.id), ...alike.of(link.state), execution });
			alike.note(one.decision.state);
			return one;
		});
		const lost = await commitAll(store, policy, prepared);
		for (const one of prepared) {
			const { id } = one.decision.state;
			const { ops, waits } = one.decision;
			if (!lost.has(id)) decided.set(id, { link: id, ops, waits, reviews: one.reviews });
		}
		open = [...lost];
		return open.length === 0 || isLast ? { published, links: decided } : null;
	});
}

async function commitAll(
	store: Pick<SyncStore, 'commit'>,
	policy: string,
	prepared: readonly PreparedDecision[],
): Promise<Set<string>> {
	const commits = prepared.flatMap(({ commit }) => commit ?? []);
	if (commits.length === 0) return new Set();
	const { links } = await store.commit({ policy, links: commits });
	return new Set(commits.filter((_, index) => links[index] === 'conflict').map(({ state }) => state.id));
}
