import { type BulkChoice, bulkDone, bulkPreview, type Picked, readBulk } from '../../src/console/bulk';
import { html, query } from '../../src/console/html';
import { SyncError } from '../../src/core/errors';
import type { LinkState } from '../../src/core/link';
import { maskReview } from '../../src/core/mask';
import type { PolicyInForce } from '../../src/core/observe';
import type { Resolution } from '../../src/core/resolve';
import { once } from '../../src/store/once';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { resolveReviews } from '../../src/store/resolve-review';
import { reviewsById } from '../../src/store/reviews-by-id';
import { type DecidingVisit, type Done, pageAnswer, type Posted, refusal, SENT_TWICE, whyNotPosted } from './answers';
import { keyFor, nonceOf, OF_SELECTION } from './form-keys';
import { offersOf } from './offers-of';
import type { Query } from './query';

/** More than stand on a page cannot have been ticked. */
const MAX_PICKED = 200;

interface Pick {
	readonly token: string;
	readonly id: string;
}

/** Shows what a choice would do to the items that are ticked; with `confirmed`, does it. Each item is decided, or refused, for itself. */
export async function postBulk(visit: DecidingVisit, form: Query): Promise<Posted> {
	const { store, policy, visitor } = visit;
	const published = requirePublished(await store.load({ policy }), policy);
	const inForce = policyInForce(published);
	const refuse = (status: number, text: string): Posted => refusal(visit, published, { status, text, again: html`<p><a href="${query({ view: 'reviews' })}">Back to the list</a></p>` });
	const nonce = nonceOf(form['key'], visit, { ...OF_SELECTION, macKey: published.macKey });
	const why = whyNotPosted(visit, nonce);
	if (why !== null) return refuse(...why);
	const choice = readBulk(form['bulk'] ?? '', inForce.policy.systems);
	const picks = picksOf(form);
	if (choice === null || picks.length === 0) return refuse(400, 'Tick at least one item, and choose what to do with it.');
	const picked = await look(visit, picks, { choice, inForce });
	if (form['confirmed'] !== 'yes') return pageAnswer(visit, published, { page: bulkPreview({ choice, picked: picked.map(({ picked: one }) => one), key: keyFor(visit, OF_SELECTION, published) }) });
	const possible = picked.filter(({ picked: { refused } }) => refused === null);
	const resolutions = possible.map(({ pick, picked: { review } }): Resolution => ({ review: review.id, token: pick.token, by: visitor.name, choice }));
	const resolved = await once(store, { scope: `console:${policy}`, nonce: nonce ?? '' }, async () => await resolveReviews(store, resolutions));
	if (resolved === 'sent-twice') return refuse(409, SENT_TWICE);
	if (resolved instanceof SyncError) return refuse(409, `${resolved.message}. Nothing was changed.`);
	const done: Done[] = [];
	const refused = picked.map(({ picked: one }) => one).filter((one) => one.refused !== null);
	for (const [at, { picked: one, state }] of possible.entries()) {
		const [end, resolution] = [resolved[at], resolutions[at]];
		if (end instanceof SyncError) refused.push({ ...one, refused: end.message });
		else if (end && resolution) done.push({ review: one.review, resolution, state });
	}
	return pageAnswer(visit, published, { page: bulkDone({ choice, done: done.map(({ review }) => review), refused }), done });
}

/** `pick-…`: the token of the item as it was seen, and its id. */
function picksOf(form: Query): Pick[] {
	const texts = Object.entries(form).flatMap(([name, value]) => (name.startsWith('pick-') && value !== undefined ? [value] : []));
	return texts.slice(0, MAX_PICKED).flatMap((text) => {
		const at = text.indexOf(' ');
		return at <= 0 ? [] : [{ token: text.slice(0, at), id: text.slice(at + 1) }];
	});
}

interface Looked {
	readonly pick: Pick;
	readonly picked: Picked;
	readonly state: LinkState | null;
}

async function look({ store, policy }: DecidingVisit, picks: readonly Pick[], { choice, inForce }: { choice: BulkChoice; inForce: PolicyInForce }): Promise<Looked[]> {
	const reviews = await reviewsById(store, picks.map(({ id }) => id));
	const links = [...reviews.values()].flatMap(({ link }) => link ?? []);
	const states = new Map((await store.load({ policy, links })).links.map(({ state }) => [state.id, state]));
	return picks.flatMap((pick): Looked[] => {
		const review = reviews.get(pick.id);
		if (!review || review.policy !== policy) return [];
		const state = states.get(review.link ?? '') ?? null;
		const shown = maskReview(review, inForce.policy);
		const refuse = (refused: string): Looked[] => [{ pick, picked: { review: shown, effects: [], refused }, state }];
		if (review.state !== 'open') return refuse(`It is closed: ${review.state} by ${review.closedBy ?? 'the sync'}.`);
		if (review.token !== pick.token) return refuse('It has changed since it was ticked: look at it once more.');
		const { offers, advice } = offersOf(review, { state, policy: inForce, isRevealed: false });
		const offer = offers.find(({ kind, system }) => kind === choice.kind && (choice.kind !== 'apply' || system === choice.system));
		if (!offer) return refuse(advice ?? 'It cannot be decided so.');
		return [{ pick, picked: { review: shown, effects: offer.effects, refused: null }, state }];
	});
}
