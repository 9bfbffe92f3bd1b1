import type { Key, LinkState } from '../core/link';
import type { Policy } from '../core/policy';
import type { ReviewChange } from '../core/review';
import { indexable, keyText, matchText } from './identity-text';
import { packLink } from './link-document';
import type { StoreDatabase } from './postgres-database';
import { digestColumns } from './postgres-digests';
import { streamGap, streamUnknown } from './stream-errors';
import type { CommitRequest, CommitResult, LinkCommit, StreamAdvance } from './sync-store';

type Answer =
	| { readonly stream: 'unknown' }
	| { readonly stream: 'gap'; readonly position: string }
	| { readonly lost: readonly number[]; readonly position: string | null; readonly woken: readonly string[] };

/** @throws SyncError STREAM_GAP, STREAM_UNKNOWN: nothing was committed */
export async function commit(
	db: StoreDatabase,
	{ policy, links, advance, together = false }: CommitRequest,
	{ graceMs, policyInForce }: { readonly graceMs: number; readonly policyInForce: Policy | undefined },
): Promise<CommitResult> {
	const entries = links.flatMap(({ journal }, ord) => journal.map((entry) => ({ ord, entry })));
	const [row] = await db.query<{ answer: Answer }>(
		`select ${db.schema}.commit_links($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as answer`,
		[
			...[policy, advance?.system, advance?.from, advance?.to, graceMs, together],
			JSON.stringify(links.map((link, ord) => ({ ...head(link, ord), ...digestColumns(link.state, policyInForce?.entities.get(link.state.entity)) }))),
			lines(links.map(({ state }) => packLink(state))),
			JSON.stringify(links.flatMap(claims)),
			...[entries.map(({ ord }) => ord), entries.map(({ entry }) => entry.kind)],
			lines(entries.map(({ entry }) => entry)),
			JSON.stringify(numbered(links.flatMap(reviews))),
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
		woken: answer.woken,
	};
}

function head({ state, expectedRevision, due, stopAt, yields = [], ...spread }: LinkCommit, ord: number) {
	const { id, entity, generation } = state;
	const textOf = (system: string, key: Key): string => indexable(keyText({ system, entity, key }));
	const keys = Object.entries(state.keys).map(([system, key]) => textOf(system, key));
	const yielded = yields.flatMap((system) => (state.keys[system] ? [textOf(system, state.keys[system])] : []));
	return {
		ord,
		id,
		entity,
		generation,
		expected: expectedRevision,
		due,
		stop: stopAt,
		keys: keys.sort(),
		yields: yielded,
		...spreadOf(spread),
		...datesOf(state),
	};
}

/** None, for a link that has never had a date: it has none to be taken away. */
function datesOf({ dates }: LinkState) {
	if (dates === undefined) return {};
	const ahead = Object.entries(dates).flatMap(([system, { atMs }]) => (atMs === undefined ? [] : [{ system, atMs }]));
	return { date_systems: ahead.map(({ system }) => system), date_times: ahead.map(({ atMs }) => atMs) };
}

/** What is absent stays as it is; to be found by nothing is a list without blocks. */
function spreadOf({ waitsFor, tells = [], alike }: Pick<LinkCommit, 'waitsFor' | 'tells' | 'alike'>) {
	return {
		...(waitsFor === undefined ? {} : { waits: [...new Set(waitsFor.map(indexable))] }),
		...(tells.length === 0 ? {} : { tells: [...new Set(tells.map(indexable))] }),
		...(alike === undefined ? {} : { blocks: [...new Set(alike?.blocks.map(indexable))], likeness: JSON.stringify(alike?.values ?? []) }),
	};
}

/**
 * JSON texts, one a line: JSON.stringify writes no line breaks. What is large travels like this,
 * because JSON within JSON is escaped, and taken apart, twice.
 */
function lines(values: readonly unknown[]): string {
	return values.map((value) => JSON.stringify(value)).join('\n');
}

/** A claim carries the match key as JSON; a release carries null. */
function claims({ state: { entity }, claims: claimed, releases = [] }: LinkCommit, ord: number) {
	const row = (match: string) => ({ ord, key: indexable(matchText({ entity, match })) });
	return [
		...[...new Set(claimed)].map((match) => ({ ...row(match), match: JSON.stringify(match) })),
		...[...new Set(releases)].map((match) => ({ ...row(match), match: null })),
	];
}

function reviews(link: LinkCommit, ord: number) {
	return link.reviews.map((change) => ({ ord, ...reviewRow(change) }));
}
