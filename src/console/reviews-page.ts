import type { ReviewKind } from '../core/link';
import type { StoredReview } from '../core/review';
import { bulkBar } from './bulk';
import { html, query, type Html } from './html';
import type { Page } from './layout';
import { age, type Reader } from './moment';
import { fieldName } from './shown-value';

export interface ReviewsFilter {
	readonly kind: ReviewKind | null;
	readonly state: StoredReview['state'];
	/** 0 for the first page. */
	readonly page: number;
}

/** The record that an item is about. */
export interface ListedRecord {
	/** "crm id 7 · billing no 9". */
	readonly keys: string;
	/** Systems that an answer would have to be written to. */
	readonly waits: readonly string[];
}

export interface ReviewsModel {
	readonly reviews: readonly StoredReview[];
	readonly filter: ReviewsFilter;
	/** There are more, on the next page. */
	readonly hasMore: boolean;
	readonly systems: readonly string[];
	/** By item; absent: it is about no record, or none that is there. */
	readonly records: ReadonlyMap<string, ListedRecord>;
	/** Of the form that decides about several items; null: there is none. */
	readonly key: string | null;
}

const KINDS: Readonly<Record<ReviewKind, string>> = { conflict: 'Conflict', failure: 'Failure', approval: 'Approval', identity: 'Identity' };
const STATES: Readonly<Record<StoredReview['state'], string>> = { open: 'Open', resolved: 'Resolved', dismissed: 'Dismissed', superseded: 'Closed by itself' };

export const PAGE_SIZE = 50;

/** What waits for a person, the oldest first. */
export function reviewsPage(model: ReviewsModel, reader: Reader): Page {
	const { reviews, filter, systems, records, key } = model;
	const list = reviews.length === 0 ? nothingThere(filter) : table(reviews, { reader, records, canPick: key !== null });
	const shown = key === null || reviews.length === 0 ? list : html`<form method="post" action="${query({ view: 'reviews' })}"><input type="hidden" name="key" value="${key}">${list}${bulkBar(systems)}</form>`;
	const body = html`${filters(filter)}<div class="card">${shown}</div>${pager(model)}`;
	return { title: filter.state === 'open' ? 'Waiting for a person' : `Reviews: ${STATES[filter.state].toLowerCase()}`, tab: 'reviews', body };
}

function filters({ kind, state }: ReviewsFilter): Html {
	const option = (value: string, label: string, chosen: boolean): Html => html`<option value="${value}"${chosen ? html` selected` : null}>${label}</option>`;
	const kinds = Object.entries(KINDS).map(([value, label]) => option(value, label, value === kind));
	const states = Object.entries(STATES).map(([value, label]) => option(value, label, value === state));
	return html`<form method="get" class="card"><input type="hidden" name="view" value="reviews"><div class="row">
<label for="kind">Kind</label><select id="kind" name="kind">${option('', 'All', kind === null)}${kinds}</select>
<label for="state">State</label><select id="state" name="state">${states}</select><button>Show</button></div></form>`;
}

function nothingThere({ state, kind, page }: ReviewsFilter): Html {
	if (page > 0) return html`<p>There are no more.</p>`;
	return state === 'open' && kind === null
		? html`<p><b>Nothing waits.</b> What the rules cannot decide, or a system refuses to take, appears here; everything else goes on by itself.</p>`
		: html`<p>Nothing of this kind.</p>`;
}

function table(reviews: readonly StoredReview[], { reader, records, canPick }: { reader: Reader; records: ReviewsModel['records']; canPick: boolean }): Html {
	const head = canPick ? html`<th scope="col" class="pick">Tick</th>` : null;
	return html`<table class="stack"><thead><tr>${head}<th scope="col">What</th><th scope="col">Kind</th><th scope="col">About</th><th scope="col">Waits</th><th scope="col">Since</th></tr></thead><tbody>${reviews.map((review, at) => row(review, { reader, record: records.get(review.id), place: canPick ? at : null }))}</tbody></table>`;
}

function row(review: StoredReview, { reader, record, place }: { reader: Reader; record: ListedRecord | undefined; place: number | null }): Html {
	const { id, token, reason, kind, openedAtMs, state, closedBy } = review;
	const end = state === 'open' ? null : html`<div class="soft">${STATES[state]}${closedBy === null ? null : ` by ${closedBy}`}</div>`;
	const pick = place === null ? null : html`<td class="pick"><input type="checkbox" name="pick-${place}" value="${token} ${id}" aria-label="${reason}"></td>`;
	return html`<tr>${pick}<td><a href="${query({ view: 'review', id })}">${reason}</a>${end}</td><td data-label="Kind"><span class="chip ${kind}">${KINDS[kind]}</span></td><td data-label="About">${about(review, record)}</td><td data-label="Waits">${record?.waits.join(', ')}</td><td data-label="Since">${age(openedAtMs, reader)}</td></tr>`;
}

function about({ entity, fields, link }: StoredReview, record: ListedRecord | undefined): Html {
	const named = fields.length > 3 ? `${fields.slice(0, 3).map(fieldName).join(', ')} and ${fields.length - 3} more` : fields.map(fieldName).join(', ');
	return html`${entity ?? (link === null ? 'the workflow' : 'a record')}${named === '' ? null : html`<div class="soft">${named}</div>`}${record ? html`<bdi class="value">${record.keys}</bdi>` : null}`;
}

function pager({ filter: { kind, state, page }, hasMore }: ReviewsModel): Html {
	const to = (wanted: number, label: string): Html => html`<a class="button" href="${query({ view: 'reviews', kind, state, page: wanted })}">${label}</a>`;
	return html`<nav class="row" aria-label="Pages of the list">${page > 0 ? to(page - 1, 'Earlier ones') : null}${hasMore ? to(page + 1, 'Later ones') : null}</nav>`;
}

export const kindName = (kind: ReviewKind): string => KINDS[kind];
export const stateName = (state: StoredReview['state']): string => STATES[state];
