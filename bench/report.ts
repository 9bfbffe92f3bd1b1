import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

import type { SyncResult } from './sync';

/** What the numbers were measured on: they mean little without it. */
export async function describeMachine(): Promise<string> {
	const model = cpus()[0]?.model ?? 'an unknown processor';
	const memory = `${Math.round(totalmem() / 1024 ** 3)} GB`;
	const manifest = JSON.parse(await readFile(`${__dirname}/../demo/n8n/package.json`, 'utf8')) as {
		dependencies: { n8n: string };
	};
	const load = loadavg()[0]?.toFixed(1) ?? '?';
	return `${availableParallelism()} cores (${model}), ${memory}, load ${load}; n8n ${manifest.dependencies.n8n}, Postgres 18, fsync off`;
}

export interface BenchResults {
	/** Changed per side. */
	readonly rows: number;
	readonly native: { readonly seconds: number };
	readonly sync: SyncResult;
}

export function printResults({ rows, native, sync }: BenchResults): void {
	const changes = 2 * rows;
	const perSecond = (seconds: number): string => Math.round(changes / seconds).toLocaleString('en');
	const perThousand = (seconds: number): string => ((1_000 * seconds) / changes).toFixed(2);
	console.log(`
${changes.toLocaleString('en')} changed rows, half of them on each side, until both sides are equal

                       seconds   changes/s
native replication  ${native.seconds.toFixed(2).padStart(10)}  ${perSecond(native.seconds).padStart(10)}
n8n-nodes-bisync    ${sync.seconds.toFixed(2).padStart(10)}  ${perSecond(sync.seconds).padStart(10)}
ratio               ${(sync.seconds / native.seconds).toFixed(1).padStart(10)}

n8n: ${sync.executions} executions, ${Math.round(sync.peakResidentMb)} MB resident at most
processor seconds per 1,000 changes: ${perThousand(sync.cpuSeconds)} in n8n, ${perThousand(sync.postgresCpuSeconds)} in Postgres (both systems and the sync store)`);
}
