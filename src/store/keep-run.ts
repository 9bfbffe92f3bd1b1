import type { ReconcileRun } from '../core/reconcile-run';
import type { SyncStore } from './sync-store';

/** The series of samples that runs are kept as: each at its own moment, for as long as samples by the hour. */
const RUNS = 'run';

/** Keeps what a run found, for people who look at the trend. */
export async function keepRun(store: Pick<SyncStore, 'figures' | 'keepSamples'>, policy: string, run: Omit<ReconcileRun, 'atMs'>): Promise<void> {
	const { nowMs } = await store.figures({ policy });
	await store.keepSamples(policy, [{ series: RUNS, grain: 'hour', atMs: nowMs, values: JSON.parse(JSON.stringify(run)) as Record<string, never> }]);
}

/** The runs that are kept, the newest first. */
export async function readRuns(store: Pick<SyncStore, 'readSamples'>, policy: string, limit: number): Promise<ReconcileRun[]> {
	const samples = await store.readSamples({ policy, grain: 'hour', series: RUNS });
	return samples.slice(-limit).reverse().map(({ atMs, values }) => ({ ...(values as unknown as Omit<ReconcileRun, 'atMs'>), atMs }));
}
