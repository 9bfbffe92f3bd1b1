import type { ReviewsFilter } from '../../src/console/reviews-page';
import type { ReviewKind } from '../../src/core/link';
import type { StoredReview } from '../../src/core/review';

/** The parameters of an address: those given once, as texts. */
export type Query = Readonly<Record<string, string | undefined>>;

const MAX_LENGTH = 2_000;

/** Takes the texts out of what came in; lists, objects and what is too long are left out. */
export function readTexts(given: unknown): Query {
	const texts = Object.entries(given ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= MAX_LENGTH);
	return Object.assign(Object.create(null) as object, Object.fromEntries(texts)) as Query;
}

const KINDS: readonly ReviewKind[] = ['conflict', 'failure', 'approval', 'identity'];
const STATES: readonly StoredReview['state'][] = ['open', 'resolved', 'dismissed', 'superseded'];
const MAX_PAGE = 100_000;

/** What cannot be read counts as not given. */
export function readFilter(query: Query): ReviewsFilter {
	const page = /^\d{1,6}$/.test(query['page'] ?? '') ? Math.min(Number(query['page']), MAX_PAGE) : 0;
	return { kind: KINDS.find((kind) => kind === query['kind']) ?? null, state: STATES.find((state) => state === query['state']) ?? 'open', page };
}
