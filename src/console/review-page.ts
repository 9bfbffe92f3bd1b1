import { equalJson, type Json } from '../core/canonical-json';
import { own } from '../core/own';
import { markChanges } from './changed-part';
import { shownHistory } from './history-list';
import { html, query, type Html } from './html';
import { notice, type Page } from './layout';
import { age, momentText, type Reader } from './moment';
import { offers, postForm } from './offers';
import type { ReviewModel, ShownField, ShownRecord, ShownVersion } from './review-model';
import { kindName, stateName } from './reviews-page';
import { fieldName, shownOf, valueText } from './shown-value';
import { valuesForm } from './values-form';

/** One item: why it waits, what each system says, who had seen what, and what can be done about it. */
export function reviewPage(model: ReviewModel, reader: Reader): Page {
	const { review, record, payload, advice, history } = model;
	const body = html`${head(model, reader)}${record === null ? null : values(record)}${reveal(model)}
${advice === null ? null : notice('plain', advice)}${offers(model)}${valuesForm(model)}
${payload === null ? null : html`<section class="card"><h2>What was pushed</h2><pre class="value wide">${JSON.stringify(payload, null, 2)}</pre></section>`}
${record === null || history.length === 0 ? null : html`<section class="card"><h2>What has happened</h2>${shownHistory(history, reader)}<p><a href="${query({ view: 'record', link: record.link })}">The record's whole history</a></p></section>`}`;
	return { title: review.reason, tab: 'reviews', body };
}

function head({ review, record }: ReviewModel, reader: Reader): Html {
	const { kind, state, openedAtMs, updatedAtMs, closedBy } = review;
	const ended = state === 'open' ? null : html`<p><b>${stateName(state)}</b>${closedBy === null ? null : html` by ${closedBy}`}, ${momentText(updatedAtMs, reader.zone)}</p>`;
	const keys = record === null ? [] : Object.entries(record.keys).map(([system, key]) => html`<dt>${system}</dt><dd><bdi class="value">${key}</bdi></dd>`);
	return html`<div class="card"><p class="row"><span class="chip ${kind}">${kindName(kind)}</span><span class="soft">waiting since ${momentText(openedAtMs, reader.zone)} (${age(openedAtMs, reader)})</span></p>${ended}
${record === null ? null : html`<dl><dt>Record</dt><dd><a href="${query({ view: 'record', link: record.link })}">${record.entity}</a></dd>${keys}</dl>`}
${record === null || record.writing.length === 0 ? null : html`<p class="soft">A write to ${record.writing.join(', ')} is under way. What is decided here goes there after it has ended.</p>`}</div>`;
}

function reveal({ review: { id, token }, canReveal, key }: ReviewModel): Html {
	if (!canReveal) return html``;
	return html`<div class="card">${postForm(id, { key, token, choice: 'reveal' }, html`<div class="row"><button>Show masked values</button><span class="soft">That you looked is noted in the journal.</span></div>`)}</div>`;
}

function values({ fields, systems }: ShownRecord): Html {
	if (fields.length === 0) return html``;
	const heads = systems.map((system) => html`<th scope="col">${system}</th>`);
	return html`<section class="card wide"><h2>What each system says</h2><table class="stack"><thead><tr><th scope="col">Field</th><th scope="col">Last agreed</th>${heads}</tr></thead><tbody>${fields.map((field) => fieldRow(field, systems))}</tbody></table></section>`;
}

function fieldRow(field: ShownField, systems: readonly string[]): Html {
	const there = systems.flatMap((system) => own(field.values, system) ?? []);
	const marked = new Map(there.length > 1 && there.every(isText) ? markChanges(there.map(({ value }) => valueText(value))).map((shown, at) => [there[at], shown] as const) : []);
	const agreed = lastAgreed(there);
	const cells = systems.map((system) => html`<td data-label="${system}">${versionCell(field, own(field.values, system), marked)}</td>`);
	return html`<tr><td><b>${fieldName(field.name)}</b><div class="soft">${field.rule}</div></td><td data-label="Last agreed">${agreed === undefined ? html`<span class="nothing">never</span>` : shownOf(field.name, agreed)}</td>${cells}</tr>`;
}

/** What all of them held once; undefined when they never did. */
function lastAgreed(versions: readonly ShownVersion[]): Json | undefined {
	const [first, ...others] = versions.map(({ base }) => base);
	return first !== undefined && others.length > 0 && others.every((base) => base !== undefined && equalJson(base, first)) ? first : undefined;
}

const isText = ({ value, unreadable }: ShownVersion): boolean => typeof value === 'string' && value !== '' && unreadable === undefined;

function versionCell({ name }: ShownField, version: ShownVersion | undefined, marked: ReadonlyMap<ShownVersion | undefined, Html>): Html {
	if (version === undefined) return html`<span class="nothing">never heard of it</span>`;
	const { value, hadSeen, hadNotSeen, unreadable } = version;
	if (unreadable !== undefined) return html`<span class="chip failure">cannot be read</span> <span class="soft">it ${unreadable}</span>`;
	const seen = hadSeen.length > 0 ? html`<div class="soft">had seen ${hadSeen.join(', ')}</div>` : null;
	const unseen = hadNotSeen.length > 0 ? html`<div class="soft">had <b>not</b> seen ${hadNotSeen.join(', ')}</div>` : null;
	return html`${marked.get(version) ?? shownOf(name, value)}${seen}${unseen}`;
}
