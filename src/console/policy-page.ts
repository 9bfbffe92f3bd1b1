import { EXISTENCE } from '../core/link';
import type { SignOffSheet } from '../core/sign-off';
import { changedLines, type LineChange } from './line-changes';
import { html, query, type Html } from './html';
import type { Page } from './layout';
import { momentText, type Reader } from './moment';

export interface PolicyModel {
	readonly sheet: SignOffSheet;
	/** As the author wrote it, in its normal form. */
	readonly document: string;
	/** Fields and tables that wait for a first contact. */
	readonly pending: readonly string[];
	/** Versions, the newest first. */
	readonly versions: readonly PolicyVersion[];
	/** Two versions and what differs; null: nobody has asked. */
	readonly compared: { readonly from: number; readonly to: number; readonly before: string; readonly after: string } | null;
}

export interface PolicyVersion {
	readonly version: number;
	readonly hash: string;
	readonly by: string;
	/** Milliseconds since 1970. */
	readonly atMs: number;
}

/** The rules in force in plain words, who signed them, and how they came to be. */
export function policyPage(model: PolicyModel, reader: Reader): Page {
	const { sheet, document, pending, compared } = model;
	const entities = [...new Set(sheet.rows.map(({ entity }) => entity))];
	const body = html`${head(model, reader)}${pending.length === 0 ? null : html`<div class="card note plain"><p>Waits for its first contact: ${pending.join(', ')}. It is observed, and nothing is decided about it, until somebody approves (Sync Policy, <i>Approve First Contact</i>).</p></div>`}
${compared === null ? null : html`<section class="card wide"><h2>From version ${compared.from} to version ${compared.to}</h2>${difference(compared)}</section>`}
${entities.map((entity) => html`<section class="card wide"><h2>${entity}</h2>${rules(sheet, entity)}</section>`)}
<section class="card wide"><h2>Versions</h2>${versions(model, reader)}</section>
<details class="card wide"><summary>The document</summary><pre class="value">${document}</pre></details>`;
	return { title: 'Policy', tab: 'policy', body };
}

function head({ sheet }: PolicyModel, { zone }: Reader): Html {
	const signed = sheet.signatures.map(({ by, atMs }) => html`<li>${by}, ${momentText(atMs, zone)}</li>`);
	return html`<div class="card"><dl><dt>In force</dt><dd>version ${sheet.version ?? '–'}</dd><dt>Hash</dt><dd><bdi class="value">${sheet.hash}</bdi></dd>
<dt>Signed by</dt><dd>${signed.length === 0 ? html`<span class="nothing">nobody</span>` : html`<ul class="plain">${signed}</ul>`}</dd></dl></div>`;
}

/** What the sheet says in words, and who owns what. */
function rules({ columns, rows }: SignOffSheet, entity: string): Html {
	const wordsAt = columns.findIndex(({ holds }) => holds === 'words');
	const ownerAt = columns.findIndex(({ holds }) => holds === 'owner');
	const lines = rows
		.filter((row) => row.entity === entity)
		.map(({ field, cells }) => html`<tr><td><b>${field === EXISTENCE ? 'the record itself' : field}</b></td><td data-label="Owner">${cells[ownerAt] ?? ''}</td><td>${cells[wordsAt] ?? ''}</td></tr>`);
	return html`<table class="stack"><thead><tr><th scope="col">Field</th><th scope="col">Owner</th><th scope="col">In plain words</th></tr></thead><tbody>${lines}</tbody></table>`;
}

function versions({ versions: all }: PolicyModel, { zone }: Reader): Html {
	const rows = all.map(({ version, by, atMs, hash }, at) => {
		const before = all[at + 1]?.version;
		const compare = before === undefined ? null : html`<a href="${query({ view: 'policy', from: before, to: version })}">What changed</a>`;
		return html`<tr><td>${version}</td><td data-label="Published">${momentText(atMs, zone)}</td><td data-label="By">${by}</td><td data-label="Hash"><bdi class="value">${hash.slice(0, 12)}</bdi></td><td>${compare}</td></tr>`;
	});
	return html`<table class="stack"><thead><tr><th scope="col">Version</th><th scope="col">Published</th><th scope="col">By</th><th scope="col">Hash</th><th scope="col"><span class="skip">Difference</span></th></tr></thead><tbody>${rows}</tbody></table>`;
}

const SIGNS: Readonly<Record<LineChange['kind'], string>> = { same: ' ', gone: '−', new: '+' };

function difference({ before, after }: { before: string; after: string }): Html {
	const lines = changedLines(before.split('\n'), after.split('\n'));
	if (lines.every(({ kind }) => kind === 'same')) return html`<p>Nothing: the two say the same.</p>`;
	return html`<pre class="value diff">${lines.map(({ kind, text }) => html`<span class="${kind}">${SIGNS[kind]} ${text}
</span>`)}</pre>`;
}
