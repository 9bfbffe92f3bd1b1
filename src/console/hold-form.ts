import { html, query, type Html } from './html';
import { fieldName } from './shown-value';
import type { ShownField } from './review-model';

export interface HoldFormModel {
	readonly link: string;
	readonly fields: readonly ShownField[];
	/** The key of the form; null: whoever looks may change nothing. */
	readonly key: string | null;
}

/** Freezes fields of a record, or lets go of them. */
export function holdForm({ link, fields, key }: HoldFormModel): Html {
	if (key === null) return html``;
	const held = fields.filter((field) => field.held !== undefined);
	const free = fields.filter((field) => field.held === undefined);
	const lets = [...grouped(held)].map(([why, names]) => heldTogether(why, names, { link, key, isAll: names.length === fields.length }));
	const all = held.length === 0 ? null : form({ link, key, choice: 'unfreeze', field: '' }, html`<button>Unfreeze all</button>`);
	const options = [html`<option value="">the whole record</option>`, ...free.map(({ name }) => html`<option value="${name}">${fieldName(name)}</option>`)];
	const freeze = html`<div class="row"><label for="field">Freeze</label><select id="field" name="field">${options}</select><label for="reason">because</label><input id="reason" type="text" name="reason" size="30" maxlength="300"><button>Freeze</button></div>`;
	return html`<section class="card"><h2>Hold still</h2><p class="soft">What is frozen is observed and left alone, until somebody unfreezes it; everything else goes on.</p>
${held.length === 0 ? null : html`<ul class="plain">${lets}</ul>${all}`}${free.length === 0 ? null : form({ link, key, choice: 'freeze' }, freeze)}</section>`;
}

function heldTogether(why: string, names: readonly string[], { link, key, isAll }: { link: string; key: string; isAll: boolean }): Html {
	const what = isAll ? html`<b>The whole record</b> is` : html`<b>${names.map(fieldName).join(', ')}</b> ${names.length === 1 ? 'is' : 'are'}`;
	const buttons = isAll ? null : names.map((name) => form({ link, key, choice: 'unfreeze', field: name }, html`<button>Unfreeze ${fieldName(name)}</button>`));
	return html`<li><p>${what} frozen by ${why}</p><div class="row">${buttons}</div></li>`;
}

/** Names of fields by who holds them still, and why. */
function grouped(fields: readonly ShownField[]): Map<string, string[]> {
	const groups = new Map<string, string[]>();
	for (const { name, held } of fields) {
		const why = held === undefined ? '' : `${held.by}${held.reason === '' ? '' : `: ${held.reason}`}`;
		groups.set(why, [...(groups.get(why) ?? []), name]);
	}
	return groups;
}

function form({ link, ...hidden }: { link: string } & Readonly<Record<string, string>>, content: Html): Html {
	const inputs = Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
	return html`<form method="post" action="${query({ view: 'record', link })}">${inputs}${content}</form>`;
}
