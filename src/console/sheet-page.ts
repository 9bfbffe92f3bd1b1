import type { SignOffSheet } from '../core/sign-off';
import { HASH_PREFIX, signatureLines } from '../core/sign-off-csv';
import { type Html, html } from './html';

/** The sheet as a page of its own, to be sent or printed: no script, no address outside. */
export function sheetAsHtml(sheet: SignOffSheet): string {
	const entities = [...new Set(sheet.rows.map(({ entity }) => entity))];
	const version = sheet.version === null ? 'not published' : `version ${sheet.version}`;
	return page(
		`Policy ${sheet.policy}, ${version}`,
		html`<h1>Policy ${sheet.policy}, ${version}</h1>
<p>Hash: <code>${HASH_PREFIX}${sheet.hash}</code></p>
${entities.map((entity) => html`<h2>${entity}</h2>
${tableOf(sheet, entity)}`)}
<h2>Signatures</h2>
${htmlTable([['For', 'Name', 'Date', 'Signature'], ...signatureLines(sheet).map((cells) => [...cells, ''])])}`,
	);
}

function tableOf({ columns, rows }: SignOffSheet, entity: string): Html {
	const ofEntity = rows.filter((row) => row.entity === entity);
	const shown = columns.map((_, place) => place).filter((place) => place > 0 && ofEntity.some(({ cells }) => cells[place] !== ''));
	const titles = shown.map((place) => columns[place]?.title ?? '');
	return htmlTable([titles, ...ofEntity.map(({ cells }) => shown.map((place) => cells[place] ?? ''))]);
}

/** A table of the first line as head and the others. */
export function htmlTable([head = [], ...lines]: readonly (readonly string[])[]): Html {
	return html`<table>
<thead><tr>${head.map((title) => html`<th>${title}</th>`)}</tr></thead>
<tbody>
${lines.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`)}</tbody>
</table>`;
}

/** A whole document around it. */
export function page(title: string, body: Html): string {
	return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<style>body { font: 14px sans-serif; margin: 2em } table { border-collapse: collapse; margin: 1em 0 } th, td { border: 1px solid #999; padding: 4px 8px; text-align: left; vertical-align: top } code { overflow-wrap: anywhere }</style>
</head>
<body>
${body}
</body>
</html>
`.text;
}
