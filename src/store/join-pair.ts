import { isDue } from '../core/decide';
import { reviewChanges } from '../core/draft';
import { matchKeysOfLink } from '../core/match-keys';
import type { PolicyInForce } from '../core/observe';
import type { EntityPolicy } from '../core/policy';
import { resolve, type Resolution } from '../core/resolve';
import { joinOrder } from '../core/twins';
import { policyInForce } from './published-policy';
import { spreadOfChange } from './spread-of-links';
import type { LinkCommit, LoadedLink, PublishedPolicy } from './sync-store';

/** Two links that turn out to be one record, and what the policy says of them. */
export interface Pair {
	readonly one: LoadedLink;
	readonly other: LoadedLink;
	readonly entity: EntityPolicy;
	readonly published: PublishedPolicy;
}

/** Commits by which two links become one; for one commit `together`. The link that goes on stands first. */
export function joinPair({ one, other, entity, published }: Pair, resolution: Omit<Resolution, 'choice'>): LinkCommit[] {
	const policy = policyInForce(published);
	const order = joinOrder(one.state, other.state, entity);
	const [survivor, absorbed] = order.survivor === one.state ? [one, other] : [other, one];
	const decide = { published, policy };
	const whole = commitOfChoice(survivor, decide, { ...resolution, choice: { kind: 'join', absorbed: absorbed.state } });
	const rest = commitOfChoice(absorbed, decide, { ...resolution, choice: { kind: 'joined', into: survivor.state.id } });
	const matches = matchKeysOfLink(policy.policy, whole.state);
	const claims = absorbed.matches.filter((match) => matches.has(match));
	return [{ ...whole, claims }, { ...rest, releases: absorbed.matches, waitsFor: [] }];
}

/** What a person's choice does to one link, as a commit. */
export function commitOfChoice(
	{ state: before, revision }: LoadedLink,
	{ published, policy }: { published: PublishedPolicy; policy: PolicyInForce },
	resolution: Resolution,
): LinkCommit {
	const { state, journal } = resolve(before, resolution, policy);
	const how = resolution.choice.kind === 'reject' ? 'dismissed' : 'resolved';
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
