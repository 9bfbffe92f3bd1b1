import { waitUntil } from '../test/support/wait-until';
import type { DemoDatabases } from './databases';

/** Milliseconds from a user's commit on one side until the other side shows it. */
export interface Latency {
	readonly p50: number;
	readonly p95: number;
	readonly count: number;
}

/** Edits one record at a time, in turns on both sides, and waits for each to arrive. */
export async function measureLatency(
	{ crm, billing }: DemoDatabases,
	editsPerSide: number,
): Promise<Latency> {
	const lags: number[] = [];
	for (let n = 1; n <= editsPerSide; n++) {
		await crm.app.query('update public.customers set full_name = $1 where id = 8', [`Lag ${n}`]);
		lags.push(
			await arrival(async () => {
				const { rowCount } = await billing.app.query(
					'select 1 from public.accounts where external_id = 8 and name = $1',
					[`Lag ${n}`],
				);
				return rowCount === 1;
			}),
		);
		const [status, shown] = n % 2 === 0 ? ['active', 'Active'] : ['past_due', 'Past due'];
		await billing.app.query('update public.accounts set status = $1 where external_id = 9', [
			status,
		]);
		lags.push(
			await arrival(async () => {
				const { rowCount } = await crm.app.query(
					'select 1 from public.customers where id = 9 and billing_status = $1',
					[shown],
				);
				return rowCount === 1;
			}),
		);
	}
	return { p50: percentile(lags, 50), p95: percentile(lags, 95), count: lags.length };
}

async function arrival(hasArrived: () => Promise<boolean>): Promise<number> {
	const started = performance.now();
	await waitUntil('an edit to arrive', hasArrived, { timeoutMs: 60_000, everyMs: 2 });
	return performance.now() - started;
}

/** The smallest value that at least `percent` percent of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
