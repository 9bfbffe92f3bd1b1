import { setTimeout as sleep } from 'node:timers/promises';

import { waitUntil } from '../test/support/wait-until';
import type { DemoDatabases } from './databases';

/** Milliseconds from a user's commit on one side until the other side shows it. */
export interface Latency {
	readonly p50: number;
	readonly p95: number;
	readonly count: number;
}

export interface LatencyOptions {
	readonly editsPerSide: number;
	/** How long nothing happens before each edit; 0 for one edit after the other. */
	readonly quietMs: number;
}

/** Edits one record at a time, in turns on both sides, and waits for each to arrive. */
export async function measureLatency(
	databases: DemoDatabases,
	{ editsPerSide, quietMs }: LatencyOptions,
): Promise<Latency> {
	const { crm, billing } = databases;
	const lags: number[] = [];
	for (let n = 1; n <= editsPerSide; n++) {
		const text = `lag ${n} of ${Date.now()}`;
		await sleep(quietMs);
		await crm.app.query('update public.customers set full_name = $1 where id = 8', [text]);
		lags.push(
			await arrival(async () => {
				const shown = 'select 1 from public.accounts where external_id = 8 and name = $1';
				return (await billing.app.query(shown, [text])).rowCount === 1;
			}),
		);
		await sleep(quietMs);
		await billing.app.query('update public.accounts set memo = $1 where external_id = 9', [text]);
		lags.push(
			await arrival(async () => {
				const shown = 'select 1 from public.customers where id = 9 and note = $1';
				return (await crm.app.query(shown, [text])).rowCount === 1;
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
