import { canonicalJson, type Json } from '../core/canonical-json';
import { EXISTENCE } from '../core/link';
import type { Part } from '../core/told';
import { html, type Html } from './html';
import { clock, type Reader } from './moment';

/** A value as people read it; nothing, an empty text and a text of spaces can be told apart. A text cannot turn round what stands beside it (`bdi`). */
export function shownValue(value: Json | undefined): Html {
	if (value === undefined) return html`<span class="nothing">not known</span>`;
	if (value === null) return html`<span class="nothing">empty</span>`;
	if (typeof value !== 'string') return html`<bdi class="value">${valueText(value)}</bdi>`;
	if (value === '') return html`<span class="nothing">empty text</span>`;
	return html`<bdi class="value">${value}</bdi>`;
}

/** A field's value. Of the record itself: whether it is there. */
export function shownOf(field: string, value: Json | undefined): Html {
	if (field !== EXISTENCE || value === undefined) return shownValue(value);
	return value === true ? html`there` : value === false ? html`not there` : shownValue(value);
}

export function valueText(value: Json): string {
	return typeof value === 'string' ? value : canonicalJson(value);
}

export function fieldName(field: string): string {
	return field === EXISTENCE ? 'the record itself' : field;
}

/** A sentence of the history. */
export function shownParts(parts: readonly Part[], reader: Reader): Html {
	return html`${parts.map((part) => {
		if (typeof part === 'string') return part;
		if ('value' in part) return shownValue(part.value);
		if ('field' in part) return html`<b>${fieldName(part.field)}</b>`;
		if ('system' in part) return html`<span class="system">${part.system}</span>`;
		if ('person' in part) return html`<b>${part.person}</b>`;
		return clock(part.atMs, reader);
	})}`;
}
