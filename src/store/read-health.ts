import { dueForMs } from '../core/due-age';
import type { Comparison, HealthFigures, Measurement, SystemFigures, Traffic, Waiting } from '../core/health-figures';
import type { StoredReview } from '../core/review';
import { figuresIn, HOUR_MS } from '../core/sample-fold';
import { isBehindApi } from './approve-first-contact';
import { gapReviewId } from './gap-review';
import { policyInForce, requirePublished } from './published-policy';
import type { Sample, StoreFigures } from './store-figures';
import { POLLED } from './stream-record';
import type { SyncStore } from './sync-store';

/** The series of samples that are kept of a policy. */
export const POLICY_SERIES = 'policy';
export const systemSeries = (system: string): string => `system:${system}`;
const COMPARED = 'compared:';
export const comparedSeries = (systems: readonly string[]): string => COMPARED + [...systems].sort().join(',');

export type HealthStore = Pick<SyncStore, 'load' | 'figures' | 'listReviews' | 'readSamples'>;

/** What is known of a policy's health, and what the next look has to know. */
export interface HealthReading {
	readonly figures: HealthFigures;
	/** What happened since the last look, which the figures count already. */
	readonly sinceLast: Omit<Traffic, 'overMs'>;
	/** Up to where the journal has been counted. */
	readonly lastSeq: string;
	/** What the last look left for this one. */
	readonly last: Readonly<Record<string, unknown>>;
}

/**
 * Reads what the sync store knows of a policy's health: in two steps of a few statements, none of which waits for, or
 * holds up, a commit. Changes nothing.
 *
 * What happens is counted from the journal, and only what has come since the last look: entries `observed` are rows that
 * were looked at, of which those with an `outcome` are our own writes coming back; the others are changes that somebody
 * made. `conflict` and `op` (a write that was decided) count as they are.
 *
 * @throws SyncError POLICY_UNPUBLISHED, and those of the store
 */
export async function readHealth(store: HealthStore, policyName: string): Promise<HealthReading> {
	const [loaded, samples] = await Promise.all([store.load({ policy: policyName }), store.readSamples({ policy: policyName, grain: 'last' })]);
	const published = requirePublished(loaded, policyName);
	const { policy } = policyInForce(published);
	const last = recordOf(samples.find(({ series }) => series === POLICY_SERIES));
	const afterSeq = typeof last['lastSeq'] === 'string' ? last['lastSeq'] : undefined;
	const gapIds = policy.systems.map((system) => gapReviewId({ policy: policyName, system }));
	const [counted, hour, gaps] = await Promise.all([
		store.figures({ policy: policyName, ...(afterSeq === undefined ? {} : { afterSeq }) }),
		store.readSamples({ policy: policyName, grain: 'minute', series: POLICY_SERIES, fromMs: hourAgo(samples) }),
		store.listReviews({ policy: policyName, ids: gapIds, state: 'open', limit: gapIds.length }),
	]);
	const sinceLast = trafficOf(counted.journal.counts);
	const figures: HealthFigures = {
		policy: policyName,
		nowMs: counted.nowMs,
		mode: published.mode,
		systems: policy.systems.map((system) => systemFigures(system, { hasLog: !isBehindApi(policy, system) && loaded.streams[system]?.slot !== POLLED, samples })),
		pending: published.pending,
		...waitingFigures(counted, policy.systems),
		gaps: gaps.map((item) => ({ system: systemOf(item), sinceMs: item.openedAtMs })),
		traffic: trafficOver(hour, sinceLast, counted.nowMs),
		compared: comparedOf(samples),
	};
	return { figures, sinceLast, lastSeq: counted.journal.lastSeq, last };
}

/** The store's clock is not known yet; the last look's is near enough, and a little more than an hour is cut later. */
function hourAgo(samples: readonly Sample[]): number {
	const { atMs } = recordOf(samples.find(({ series }) => series === POLICY_SERIES)) as { readonly atMs?: number };
	return (atMs ?? 0) - HOUR_MS;
}

function recordOf(sample: Sample | undefined): Readonly<Record<string, unknown>> {
	return (sample?.values as Readonly<Record<string, unknown>> | undefined) ?? {};
}

function trafficOf(counts: Readonly<Record<string, number>>): Omit<Traffic, 'overMs'> {
	const of = (kind: string): number => counts[kind] ?? 0;
	return { foreign: Math.max(0, of('observed') - of('outcome')), conflicts: of('conflict'), writes: of('op') };
}

function trafficOver(samples: readonly Sample[], sinceLast: Omit<Traffic, 'overMs'>, nowMs: number): Traffic {
	const recent = samples.filter(({ atMs }) => atMs >= nowMs - HOUR_MS);
	const all = recent.map(({ values }) => figuresIn(values));
	const sum = (name: string, rest: number): number => all.reduce((total, one) => total + (one[name] ?? 0), rest);
	return {
		overMs: nowMs - (recent[0]?.atMs ?? nowMs),
		foreign: sum('changes', sinceLast.foreign),
		conflicts: sum('conflicts', sinceLast.conflicts),
		writes: sum('writes', sinceLast.writes),
	};
}

function systemFigures(system: string, { hasLog, samples }: { hasLog: boolean; samples: readonly Sample[] }): SystemFigures {
	const kept = samples.find(({ series }) => series === systemSeries(system));
	return { system, hasLog, measured: (kept?.values as Measurement | undefined) ?? null };
}

function waitingFigures({ nowMs, due, reviews }: StoreFigures, systems: readonly string[]): Pick<HealthFigures, 'queue' | 'unsettled' | 'reviews'> {
	const waited = due.waiting.map((link) => ({ ...link, forMs: dueForMs(link, nowMs) }));
	const oldest = (links: typeof waited): number | null => (links.length === 0 ? null : Math.max(...links.map(({ forMs }) => forMs)));
	const writesTo = (system: string): Waiting => {
		const links = waited.filter(({ inFlight }) => inFlight.includes(system));
		return { count: links.length, oldestMs: oldest(links) };
	};
	return {
		queue: { count: due.count, oldestMs: oldest(waited) },
		unsettled: Object.fromEntries(systems.map((system) => [system, writesTo(system)])),
		reviews: reviews.map(({ kind, count, oldestAtMs }) => ({ kind, count, oldestMs: Math.max(0, nowMs - oldestAtMs) })),
	};
}

function systemOf({ detail, id }: StoredReview): string {
	return (detail as { readonly system?: string } | null)?.system ?? id;
}

/** Of several pairs of systems, what was compared longest ago; all differences count. */
function comparedOf(samples: readonly Sample[]): Comparison | null {
	const all = samples.filter(({ series }) => series.startsWith(COMPARED)).map((sample) => recordOf(sample) as unknown as Comparison);
	if (all.length === 0) return null;
	return { atMs: Math.min(...all.map(({ atMs }) => atMs)), differences: all.reduce((sum, { differences }) => sum + differences, 0) };
}
