import { html, query } from '../../src/console/html';
import { notice } from '../../src/console/layout';
import { effect, postForm } from '../../src/console/offers';
import { reviewPage } from '../../src/console/review-page';
import { typedValue } from '../../src/console/values-form';
import type { Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { EXISTENCE, type LinkState, type View } from '../../src/core/link';
import { own } from '../../src/core/own';
import { previewChoice } from '../../src/core/preview-choice';
import type { Choice, Resolution } from '../../src/core/resolve';
import type { StoredReview } from '../../src/core/review';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { noteRevealed } from '../../src/store/note-revealed';
import { once } from '../../src/store/once';
import { resolveReview } from '../../src/store/resolve-review';
import type { PublishedPolicy } from '../../src/store/sync-store';
import { maskEffects } from './offers-of';
import { type DecidingVisit, lookAgain, pageAnswer, type Posted, refusal, SENT_TWICE, whyNotPosted } from './answers';
import { nonceOf } from './form-keys';
import { readReview } from './read-pages';
import type { Visit } from './visit';
import type { Query } from './query';

interface Post {
	readonly visit: DecidingVisit;
	readonly form: Query;
	readonly review: StoredReview;
	readonly state: LinkState | null;
	readonly published: PublishedPolicy;
}

/** Carries out what a person has posted from the page of an item, once. */
export async function decide(visit: DecidingVisit, id: string, form: Query): Promise<Posted> {
	const { store, policy } = visit;
	const published = requirePublished(await store.load({ policy }), policy);
	const [review] = await store.listReviews({ ids: [id], limit: 1 });
	const refuse: Refuse = (status, text) => refusal(visit, published, { status, text, again: review ? lookAgain(review.id) : null });
	if (!review || review.policy !== policy) return refuse(404, 'There is no such item. It may have been removed.');
	const nonce = nonceOf(form['key'], visit, { about: id, token: form['token'] ?? '', macKey: published.macKey });
	const why = whyNot(visit, review, nonce);
	if (why !== null) return refuse(...why);
	if (form['choice'] === 'reveal') return await reveal(visit, review, published);
	const state = review.link === null ? null : ((await store.load({ policy, links: [review.link] })).links[0]?.state ?? null);
	const choice = readChoice(form, review, state);
	if (choice === null) return refuse(400, 'Choose at least one value. A value of a field that is a number, a list or yes/no must be written as such: 12, ["a"], true.');
	const post: Post = { visit, form, review, state, published };
	return choice.kind === 'values' && form['confirmed'] !== 'yes' ? preview(post, choice, refuse) : await carryOut(post, { choice, nonce: nonce ?? '' }, refuse);
}

/** The page with its masked values. */
async function reveal(visit: DecidingVisit, { id, link, fields }: StoredReview, published: PublishedPolicy): Promise<Posted> {
	const { store, policy, visitor, reader } = visit;
	if (link !== null) await noteRevealed(store, { policy, link, fields, by: visitor.name, review: id });
	const model = await readReview(visit, id, published, true);
	const page = model ? reviewPage(model, reader) : { title: 'Not found', tab: null, body: notice('bad', 'There is no such item any more.') };
	return pageAnswer(visit, published, { status: model ? 200 : 404, page });
}

type Refuse = (status: number, text: string) => Posted;

function whyNot(visit: Visit, { state, closedBy }: StoredReview, nonce: string | null): [number, string] | null {
	if (state === 'open' || visit.visitor.isReader || nonce === null) return whyNotPosted(visit, nonce);
	return [409, `Already ${state === 'superseded' ? 'closed by itself' : `${state} by ${closedBy ?? 'somebody'}`}. Nothing was changed by you.`];
}

async function carryOut({ visit: { store, policy, visitor }, form, review, state }: Post, { choice, nonce }: { choice: Choice; nonce: string }, refuse: Refuse): Promise<Posted> {
	const resolution: Resolution = { review: review.id, token: form['token'] ?? '', by: visitor.name, choice };
	const resolved = await once(store, { scope: `console:${policy}`, nonce }, async () => await resolveReview(store, resolution));
	if (resolved === 'sent-twice') return refuse(409, SENT_TWICE);
	if (resolved instanceof SyncError) return refuse(409, `${resolved.message}. Nothing was changed by you.`);
	return { kind: 'goto', address: query({ view: 'review', id: resolved.id }), done: [{ review: resolved, resolution, state }] };
}

/** Null: it makes no decision. */
function readChoice(form: Query, review: StoredReview, state: LinkState | null): Choice | null {
	switch (form['choice']) {
		case 'apply':
			return form['system'] ? { kind: 'apply', system: form['system'] } : null;
		case 'approve':
		case 'reject':
		case 'dismiss':
		case 'retry':
			return { kind: form['choice'] };
		case 'values':
			return readValues(form, review, state);
		default:
			return null;
	}
}

function readValues(form: Query, { fields }: StoredReview, state: LinkState | null): Choice | null {
	const values: [string, Json][] = [];
	for (const [at, name] of fields.filter((field) => field !== EXISTENCE).entries()) {
		const take = form[`take-${at}`] ?? '';
		if (take === '') continue;
		const views = own(state?.fields ?? {}, name)?.views ?? {};
		const given = readValue(take, form[`text-${at}`] ?? '', views);
		if (given === null) return null;
		values.push([name, given.value]);
	}
	return values.length === 0 ? null : { kind: 'values', values: Object.fromEntries(values) };
}

/** @param take - "=" for what was typed, "∅" for nothing, else a system */
function readValue(take: string, typed: string, views: Readonly<Record<string, View>>): { readonly value: Json } | null {
	if (take === '=') return typedValue(typed, Object.values(views).map(({ canon }) => canon));
	if (take === '∅') return { value: null };
	const view = own(views, take);
	return view ? { value: view.canon } : null;
}

/** What the values would do, and a button that does it. Changes nothing. */
function preview({ visit, form, review, state, published }: Post, choice: Choice, refuse: Refuse): Posted {
	const policy = policyInForce(published);
	const entity = policy.policy.entities.get(state?.entity ?? '');
	const effects = state === null ? [] : previewChoice(state, { review: review.id, token: form['token'] ?? '', by: visit.visitor.name, choice }, policy);
	if (effects instanceof SyncError) return refuse(409, `${effects.message}. Nothing was changed.`);
	const shown = maskEffects(effects, entity?.sensitive ?? new Set());
	const hidden = Object.fromEntries(Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
	const list = shown.length === 0 ? html`<p>Nothing need be written: all systems have these values.</p>` : html`<ul class="plain">${shown.map(effect)}</ul>`;
	const body = html`<div class="card">${list}<div class="row">${postForm(review.id, { ...hidden, confirmed: 'yes' }, html`<button class="main">Do it</button>`)}<a class="button" href="${query({ view: 'review', id: review.id })}">Back</a></div></div>`;
	return pageAnswer(visit, published, { page: { title: 'What this would do', tab: 'reviews', body } });
}
