import type { Effect } from '../core/preview-choice';
import { html, query, type Content, type Html } from './html';
import type { Offer, ReviewModel } from './review-model';
import { fieldName, shownValue } from './shown-value';

/** The decisions that one click makes, each with what it would do. */
export function offers({ review: { id, token }, offers: given, key }: ReviewModel): Html {
	if (given.length === 0) return html``;
	const cards = given.map((offer) => {
		const hidden = { key, token, choice: offer.kind, system: offer.system ?? '' };
		return html`<div class="card"><h2>${title(offer)}</h2><div>${effectList(offer)}</div>${postForm(id, hidden, html`<button${offer.kind === 'apply' || offer.kind === 'approve' ? html` class="main"` : null}>${button(offer)}</button>`)}</div>`;
	});
	return html`<section class="card"><h2>Decide</h2><div class="choices">${cards}</div></section>`;
}

/** A form that posts to the page of an item. */
export function postForm(id: string, hidden: Readonly<Record<string, string>>, content: Content): Html {
	const inputs = Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
	return html`<form method="post" action="${query({ view: 'review', id })}">${inputs}${content}</form>`;
}

function title({ kind, system }: Offer): Content {
	switch (kind) {
		case 'apply':
			return html`The value of ${system} holds`;
		case 'approve':
			return 'Yes, do it';
		case 'reject':
			return 'No, leave it';
		case 'dismiss':
			return 'The systems may differ';
		case 'retry':
			return 'Let the rules decide again';
	}
}

function button({ kind, system }: Offer): string {
	return { apply: `Take ${system}'s value`, approve: 'Approve', reject: 'Reject', dismiss: 'Let them differ', retry: 'Try again' }[kind];
}

const WITHOUT: Readonly<Record<Offer['kind'], string>> = {
	apply: 'Nothing need be written: all systems have it.',
	approve: 'What waits goes on.',
	reject: 'What waits is not done.',
	dismiss: 'Nothing is written. The next edit of the field, in any system, goes to all.',
	retry: 'Nothing is written unless the rules find a way.',
};

function effectList({ kind, effects }: Offer): Html {
	if (effects.length === 0) return html`<p class="soft">${WITHOUT[kind]}</p>`;
	return html`<ul class="plain">${effects.map(effect)}</ul>`;
}

/** "billing: email becomes a@x" */
export function effect({ system, kind, fields }: Effect): Html {
	if (kind === 'waits') return html`<li><span class="system">${system}</span>: after the write that is under way</li>`;
	if (kind === 'delete') return html`<li><span class="system">${system}</span>: the record is <b>deleted</b></li>`;
	const head = kind === 'insert' ? html`: the record is <b>created</b>` : null;
	const changes = fields.map(({ field, to }) => html`<div>${fieldName(field)} becomes ${shownValue(to)}</div>`);
	return html`<li><span class="system">${system}</span>${head}${changes}</li>`;
}
