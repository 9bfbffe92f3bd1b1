import type { ReviewChange } from '../core/review';
import { indexable, keyText, matchText } from './identity-text';
import { packLink } from './link-document';
import type { StoreDatabase } from './postgres-database';
import { streamGap, streamUnknown } from './stream-errors';
import type { CommitRequest, CommitResult, LinkCommit, StreamAdvance } from './sync-store';

type Answer =
	| { readonly stream: 'unknown' }
	| { readonly stream: 'gap'; readonly position: string }
	| { readonly lost: readonly number[]; readonly position: string | null };

/** @throws SyncError STREAM_GAP, STREAM_UNKNOWN: nothing was committed */
export async function commit(
	db: StoreDatabase,
	{ policy, links, advance, together = false }: CommitRequest,
	graceMs: number,
): Promise<CommitResult> {
	const [row] = await db.query<{ answer: Answer }>(
		`select ${db.schema}.commit_links($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as answer`,
		[
			...[policy, advance?.system, advance?.from, advance?.to, graceMs, together],
			...[links.map(head), links.map(state), links.flatMap(claims)].map((rows) =>
				JSON.stringify(rows),
			),
			...[numbered(links.flatMap(journal)), numbered(links.flatMap(reviews))].map((rows) =>
				JSON.stringify(rows),
			),
		],
	);
	if (!row) throw new TypeError('a function call returned no row');
	return resultOf(row.answer, { policy, links, advance });
}

/** What `change_reviews` takes; used for changes that belong to no link's commit as well. */
export function reviewRow(change: ReviewChange): Record<string, unknown> {
	if (change.action === 'close') return { id: change.id, how: change.how, closed_by: change.by };
	const { id, link, kind } = change.item;
	return { id, link, kind, item: JSON.stringify(change.item) };
}

/** Numbers the rows in the order given, because a database has none. */
export function numbered<Row extends object>(rows: readonly Row[]): (Row & { n: number })[] {
	return rows.map((row, n) => ({ ...row, n }));
}

function resultOf(
	answer: Answer,
	{
		policy,
		links,
		advance,
	}: { policy: string; links: readonly LinkCommit[]; advance: StreamAdvance | undefined },
): CommitResult {
	if ('stream' in answer) {
		if (!advance) throw new TypeError('a stream was judged that was not to be advanced');
		if (answer.stream === 'unknown') throw streamUnknown({ policy, system: advance.system });
		throw streamGap(policy, advance, answer.position);
	}
	const lost = new Set(answer.lost);
	return {
		links: links.map((_, ord) => (lost.has(ord) ? 'conflict' : 'committed')),
		position: answer.position,
	};
}

function head({ state, expectedRevision, due, stopAt }: LinkCommit, ord: number) {
	const { id, entity, generation } = state;
	const keys = Object.entries(state.keys).map(([system, key]) =>
		indexable(keyText({ system, entity, key })),
	);
	return {
		ord,
		id,
		entity,
		generation,
		expected: expectedRevision,
		due,
		stop: stopAt,
		keys: keys.sort(),
	};
}

/** A text within the JSON, so that the database stores it without taking it apart. */
function state(link: LinkCommit, ord: number) {
	return { ord, state: JSON.stringify(packLink(link.state)) };
}

/** A claim carries the match key as JSON; a release carries null. */
function claims({ state: { entity }, claims: claimed, releases = [] }: LinkCommit, ord: number) {
	const row = (match: string) => ({ ord, key: indexable(matchText({ entity, match })) });
	return [
		...[...new Set(claimed)].map((match) => ({ ...row(match), match: JSON.stringify(match) })),
		...[...new Set(releases)].map((match) => ({ ...row(match), match: null })),
	];
}

function journal(link: LinkCommit, ord: number) {
	return link.journal.map((entry) => ({ ord, kind: entry.kind, entry: JSON.stringify(entry) }));
}

function reviews(link: LinkCommit, ord: number) {
	return link.reviews.map((change) => ({ ord, ...reviewRow(change) }));
}
