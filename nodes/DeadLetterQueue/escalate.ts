import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';

import type { StoredReview } from '../../src/core/review';
import type { SyncStore } from '../../src/store/sync-store';
import { settledWrites } from '../shared/settled-writes';
import { optionalText, text, wholeNumber } from '../shared/settings';
import { asItem, type ReadingStore, showMasked } from './read-queue';

const HOUR_MS = 3_600_000;
/** Items looked at in one run, the oldest first. */
const MAX_LOOKED = 5_000;
const PAGE = 500;
/** A claim is completed right after it was made. */
const LEASE_MS = 60_000;

/**
 * Items that have been open for so long and were not handed out so in the last hours: for a message to somebody. Each item comes once per
 * level and reminder, however often, and from however many workflows, it is asked.
 */
export async function escalate(context: IExecuteFunctions, store: ReadingStore & Pick<SyncStore, 'claim' | 'complete'>, nowMs: number): Promise<INodeExecutionData[]> {
	const read = (name: string): unknown => context.getNodeParameter(name, 0);
	const policy = text('Policy', read('policy'));
	const level = optionalText('Level', read('level'));
	const olderThanMs = wholeNumber('Open for Hours', read('openForHours'), 0) * HOUR_MS;
	const againMs = wholeNumber('Again After Hours', read('againAfterHours'), 1) * HOUR_MS;
	const old = await openSince(store, policy, nowMs - olderThanMs);
	if (old.length === 0) return [];
	const scope = `escalate:${policy}:${level}`;
	const claims = await store.claim({ scope, keys: old.map(({ id, openedAtMs }) => `${id}@${openedAtMs}`), leaseMs: LEASE_MS });
	const due = old.flatMap((review, index) => {
		const claim = claims[index];
		return claim?.state === 'new' ? [{ review, held: { scope, key: `${review.id}@${review.openedAtMs}`, token: claim.token } }] : [];
	});
	if (due.length > 0) await store.complete(due.map(({ held }) => held), againMs);
	const shown = await showMasked(store, due.map(({ review }) => review));
	return shown.map((review) => {
		const { json, ...item } = asItem(review, 0);
		return { ...item, json: { ...json, level, openForHours: Math.floor((nowMs - review.openedAtMs) / HOUR_MS) } };
	});
}

/** Open items of a policy that were opened by then, without those whose write has an outcome by now. */
async function openSince(store: ReadingStore, policy: string, untilMs: number): Promise<StoredReview[]> {
	const found: StoredReview[] = [];
	for (let offset = 0; offset < MAX_LOOKED; offset += PAGE) {
		const page = await store.listReviews({ policy, state: 'open', limit: PAGE, offset });
		const old = page.filter(({ openedAtMs }) => openedAtMs <= untilMs);
		const settled = await settledWrites(store, old);
		found.push(...old.filter((review) => !settled.includes(review)));
		if (page.length < PAGE || old.length < page.length) break;
	}
	return found;
}
