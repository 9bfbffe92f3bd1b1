import { BOM, csvLines } from './csv';
import { EXISTENCE } from './link';
import type { StoredReview } from './review';

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
