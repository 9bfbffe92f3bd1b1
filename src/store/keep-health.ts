import type { Json } from '../core/canonical-json';
import type { Health } from '../core/health';
import type { Told } from '../core/health-alerts';
import type { HealthFigures, Measurement } from '../core/health-figures';
import { type Figures, figuresIn, foldSamples, HOUR_MS, MINUTE_MS, startOf } from '../core/sample-fold';
import { comparedSeries, type HealthReading, POLICY_SERIES, systemSeries } from './read-health';
import type { Sample } from './store-figures';
import type { SyncStore } from './sync-store';

export type SampleStore = Pick<SyncStore, 'keepSamples' | 'readSamples'>;

/** Keeps what was found at a system, for the next look and for plots. */
export async function keepMeasurement(store: SampleStore, { policy, system }: { policy: string; system: string }, measured: Measurement): Promise<void> {
	await keep(store, policy, { series: systemSeries(system), atMs: measured.atMs, last: { ...measured }, figures: measuredFigures(measured) });
}

function measuredFigures({ failure, lag, slot, atMs }: Measurement): Figures {
	if (failure !== null) return {};
	return {
		...(lag ? { lagSeconds: (lag.open === null ? lag.ms : atMs - lag.open.sinceMs) / 1_000, lagBytes: lag.bytes } : {}),
		...(slot && slot.retainedBytes !== null ? { slotBytes: slot.retainedBytes } : {}),
	};
}

const LEVELS = { healthy: 0, warning: 1, critical: 2 } as const;

/** Keeps what a look at a policy found: what happened since the last one is counted with it. */
export async function keepHealth(store: SampleStore, { figures, sinceLast, lastSeq }: HealthReading, { health, told }: { health: Health; told: Told }): Promise<void> {
	const values = { ...waitingNow(figures), level: LEVELS[health.level], changes: sinceLast.foreign, conflicts: sinceLast.conflicts, writes: sinceLast.writes };
	const last = { atMs: health.atMs, lastSeq, told: { ...told, checks: [...told.checks] } };
	await keep(store, health.policy, { series: POLICY_SERIES, atMs: health.atMs, last, figures: values });
}

function waitingNow({ queue, unsettled, reviews }: HealthFigures): Figures {
	const ofWrites = Object.values(unsettled).map(({ oldestMs }) => oldestMs ?? 0);
	return {
		queueRecords: queue.count,
		queueSeconds: (queue.oldestMs ?? 0) / 1_000,
		unsettledSeconds: Math.max(0, ...ofWrites) / 1_000,
		questions: reviews.reduce((sum, { count }) => sum + count, 0),
	};
}

/** Keeps how many differences a comparison of two systems found. */
export async function keepComparison(store: Pick<SyncStore, 'figures' | 'keepSamples'>, policy: string, { systems, differences }: { systems: readonly string[]; differences: number }): Promise<void> {
	const { nowMs } = await store.figures({ policy });
	await store.keepSamples(policy, [{ series: comparedSeries(systems), grain: 'last', atMs: 0, values: { atMs: nowMs, differences } }]);
}

interface Kept {
	readonly series: string;
	readonly atMs: number;
	readonly last: object;
	readonly figures: Figures;
}

/** In its minute and its hour, beside what has been kept there: two looks in one minute count as one. */
async function keep(store: SampleStore, policy: string, { series, atMs, last, figures }: Kept): Promise<void> {
	const grains = [
		['minute', MINUTE_MS],
		['hour', HOUR_MS],
	] as const;
	const folded = await Promise.all(
		grains.map(async ([grain, length]): Promise<Sample> => {
			const startMs = startOf(atMs, length);
			const known = await store.readSamples({ policy, grain, series, fromMs: startMs });
			const before = known.find((sample) => sample.atMs === startMs);
			return { series, grain, atMs: startMs, values: { ...foldSamples(figuresIn(before?.values), figures) } };
		}),
	);
	await store.keepSamples(policy, [{ series, grain: 'last', atMs: 0, values: JSON.parse(JSON.stringify(last)) as Json }, ...folded]);
}
