import { decide, hasUnsettled, isDue, type Decision } from '../core/decide';
import { openReviews, reviewChanges } from '../core/draft';
import type { PolicyInForce } from '../core/observe';
import { obstaclesOf } from '../core/obstacles';
import { type Known, NOTHING_KNOWN } from '../core/references';
import type { ReviewItem } from '../core/review';
import { isFreshlyAsked } from '../core/twins';
import { spreadOfDecision } from './spread-of-links';
import type { LinkCommit, LoadedLink, PublishedPolicy } from './sync-store';

/** R2 over one link, thought out but not committed. */
export interface PreparedDecision {
	readonly decision: Decision;
	/** Null when there is nothing to commit: deciding again has no effect. */
	readonly commit: LinkCommit | null;
	/** All items that hold fields of the link still. */
	readonly reviews: readonly ReviewItem[];
}

/** What a decision about one link knows of others. */
export interface KnownOfLink extends Known {
	/** Match keys that it has once its references are known, and that nobody holds. */
	readonly claims?: readonly string[];
	/** In which execution of the workflow that is; see `RunFilter`. */
	readonly execution?: string | undefined;
}

/** Decides about a loaded link. Pure. */
export function prepareDecision(
	link: LoadedLink,
	{ published, policy }: { published: PublishedPolicy; policy: PolicyInForce },
	{ claims = [], execution, ...known }: KnownOfLink = NOTHING_KNOWN,
): PreparedDecision {
	const woken = isWoken(link, { published, policy }) ? { freed: true as const } : {};
	const decision = decide(link.state, policy, published.mode, { ...known, ...woken });
	const { state, waits, changed } = decision;
	const journal = decision.journal.map((entry) => (entry.kind === 'decided' && execution !== undefined ? { ...entry, execution } : entry));
	const reviews = openReviews(state, published.name);
	const due = hasUnsettled(state, policy) || waits.length > 0 || isFreshlyAsked(link.state, state);
	// A link that is marked due and is not (a new policy that changes nothing for it) is committed once, to be left alone.
	const settled = decides(published) && link.due !== due;
	if (!changed && !settled) return { decision, commit: null, reviews };
	const changes = reviewChanges(link.state, state, { policy: published.name, how: 'superseded', by: 'sync' });
	const commit = {
		state,
		expectedRevision: link.revision,
		due,
		claims,
		journal,
		reviews: changes,
		stopAt: null,
		...spreadOfDecision(link.state, decision, policy),
	};
	return { decision, commit, reviews };
}

/** Whether a link that is held because a row is in its way is due for no reason of its own: something has changed elsewhere. */
function isWoken({ state, due }: LoadedLink, { published, policy }: { published: PublishedPolicy; policy: PolicyInForce }): boolean {
	return due && obstaclesOf(state).length > 0 && !isDue(state, policy, published.mode);
}

function decides({ mode }: PublishedPolicy): boolean {
	return mode === 'live' || mode === 'shadow';
}
