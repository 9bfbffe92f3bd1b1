import { EXISTENCE } from './link';
import type { StoredReview } from './review';

/** Tells spreadsheet programs that the text is UTF-8. */
const BOM = '\uFEFF';
const COLUMNS = ['id', 'policy', 'kind', 'state', 'entity', 'link', 'fields', 'reason', 'opened', 'updated', 'closed by'] as const;

/** Review items for a spreadsheet: what waits, since when, and how it ended; no values of records. */
export function reviewsAsCsv(reviews: readonly StoredReview[]): string {
	const lines = reviews.map(({ id, policy, kind, state, entity, link, fields, reason, openedAtMs, updatedAtMs, closedBy }) => {
		const named = fields.map((field) => (field === EXISTENCE ? 'the record itself' : field)).join(', ');
		return [id, policy, kind, state, entity ?? '', link ?? '', named, reason, isoOf(openedAtMs), isoOf(updatedAtMs), closedBy ?? ''];
	});
	return BOM + csvLines([COLUMNS, ...lines]);
}

const isoOf = (atMs: number): string => new Date(atMs).toISOString();

/** Lines as RFC 4180 has them; a cell that a spreadsheet program would take for a formula begins with an apostrophe. */
export function csvLines(lines: readonly (readonly string[])[]): string {
	return lines.map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(cell: string): string {
	const text = /^[\s']*[=+\-@＝＋－＠]/.test(cell) ? `'${cell}` : cell;
	return /["\r\n;,\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
