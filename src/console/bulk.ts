import type { Effect } from '../core/preview-choice';
import type { StoredReview } from '../core/review';
import { html, query, type Html } from './html';
import { notice, type Page } from './layout';
import { effect } from './offers';

/** What one click may do to several items. */
export type BulkChoice = { readonly kind: 'apply'; readonly system: string } | { readonly kind: 'dismiss' | 'retry' | 'approve' | 'reject' };

/** An item that was picked, with what the choice would do to it. */
export interface Picked {
	readonly review: StoredReview;
	readonly effects: readonly Effect[];
	/** Why the choice is none for this item; null: it is one. */
	readonly refused: string | null;
}

/** What stands for a choice in a form. */
export const bulkValue = (choice: BulkChoice): string => (choice.kind === 'apply' ? `apply:${choice.system}` : choice.kind);

/** Null: it is none. */
export function readBulk(value: string, systems: readonly string[]): BulkChoice | null {
	if (value === 'dismiss' || value === 'retry' || value === 'approve' || value === 'reject') return { kind: value };
	const system = systems.find((one) => value === `apply:${one}`);
	return system === undefined ? null : { kind: 'apply', system };
}

const NAMES = { dismiss: 'Let the systems differ', retry: 'Let the rules decide again', approve: 'Approve', reject: 'Reject' } as const;

const nameOf = (choice: BulkChoice): string => (choice.kind === 'apply' ? `Take the value of ${choice.system}` : NAMES[choice.kind]);

/** Below the list: what to do with the items that are picked. Nothing is done before its preview was seen. */
export function bulkBar(systems: readonly string[]): Html {
	const choices: BulkChoice[] = [...systems.map((system) => ({ kind: 'apply' as const, system })), { kind: 'retry' }, { kind: 'dismiss' }, { kind: 'approve' }, { kind: 'reject' }];
	const options = choices.map((choice) => html`<option value="${bulkValue(choice)}">${nameOf(choice)}</option>`);
	return html`<div class="row"><label for="bulk">With those that are ticked</label><select id="bulk" name="bulk">${options}</select><button>Show what this would do</button></div>`;
}

/** What the choice would do to each item, and a button that does it. */
export function bulkPreview({ choice, picked, key }: { choice: BulkChoice; picked: readonly Picked[]; key: string }): Page {
	const possible = picked.filter(({ refused }) => refused === null);
	const others = picked.filter(({ refused }) => refused !== null);
	const hidden = possible.map(({ review: { id, token } }, at) => html`<input type="hidden" name="pick-${at}" value="${token} ${id}">`);
	const list = possible.map(({ review, effects }) => html`<li>${itemLink(review)}${effects.length === 0 ? html`<div class="soft">nothing is written at once</div>` : html`<ul class="plain">${effects.map(effect)}</ul>`}</li>`);
	const go = html`<form method="post" action="${query({ view: 'reviews' })}"><input type="hidden" name="key" value="${key}"><input type="hidden" name="bulk" value="${bulkValue(choice)}"><input type="hidden" name="confirmed" value="yes">${hidden}<div class="row"><button class="main">${nameOf(choice)}: ${possible.length} ${possible.length === 1 ? 'item' : 'items'}</button><a class="button" href="${query({ view: 'reviews' })}">Back</a></div></form>`;
	const body = html`${possible.length === 0 ? notice('bad', 'None of these items can be decided so.') : html`<div class="card"><ul class="plain bulk">${list}</ul>${go}</div>`}${left(others)}`;
	return { title: `What this would do: ${nameOf(choice).toLowerCase()}`, tab: 'reviews', body };
}

/** What was done. */
export function bulkDone({ choice, done, refused }: { choice: BulkChoice; done: readonly StoredReview[]; refused: readonly Picked[] }): Page {
	const list = done.map((review) => html`<li>${itemLink(review)}</li>`);
	const body = html`${notice(done.length > 0 ? 'good' : 'bad', `${nameOf(choice)}: ${done.length} ${done.length === 1 ? 'item' : 'items'} decided${refused.length > 0 ? `, ${refused.length} left as they were` : ''}.`, html`<p><a href="${query({ view: 'reviews' })}">What else waits</a></p>`)}
${done.length === 0 ? null : html`<div class="card"><h2>Decided</h2><ul class="plain">${list}</ul></div>`}${left(refused)}`;
	return { title: 'Done', tab: 'reviews', body };
}

function left(refused: readonly Picked[]): Html {
	if (refused.length === 0) return html``;
	return html`<div class="card"><h2>Left as they are</h2><ul class="plain">${refused.map(({ review, refused: why }) => html`<li>${itemLink(review)}<div class="soft">${why}</div></li>`)}</ul></div>`;
}

const itemLink = ({ id, reason, entity }: StoredReview): Html => html`<a href="${query({ view: 'review', id })}">${reason}</a>${entity === null ? null : html` <span class="soft">${entity}</span>`}`;
