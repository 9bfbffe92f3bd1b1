import { openFormKey } from '../../src/console/form-key';
import { html, query } from '../../src/console/html';
import { documentOf, notice } from '../../src/console/layout';
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
import { resolveOnce } from '../../src/store/resolve-once';
import type { ResolvingStore } from '../../src/store/resolve-review';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import { maskEffects } from './offers-of';
import { type Answer, frameOf, readReview, type Visit } from './read-pages';
import type { Query } from './query';

export type DecidingStore = Visit['store'] & ResolvingStore & Pick<SyncStore, 'claim' | 'complete' | 'release'>;

export type Decided =
	| { readonly kind: 'answer'; readonly answer: Answer }
	| { readonly kind: 'done'; readonly review: StoredReview; readonly resolution: Resolution; readonly state: LinkState | null };

interface Post {
	readonly visit: Visit & { readonly store: DecidingStore };
	readonly form: Query;
	readonly review: StoredReview;
	readonly state: LinkState | null;
	readonly published: PublishedPolicy;
}

/** Carries out what a person has posted from the page of an item, once. */
export async function decide(visit: Post['visit'], id: string, form: Query): Promise<Decided> {
	const { store, policy } = visit;
	const published = requirePublished(await store.load({ policy }), policy);
	const [review] = await store.listReviews({ ids: [id], limit: 1 });
	const refuse: Refuse = (status, text) => refused({ visit, published, status, text, id: review?.id ?? null });
	if (!review || review.policy !== policy) return refuse(404, 'There is no such item. It may have been removed.');
	const nonce = openFormKey(form['key'] ?? '', { person: visit.visitor.name, review: id, token: form['token'] ?? '' }, { secret: published.macKey, nowMs: visit.reader.nowMs });
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
async function reveal(visit: Post['visit'], { id, link, fields }: StoredReview, published: PublishedPolicy): Promise<Decided> {
	const { store, policy, visitor, reader } = visit;
	if (link !== null) await noteRevealed(store, { policy, link, fields, by: visitor.name, review: id });
	const model = await readReview(visit, id, published, true);
	const page = model ? reviewPage(model, reader) : { title: 'Not found', tab: null, body: notice('bad', 'There is no such item any more.') };
	return { kind: 'answer', answer: { status: model ? 200 : 404, body: documentOf(frameOf(visit, published), page) } };
}

type Refuse = (status: number, text: string) => Decided;

function whyNot({ visitor }: Visit, { state, closedBy }: StoredReview, nonce: string | null): [number, string] | null {
	if (visitor.isReader) return [403, 'You may look, and decide nothing. Ask whoever runs this n8n.'];
	if (nonce === null) return [403, 'This page is too old, or was not made for you. Nothing was changed.'];
	if (state === 'open') return null;
	return [409, `Already ${state === 'superseded' ? 'closed by itself' : `${state} by ${closedBy ?? 'somebody'}`}. Nothing was changed by you.`];
}

async function carryOut({ visit: { store, policy, visitor }, form, review, state }: Post, { choice, nonce }: { choice: Choice; nonce: string }, refuse: Refuse): Promise<Decided> {
	const resolution: Resolution = { review: review.id, token: form['token'] ?? '', by: visitor.name, choice };
	const resolved = await resolveOnce(store, resolution, { scope: `console:${policy}`, nonce });
	if (resolved === 'sent-twice') return refuse(409, 'This page was sent twice. What was sent first counts.');
	if (resolved instanceof SyncError) return refuse(409, `${resolved.message}. Nothing was changed by you.`);
	return { kind: 'done', review: resolved, resolution, state };
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
function preview({ visit, form, review, state, published }: Post, choice: Choice, refuse: Refuse): Decided {
	const policy = policyInForce(published);
	const entity = policy.policy.entities.get(state?.entity ?? '');
	const effects = state === null ? [] : previewChoice(state, { review: review.id, token: form['token'] ?? '', by: visit.visitor.name, choice }, policy);
	if (effects instanceof SyncError) return refuse(409, `${effects.message}. Nothing was changed.`);
	const shown = maskEffects(effects, entity?.sensitive ?? new Set());
	const hidden = Object.fromEntries(Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
	const list = shown.length === 0 ? html`<p>Nothing need be written: all systems have these values.</p>` : html`<ul class="plain">${shown.map(effect)}</ul>`;
	const body = html`<div class="card">${list}<div class="row">${postForm(review.id, { ...hidden, confirmed: 'yes' }, html`<button class="main">Do it</button>`)}<a class="button" href="${query({ view: 'review', id: review.id })}">Back</a></div></div>`;
	return { kind: 'answer', answer: { status: 200, body: documentOf(frameOf(visit, published), { title: 'What this would do', tab: 'reviews', body }) } };
}

function refused({ visit, published, status, text, id }: { visit: Visit; published: PublishedPolicy; status: number; text: string; id: string | null }): Decided {
	const again = id === null ? null : html`<p><a href="${query({ view: 'review', id })}">Look at the item as it is now</a></p>`;
	return { kind: 'answer', answer: { status, body: documentOf(frameOf(visit, published), { title: 'Not done', tab: 'reviews', body: notice('bad', text, again) }) } };
}
