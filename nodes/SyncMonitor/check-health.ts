import type { IDataObject } from 'n8n-workflow';

import { type Health, type HealthLevel, judgeHealth } from '../../src/core/health';
import { type AlertTiming, type News, tellOnce, type Told } from '../../src/core/health-alerts';
import type { Thresholds } from '../../src/core/health-thresholds';
import { prometheusText } from '../../src/core/prometheus';
import { figuresIn, HOUR_MS } from '../../src/core/sample-fold';
import { keepHealth } from '../../src/store/keep-health';
import { readHealth } from '../../src/store/read-health';
import type { SyncStore } from '../../src/store/sync-store';

export interface CheckedHealth {
	readonly health: Health;
	/** Null: there is nothing to say that was not said before. */
	readonly news: News | null;
}

/** Judges a policy, keeps the figures, and finds out whether there is news. @throws SyncError as `readHealth` */
export async function checkHealth(store: SyncStore, policy: string, { thresholds, timing }: { thresholds: Thresholds; timing: AlertTiming }): Promise<CheckedHealth> {
	const reading = await readHealth(store, policy);
	const health = judgeHealth(reading.figures, thresholds);
	const { told, news } = tellOnce((reading.last['told'] as Told | undefined) ?? null, health, timing);
	await keepHealth(store, reading, { health, told });
	return { health, news };
}

/** @throws SyncError as `readHealth` */
export async function metricsOf(store: SyncStore, policy: string, thresholds: Thresholds): Promise<string> {
	const { figures } = await readHealth(store, policy);
	return prometheusText(judgeHealth(figures, thresholds));
}

/** One item for each series and minute, or hour, the earliest first. */
export async function historyOf(store: SyncStore, policy: string, { grain, hours }: { grain: 'minute' | 'hour'; hours: number }): Promise<IDataObject[]> {
	const { nowMs } = await store.figures({ policy });
	const samples = await store.readSamples({ policy, grain, fromMs: nowMs - hours * HOUR_MS });
	const inOrder = [...samples].sort((a, b) => a.atMs - b.atMs);
	return inOrder.map(({ series, atMs, values }) => ({ policy, series, at: new Date(atMs).toISOString(), ...figuresIn(values) }));
}

export function healthItem({ health, news }: CheckedHealth): IDataObject {
	const { atMs, checks, ...rest } = health;
	return { ...rest, news, at: new Date(atMs).toISOString(), checks: checks.map((check) => ({ ...check })) };
}

/** What is told when the sync store itself does not answer: then nobody knows anything. */
export function storeDownItem(policy: string, { message, remedy }: { message: string; remedy: string }): IDataObject {
	const sentence = `The sync store does not answer: ${message}.`;
	const level: HealthLevel = 'critical';
	const unknown = { system: null, value: null, unit: 'state', warning: null, critical: null };
	const check = { ...unknown, level, sentence, runbook: 'docs/runbooks/store.md' };
	return { policy, level, summary: `Critical for the sync ${policy}: ${sentence} ${remedy}`, news: 'worse', at: new Date().toISOString(), checks: [{ ...check, name: 'store' }] };
}
