import type { Json } from '../core/canonical-json';
import { EXISTENCE } from '../core/link';
import { own } from '../core/own';
import { html, type Html } from './html';
import { postForm } from './offers';
import type { ReviewModel, ShownField } from './review-model';
import { fieldName, shownValue, valueText } from './shown-value';

/** A value for each field: that of a system, or one that is typed in. What it would do is shown before it is done. */
export function valuesForm({ review: { id, token }, record, offers, key }: ReviewModel): Html {
	const fields = record?.fields.filter(({ name }) => name !== EXISTENCE) ?? [];
	if (fields.length === 0 || !offers.some(({ kind }) => kind === 'apply')) return html``;
	const rows = fields.map((field, at) => html`<fieldset class="card"><legend><b>${fieldName(field.name)}</b></legend>${choices(field, at, record?.systems ?? [])}</fieldset>`);
	return html`<details class="card"><summary>Choose for each field, or type a value</summary>${postForm(id, { key, token, choice: 'values' }, html`${rows}<button class="main">Show what this would do</button>`)}</details>`;
}

function choices({ name, values, isSensitive }: ShownField, at: number, systems: readonly string[]): Html {
	const ofSystems = systems.flatMap((system) => {
		const version = own(values, system);
		return version && version.unreadable === undefined ? [html`<li><label><input type="radio" name="take-${at}" value="${system}"> ${system}: ${shownValue(version.value)}</label></li>`] : [];
	});
	const known = systems.flatMap((system) => own(values, system)?.value ?? []).at(0);
	const start = isSensitive || known === undefined ? '' : valueText(known);
	return html`<ul class="plain">${ofSystems}<li><label><input type="radio" name="take-${at}" value="∅"> empty</label></li>
<li class="row"><label><input type="radio" name="take-${at}" value="="> this:</label> <input type="text" name="text-${at}" value="${start}" aria-label="Value of ${fieldName(name)}"></li>
<li><label><input type="radio" name="take-${at}" value="" checked> leave it to the rules</label></li></ul>`;
}

/** What a person typed, as a value of the kind that the field has; null when it is none. */
export function typedValue(text: string, known: readonly Json[]): { readonly value: Json } | null {
	const isJson = known.some((value) => value !== null && typeof value !== 'string');
	if (!isJson) return { value: text };
	try {
		return { value: JSON.parse(text) as Json };
	} catch {
		return null;
	}
}
