import { EXISTENCE, type Key, type LinkState } from '../core/link';
import type { ReviewChange } from '../core/review';
import { indexable, keyText, matchText } from './identity-text';
import { packLink } from './link-document';
import { COMMIT } from './redis-commit-script';
import type { RedisDatabase, Reply } from './redis-database';
import { dateMember } from './redis-dates';
import { streamGap, streamUnknown } from './stream-errors';
import { type CommitRequest, type CommitResult, type LinkCommit, MAX_WOKEN } from './sync-store';

type Answer =
	| readonly ['unknown']
	| readonly ['gap', string]
	| readonly ['done', string | null, readonly number[], readonly string[]];

/** @throws SyncError STREAM_GAP, STREAM_UNKNOWN: nothing was committed */
export async function commit(
	db: RedisDatabase,
	{ policy, links, advance, together = false }: CommitRequest,
	graceMs: number,
): Promise<CommitResult> {
	const [answer] = await Promise.all([
		db.policy<Answer & Reply>(policy, COMMIT, [
			...[advance?.system ?? '', advance?.from ?? '', advance?.to ?? '', graceMs, together ? 1 : 0],
			...[JSON.stringify(links.map(headOf)), MAX_WOKEN],
			...links.map(({ state }) => JSON.stringify(packLink(state))),
			...links.flatMap(({ journal }) => journal.map((entry) => JSON.stringify(entry))),
		]),
		rememberPolicy(db, policy, links.flatMap(({ reviews }) => reviews)),
	]);
	if (advance && answer[0] === 'unknown') throw streamUnknown({ policy, system: advance.system });
	if (advance && answer[0] === 'gap') throw streamGap(policy, advance, answer[1]);
	if (answer[0] !== 'done') throw new TypeError('a stream was judged that was not to be advanced');
	const [, position, places, woken] = answer;
	const lost = new Set(places);
	return { links: links.map((_, place) => (lost.has(place) ? 'conflict' : 'committed')), position, woken };
}

/** Where items of all policies are listed from. A name without items does no harm, so it need not be one step with them. */
export async function rememberPolicy(db: RedisDatabase, policy: string, changes: readonly ReviewChange[]): Promise<void> {
	if (changes.length > 0) await db.send('sadd', db.keys.policies, policy);
}

/** What the script `changeReview` takes. Who closes an item is JSON, because a name may be any text. */
export function reviewRow(change: ReviewChange): Record<string, unknown> {
	if (change.action === 'close') return { id: change.id, how: change.how, by: JSON.stringify(change.by) };
	const { id, link, kind } = change.item;
	return { id, kind, item: JSON.stringify(change.item), ...(link === null ? {} : { link }) };
}

/** What the script looks at of a link. Texts of other people are indexable: the server's JSON knows no half surrogate pairs. */
function headOf(commit: LinkCommit): Record<string, unknown> {
	const { state, expectedRevision, due, stopAt, claims, releases = [], journal, reviews } = commit;
	const { id, entity, generation } = state;
	const matchOf = (match: string): string => indexable(matchText({ entity, match }));
	return {
		...{ id, entity, generation, due, expected: expectedRevision, gone: isGone(state) },
		...(stopAt === null ? {} : { stop: stopAt }),
		...keysOf(commit),
		claims: [...new Set(claims)].map((match) => [matchOf(match), JSON.stringify(match)]),
		releases: releases.map(matchOf),
		dates: Object.entries(state.dates ?? {}).flatMap(([system, { atMs }]) => (atMs === undefined ? [] : [dateMember(system, atMs)])),
		...spreadOf(commit),
		journal: journal.map(({ kind }) => kind),
		reviews: reviews.map(reviewRow),
	};
}

function keysOf({ state: { entity, keys }, yields = [] }: LinkCommit) {
	const textOf = (system: string, key: Key): string => indexable(keyText({ system, entity, key }));
	return {
		keys: Object.entries(keys).map(([system, key]) => textOf(system, key)),
		yields: yields.flatMap((system) => (keys[system] ? [textOf(system, keys[system])] : [])),
	};
}

/** What is absent stays as it is; to be found by nothing is a list without blocks. */
function spreadOf({ waitsFor, tells = [], alike }: LinkCommit) {
	return {
		...(waitsFor === undefined ? {} : { waits: [...new Set(waitsFor.map(indexable))] }),
		...(tells.length === 0 ? {} : { tells: tells.map(indexable) }),
		...(alike === undefined ? {} : { blocks: [...new Set(alike?.blocks.map(indexable))] }),
		...(alike ? { likeness: JSON.stringify(alike.values) } : {}),
	};
}

/** Not counted any more: it was decided that the record is to be deleted. */
function isGone({ fields }: LinkState): boolean {
	return fields[EXISTENCE]?.merged?.canon === false;
}
