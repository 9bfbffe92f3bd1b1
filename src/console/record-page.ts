import { own } from '../core/own';
import type { Told } from '../core/told';
import { shownHistory } from './history-list';
import { holdForm } from './hold-form';
import { html, query, type Html } from './html';
import type { Page } from './layout';
import type { Reader } from './moment';
import type { ShownField, ShownRecord } from './review-model';
import { fieldName, shownOf } from './shown-value';

export interface RecordModel {
	readonly record: ShownRecord;
	/** Items that hold fields of it: id and reason, by field. */
	readonly waiting: Readonly<Record<string, { readonly id: string; readonly reason: string }>>;
	/** The field that alone is told of; null: all. */
	readonly field: string | null;
	readonly history: readonly Told[];
	/** Older entries than these are left out. */
	readonly isCut: boolean;
	/** Of the forms that freeze and unfreeze; null: whoever looks may not. */
	readonly key: string | null;
}

/** One record: what each system holds now, and how it came to that. */
export function recordPage({ record, waiting, field, history, isCut, key }: RecordModel, reader: Reader): Page {
	const { link, systems, fields, keys, entity } = record;
	const heads = systems.map((system) => html`<th scope="col">${system}<div><bdi class="value">${own(keys, system) ?? ''}</bdi></div></th>`);
	const all = field === null ? null : html`<p><a href="${query({ view: 'record', link })}">All fields</a></p>`;
	const body = html`<section class="card wide"><h2>Now</h2><table class="stack"><thead><tr><th scope="col">Field</th><th scope="col">Should be</th>${heads}</tr></thead><tbody>${fields.map((one) => row(one, { systems, link, waiting }))}</tbody></table></section>${holdForm({ link, fields, key })}
<section class="card"><h2>${field === null ? 'History' : `History of ${fieldName(field)}`}</h2>${all}${history.length === 0 ? html`<p>Nothing is told of it.</p>` : shownHistory(history, reader)}${isCut ? html`<p class="soft">Older entries are in the journal.</p>` : null}</section>`;
	return { title: `${entity} ${Object.values(keys)[0] ?? link}`, tab: 'records', body };
}

function row(field: ShownField, { systems, link, waiting }: Pick<RecordModel, 'waiting'> & { systems: readonly string[]; link: string }): Html {
	const held = own(waiting, field.name);
	const cells = systems.map((system) => {
		const version = own(field.values, system);
		return html`<td data-label="${system}">${version === undefined ? html`<span class="nothing">never heard of it</span>` : shownOf(field.name, version.value)}</td>`;
	});
	return html`<tr><td><a href="${query({ view: 'record', link, field: field.name })}"><b>${fieldName(field.name)}</b></a><div class="soft">${field.rule}</div>${field.held ? html`<span class="chip warning">frozen by ${field.held.by}</span> ` : null}${held ? html`<a class="chip warning" href="${query({ view: 'review', id: held.id })}">waits: ${held.reason}</a>` : null}</td><td data-label="Should be">${shownOf(field.name, field.merged)}</td>${cells}</tr>`;
}

export interface FindModel {
	/** What was looked for; null: nothing yet. */
	readonly sought: string | null;
	readonly found: readonly { readonly link: string; readonly entity: string; readonly keys: string }[];
	/** Only part of the records were looked at. */
	readonly isCut: boolean;
}

/** Finds records by a key or a value. */
export function findPage({ sought, found, isCut }: FindModel): Page {
	const list = found.map(({ link, entity, keys }) => html`<li><a href="${query({ view: 'record', link })}">${entity}</a> <bdi class="value">${keys}</bdi></li>`);
	const result = sought === null ? null : html`<div class="card">${found.length === 0 ? html`<p>No record with “<bdi>${sought}</bdi>”${isCut ? ' among those that were looked at' : null}. A key, the ID of a link, or a whole value of a field finds a record.</p>` : html`<ul class="plain">${list}</ul>`}</div>`;
	const body = html`<form method="get" class="card"><input type="hidden" name="view" value="records"><div class="row"><label for="q">Key, value or link</label><input id="q" type="search" name="q" value="${sought ?? ''}" size="40"><button class="main">Find</button></div></form>${result}`;
	return { title: 'Records', tab: 'records', body };
}
