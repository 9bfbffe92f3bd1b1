import type { Told } from '../core/told';
import { html, type Html } from './html';
import { clock, type Reader } from './moment';
import { shownParts } from './shown-value';

/** Lines of a record's history, the newest first. */
export function shownHistory(history: readonly Told[], reader: Reader): Html {
	const lines = [...history].reverse().map(({ atMs, tone, parts }) => html`<li>${clock(atMs, reader)}<span class="${tone}">${shownParts(parts, reader)}</span></li>`);
	return html`<ol class="history">${lines}</ol>`;
}
