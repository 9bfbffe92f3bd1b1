import { documentOf, notice, type Page } from '../../src/console/layout';
import { findPage, recordPage } from '../../src/console/record-page';
import type { ReviewModel } from '../../src/console/review-model';
import { reviewPage } from '../../src/console/review-page';
import { PAGE_SIZE, reviewsPage } from '../../src/console/reviews-page';
import type { Json } from '../../src/core/canonical-json';
import { EXISTENCE, type LinkState } from '../../src/core/link';
import { maskReview } from '../../src/core/mask';
import type { PolicyInForce } from '../../src/core/observe';
import type { EntityPolicy } from '../../src/core/policy';
import type { StoredReview } from '../../src/core/review';
import { tellHistory } from '../../src/core/tell-history';
import type { Told } from '../../src/core/told';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { LoadedLink, PublishedPolicy } from '../../src/store/sync-store';
import { payloadOf } from '../shared/dead-letters';
import { settledWrites } from '../shared/settled-writes';
import { type Answer, frameOf } from './answers';
import { findRecords } from './find-records';
import { keyFor, OF_SELECTION, ofRecord } from './form-keys';
import { listedRecords } from './listed-records';
import { offersOf } from './offers-of';
import { type Query, readFilter } from './query';
import { shownRecord } from '../../src/console/shown-record';
import { readHealthPage } from './read-health-page';
import { readPolicyPage } from './read-policy-page';
import { readRunsPage } from './read-runs-page';
import type { ConsoleStore, Visit } from './visit';

/** Entries of a record's journal that are read for its page. */
const MAX_ENTRIES = 2_000;
/** Lines of the history on the page of an item. */
const MAX_LINES = 30;

/** The page that an address names. Changes nothing. */
export async function readPage(visit: Visit, query: Query): Promise<Answer> {
	const published = requirePublished(await visit.store.load({ policy: visit.policy }), visit.policy);
	const page = await pageOf(visit, query, published);
	const found = page ?? { title: 'Not found', tab: null, body: notice('bad', 'There is no such page, item or record. It may have been removed, or the address is incomplete.') };
	return { status: page === null ? 404 : 200, body: documentOf(frameOf(visit, published), found) };
}

async function pageOf(visit: Visit, query: Query, published: PublishedPolicy): Promise<Page | null> {
	const { reader } = visit;
	switch (query['view'] ?? 'reviews') {
		case 'reviews':
			return await listPage(visit, query, published);
		case 'review': {
			const model = await readReview(visit, query['id'] ?? '', published);
			return model && reviewPage(model, reader);
		}
		case 'record':
			return await readRecord(visit, query, published);
		case 'records':
			return findPage(await findRecords(visit, query['q'] ?? null, published));
		case 'health':
			return await readHealthPage(visit);
		case 'runs':
			return await readRunsPage(visit, published);
		case 'policy':
			return await readPolicyPage(visit, query, published);
		default:
			return null;
	}
}

async function listPage(visit: Visit, query: Query, published: PublishedPolicy): Promise<Page> {
	const { store, policy, reader } = visit;
	const filter = readFilter(query);
	const { kind, state, page } = filter;
	const found = await store.listReviews({ policy, state, limit: PAGE_SIZE + 1, offset: page * PAGE_SIZE, ...(kind === null ? {} : { kind }) });
	const settled = await settledWrites(store, found);
	const open = found.filter((review) => !settled.includes(review));
	const rules = policyInForce(published).policy;
	const reviews = open.slice(0, PAGE_SIZE);
	const key = visit.visitor.isReader || state !== 'open' ? null : keyFor(visit, OF_SELECTION, published);
	const model = { reviews: reviews.map((review) => maskReview(review, rules)), records: await listedRecords(visit, reviews, rules), filter, hasMore: found.length > PAGE_SIZE, systems: rules.systems, key };
	return reviewsPage(model, reader);
}

/**
 * An item with all that its page shows; null when there is none of this policy.
 *
 * @param isRevealed - sensitive values are shown: that somebody looks at them has been noted
 */
export async function readReview(visit: Visit, id: string, published: PublishedPolicy, isRevealed = false): Promise<ReviewModel | null> {
	const { store, policy, visitor } = visit;
	const [review] = id === '' ? [] : await store.listReviews({ ids: [id], limit: 1 });
	if (!review || review.policy !== policy) return null;
	const inForce = policyInForce(published);
	const state = review.link === null ? null : ((await store.load({ policy, links: [review.link] })).links[0]?.state ?? null);
	const about = visitor.isReader ? { offers: [], advice: null } : offersOf(review, { state, policy: inForce, isRevealed });
	const masked = maskReview(review, inForce.policy);
	const hasMasked = review.fields.some((name) => inForce.policy.entities.get(state?.entity ?? '')?.sensitive.has(name));
	return {
		review: masked,
		...(await recordOf(visit, review, { state, inForce, isRevealed })),
		payload: payloadOf(masked) as Json | null,
		...about,
		canReveal: hasMasked && !visitor.isReader && !isRevealed && review.state === 'open',
		key: keyFor(visit, { about: review.id, token: review.token }, published),
	};
}

async function recordOf(
	{ store, policy }: Visit,
	review: StoredReview,
	{ state, inForce, isRevealed }: { state: LinkState | null; inForce: PolicyInForce; isRevealed: boolean },
): Promise<Pick<ReviewModel, 'record' | 'history'>> {
	const known = inForce.policy.entities.get(state?.entity ?? '');
	if (!state || !known) return { record: null, history: [] };
	// Those of the item, and no others.
	const entity = isRevealed ? { ...known, sensitive: new Set([...known.sensitive].filter((name) => !review.fields.includes(name))) } : known;
	const { told } = await historyOf(store, state, { policy, entity });
	return { record: shownRecord(state, entity, review.fields), history: told.filter(({ fields }) => isAbout(fields, review)).slice(-MAX_LINES) };
}

const isAbout = (fields: readonly string[], review: StoredReview): boolean => fields.length === 0 || fields.some((field) => review.fields.includes(field));

async function historyOf(store: ConsoleStore, { id }: LinkState, { policy, entity }: { policy: string; entity: EntityPolicy }): Promise<{ told: Told[]; isCut: boolean }> {
	const entries = await store.readJournal({ policy, link: id, limit: MAX_ENTRIES + 1 });
	return { told: tellHistory(entries.slice(0, MAX_ENTRIES), entity), isCut: entries.length > MAX_ENTRIES };
}

async function readRecord(visit: Visit, query: Query, published: PublishedPolicy): Promise<Page | null> {
	const { store, policy, reader, visitor } = visit;
	const [link]: readonly (LoadedLink | undefined)[] = query['link'] ? (await store.load({ policy, links: [query['link']] })).links : [];
	const entity = link && policyInForce(published).policy.entities.get(link.state.entity);
	if (!link || !entity) return null;
	const names = [EXISTENCE, ...entity.fields.keys()];
	const field = names.find((name) => name === query['field']) ?? null;
	const { told, isCut } = await historyOf(store, link.state, { policy, entity });
	const waiting = Object.entries(link.state.fields).flatMap(([name, { frozen }]) => (frozen ? [[name, { id: frozen.review, reason: frozen.reason }] as const] : []));
	const history = field === null ? told : told.filter(({ fields }) => fields.includes(field));
	return recordPage({ record: shownRecord(link.state, entity, names), waiting: Object.fromEntries(waiting), field, history, isCut, key: visitor.isReader ? null : keyFor(visit, ofRecord(link.state.id), published) }, reader);
}
