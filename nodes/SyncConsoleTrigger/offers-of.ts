import type { Offer, OfferKind } from '../../src/console/review-model';
import { SyncError } from '../../src/core/errors';
import { EXISTENCE, type LinkState } from '../../src/core/link';
import { MASK } from '../../src/core/mask';
import type { PolicyInForce } from '../../src/core/observe';
import { type Effect, previewChoice } from '../../src/core/preview-choice';
import type { Choice } from '../../src/core/resolve';
import type { StoredReview } from '../../src/core/review';
import { firstContactReviewId } from '../../src/store/approve-first-contact';
import { isPlainLetter, isWriteLetter } from '../shared/dead-letters';

export interface Offered {
	readonly offers: readonly Offer[];
	readonly advice: string | null;
}

interface About {
	/** Null: the item is about no record. */
	readonly state: LinkState | null;
	readonly policy: PolicyInForce;
	/** Sensitive values are shown. */
	readonly isRevealed: boolean;
}

/** What a person may do about an item, each with what it would do. */
export function offersOf(review: StoredReview, about: About): Offered {
	if (review.state !== 'open') return { offers: [], advice: null };
	if (review.id === firstContactReviewId(review.policy)) {
		return { offers: [], advice: 'Look at the report of the first contact, and approve it, with the Sync Policy node: operations First Contact Report and Approve First Contact.' };
	}
	if (isWriteLetter(review)) return { offers: [plain('dismiss')], advice: 'The write is tried again by itself, and this item closes when it has an outcome. Mend what the reason names.' };
	if (isPlainLetter(review)) return { offers: [plain('retry'), plain('dismiss')], advice: null };
	const { state } = about;
	if (state === null) return { offers: [plain('approve'), plain('reject')], advice: null };
	return { offers: aboutRecord(review, state, about), advice: null };
}

const plain = (kind: OfferKind): Offer => ({ kind, system: null, effects: [] });

function aboutRecord(review: StoredReview, state: LinkState, { policy, isRevealed }: About): Offer[] {
	const detail = review.detail as { proposal?: string; resembles?: object };
	if (detail.resembles !== undefined) return [plain('approve'), plain('reject')];
	const kinds: Choice['kind'][] = review.kind === 'approval' || detail.proposal !== undefined ? ['approve', 'reject'] : ['apply', 'dismiss', 'retry'];
	return kinds.flatMap((kind): Offer[] => {
		if (kind !== 'apply') return offerOf({ kind } as Choice, { review, state, policy, isRevealed });
		if (review.fields.every((name) => name === EXISTENCE) && review.kind === 'identity') return [];
		return [...(policy.policy.entities.get(state.entity)?.tables.keys() ?? [])].flatMap((system) => offerOf({ kind, system }, { review, state, policy, isRevealed }));
	});
}

/** None when the rules would refuse it. */
function offerOf(choice: Choice, { review, state, policy, isRevealed }: About & { review: StoredReview; state: LinkState }): Offer[] {
	const effects = previewChoice(state, { review: review.id, token: review.token, by: 'preview', choice }, policy);
	if (effects instanceof SyncError) return [];
	const sensitive = isRevealed ? new Set<string>() : (policy.policy.entities.get(state.entity)?.sensitive ?? new Set<string>());
	return [{ kind: choice.kind as OfferKind, system: choice.kind === 'apply' ? choice.system : null, effects: maskEffects(effects, sensitive) }];
}

export function maskEffects(effects: readonly Effect[], sensitive: ReadonlySet<string>): Effect[] {
	return effects.map((effect) => ({ ...effect, fields: effect.fields.map((one) => (sensitive.has(one.field) ? { ...one, from: MASK, to: MASK } : one)) }));
}
