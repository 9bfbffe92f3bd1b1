import { waitBefore } from '../core/back-off';
import { attemptOf } from '../core/api-record';
import type { LinkState } from '../core/link';
import { readingTicket } from '../core/reading-ticket';
import { requestBucket, requestScope } from './api-requests';
import { type Counted, DeletesOfApi, type DeleteStore } from './deletes-of-api';
import { prepareAsked } from './prepare-asked';
import { policyInForce, requirePublished } from './published-policy';
import { missingRecords, prepareReports, type Report, type Reported } from './report-step';
import { retryContended } from './retry-contended';
import type { SyncStore } from './sync-store';

export type ReportStore = Pick<SyncStore, 'load' | 'commit' | 'claim' | 'release' | 'pause' | 'noteAttempts'> & DeleteStore;

/** A report, and the claim of the request that it is about. */
export interface HeldReport extends Report {
	readonly token: number;
}

/** What a report led to, and the link afterwards. */
export interface ReportResult {
	readonly reported: Reported;
	/** Null: the store knows no such link. */
	readonly state: LinkState | null;
	readonly due: boolean;
	/** For a reading that is made from now on. */
	readonly ticket: string;
	/** Until it is offered again at the earliest; null: nothing is waited for. */
	readonly waitMs: number | null;
}

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 5 * 60_000;

/**
 * Settles what can be settled by the answers of an API, and lets go of the requests. What is to be tried again
 * waits by a claim that nobody holds: it lapses by the store's clock.
 *
 * @returns in the order given
 * @throws SyncError POLICY_UNPUBLISHED, STORE_UNREACHABLE
 */
export async function reportOutcomes(store: ReportStore, policy: string, reports: readonly HeldReport[]): Promise<readonly ReportResult[]> {
	const counted: Counted = new Map();
	const results = await retryContended(async (isLast) => {
		const loaded = await store.load({ policy, links: reports.map(({ link }) => link) });
		const published = requirePublished(loaded, policy);
		const inForce = policyInForce(published);
		const missing = missingRecords(reports, loaded.links);
		const { awaits: held, approvals } = await new DeletesOfApi(store, inForce, counted).hold([...missing.keys()], loaded.links);
		const awaits = new Map([...missing].flatMap(([reading, report]) => { const item = held.get(reading); return item ? [[report, item] as const] : []; }));
		const input = { reports, published, policy: inForce, awaits, approvals };
		const prepared = await prepareAsked(store, { policy, links: loaded.links, sought: {} }, (known) => prepareReports({ ...input, ...known }));
		const links: readonly string[] = prepared.commit.links.length > 0 ? (await store.commit(prepared.commit)).links : [];
		if (links.includes('conflict') && !isLast) return null;
		const lost = new Set(prepared.commit.links.filter((_, at) => links[at] === 'conflict').map(({ state }) => state.id));
		return reports.map((report, at): ReportResult => {
			const link = prepared.links.byId(report.link);
			const state = link?.state ?? null;
			// Who is never fast enough has not been heard: the request is begun again when its claim is over.
			const reported: Reported = lost.has(report.link) ? { kind: 'waits' } : (prepared.reported[at] ?? { kind: 'waits' });
			const due = prepared.due.get(report.link) ?? link?.loaded?.due ?? false;
			return { reported, state, due, ticket: readingTicket(state, report.system), waitMs: waitFor(report, reported, state) };
		});
	});
	await letGo(store, policy, reports.map((report, at) => ({ ...report, result: results[at] })));
	return results;
}

function waitFor({ outcome, system }: Report, { kind }: Reported, state: LinkState | null): number | null {
	if (kind !== 'waits') return null;
	const failed = (state && attemptOf(state, system)?.count) ?? 1;
	const askedMs = outcome.kind === 'later' ? outcome.retryAfterMs : null;
	return waitBefore({ failed, firstMs: FIRST_WAIT_MS, maxMs: MAX_WAIT_MS, askedMs }, Math.random());
}

async function letGo(store: ReportStore, policy: string, ended: readonly (HeldReport & { readonly result: ReportResult | undefined })[]): Promise<void> {
	const scope = requestScope(policy);
	const over = ended.filter(({ result }) => result?.reported.kind !== 'read');
	if (over.length > 0) await store.release(over.map(({ op: key, token }) => ({ scope, key, token })));
	for (const [bucket, forMs] of restsAsked(policy, ended)) await store.pause(bucket, forMs);
	const waiting = ended.flatMap(({ op, link, result }) => (result?.waitMs == null ? [] : [{ op, link, waitMs: result.waitMs }]));
	const leaseMs = Math.ceil(Math.max(0, ...waiting.map(({ waitMs }) => waitMs)));
	if (leaseMs > 0) await store.claim({ scope, keys: waiting.map(({ op }) => op), leaseMs });
	if (waiting.length > 0) await store.noteAttempts(policy, waiting.map(({ link }) => link));
}

/** By bucket, the longest rest that an API has asked for. */
function restsAsked(policy: string, reports: readonly HeldReport[]): Map<string, number> {
	const rests = new Map<string, number>();
	for (const { system, outcome } of reports) {
		const askedMs = outcome.kind === 'later' ? (outcome.retryAfterMs ?? 0) : 0;
		const bucket = requestBucket(policy, system);
		if (askedMs > 0) rests.set(bucket, Math.max(askedMs, rests.get(bucket) ?? 0));
	}
	return rests;
}
