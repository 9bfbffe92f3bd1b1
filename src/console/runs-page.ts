import type { ReconcileRun } from '../core/reconcile-run';
import { html, type Html } from './html';
import type { Page } from './layout';
import { age, momentText, type Reader } from './moment';
import { plot, type Span } from './plot';

export interface RunsModel {
	/** The newest first. */
	readonly runs: readonly ReconcileRun[];
	/** The report of a first contact that waits for somebody, as its table; null: none waits. */
	readonly firstContact: FirstContactShown | null;
	readonly span: Span;
}

export interface FirstContactShown {
	readonly sentence: string;
	readonly columns: readonly string[];
	readonly rows: readonly (readonly string[])[];
}

/** What was compared, what was found, and whether it becomes more. */
export function runsPage({ runs, firstContact, span }: RunsModel, reader: Reader): Page {
	const compared = runs.filter(({ kind }) => kind === 'compare');
	const points = [...compared].reverse().map(({ atMs, differences }) => ({ atMs, value: differences }));
	const trend = plot({ title: 'Differences found', text: (value) => String(value), points, warning: null, critical: null }, span);
	const body = html`${firstContact === null ? null : report(firstContact)}
<section class="card"><h2>Drift over the runs</h2>${compared.length === 0 ? nothing() : trend}</section>
${runs.length === 0 ? null : html`<section class="card wide"><h2>Runs</h2>${table(runs, reader)}</section>`}`;
	return { title: 'Runs', tab: 'runs', body };
}

const nothing = (): Html => html`<p>The systems have not been compared in the last three months. The template <i>nightly reconcile</i> does it every night.</p>`;

function report({ sentence, columns, rows }: FirstContactShown): Html {
	const lines = rows.map((cells) => html`<tr>${cells.map((cell, at) => html`<td data-label="${columns[at] ?? ''}">${cell}</td>`)}</tr>`);
	return html`<section class="card wide"><h2>First contact</h2><p>${sentence}</p><table class="stack"><thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead><tbody>${lines}</tbody></table></section>`;
}

function table(runs: readonly ReconcileRun[], reader: Reader): Html {
	const rows = runs.map(({ run, kind, atMs, tookMs, systems, differences, records, byField }) => {
		const fields = byField.slice(0, 4).map(([field, count]) => `${field} ${count}`).join(', ');
		const counts = Object.entries(records).map(([system, count]) => `${system} ${count}`).join(', ');
		return html`<tr><td>${kind === 'compare' ? 'Compared' : 'Repaired'} ${systems.join(' and ')}<div class="soft">${run}</div></td><td data-label="When">${age(atMs, reader)} ago<div class="soft">${momentText(atMs, reader.zone)}, ${Math.max(1, Math.round(tookMs / 1_000))} s</div></td><td data-label="Records">${counts}</td><td data-label="Differences"><b>${differences}</b><div class="soft">${fields}</div></td></tr>`;
	});
	return html`<table class="stack"><thead><tr><th scope="col">Run</th><th scope="col">When</th><th scope="col">Records</th><th scope="col">Differences</th></tr></thead><tbody>${rows}</tbody></table>`;
}
