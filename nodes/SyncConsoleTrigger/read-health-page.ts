import { healthPage } from '../../src/console/health-page';
import type { Page } from '../../src/console/layout';
import type { Plot, PlotPoint, Span } from '../../src/console/plot';
import { judgeHealth } from '../../src/core/health';
import { bytesText, durationText } from '../../src/core/health-check';
import { DEFAULT_THRESHOLDS, type Limits } from '../../src/core/health-thresholds';
import { figuresIn } from '../../src/core/sample-fold';
import { POLICY_SERIES, readHealth, systemSeries } from '../../src/store/read-health';
import type { Sample } from '../../src/store/store-figures';
import type { Visit } from './visit';

const SPAN_MS = 24 * 3_600_000;
const SECOND_MS = 1_000;
const GAP_MS = 15 * 60_000;

/** How the sync is doing now, and has been doing for a day. Measures nothing: that is what Sync Monitor does. */
export async function readHealthPage({ store, policy, reader }: Visit): Promise<Page> {
	const { figures } = await readHealth(store, policy);
	const samples = await store.readSamples({ policy, grain: 'minute', fromMs: figures.nowMs - SPAN_MS });
	const systems = figures.systems.filter(({ hasLog }) => hasLog).map(({ system }) => system);
	const measured = figures.systems.flatMap(({ measured: one }) => (one ? [one.atMs] : []));
	const span: Span = { fromMs: figures.nowMs - SPAN_MS, toMs: figures.nowMs, zone: reader.zone, gapMs: GAP_MS };
	const plots = [...systems.flatMap((system) => plotsOfSystem(system, samples)), ...plotsOfPolicy(samples)];
	return healthPage({ health: judgeHealth(figures), plots, span, measuredMs: measured.length === 0 ? null : Math.max(...measured) }, reader);
}

const seconds = (value: number): string => durationText(value * SECOND_MS);
const whole = (value: number): string => String(Math.round(value));
const inSeconds = ({ warning, critical }: Limits): Limits => ({ warning: warning / SECOND_MS, critical: critical / SECOND_MS });
const NO_LIMITS = { warning: null, critical: null };

function plotsOfSystem(system: string, samples: readonly Sample[]): Plot[] {
	const series = samples.filter((sample) => sample.series === systemSeries(system));
	return [
		{ title: `Lag of ${system}`, text: seconds, points: pointsOf(series, 'lagSeconds'), ...inSeconds(DEFAULT_THRESHOLDS.lagMs) },
		{ title: `Log kept for ${system}`, text: bytesText, points: pointsOf(series, 'slotBytes'), ...DEFAULT_THRESHOLDS.slotBytes },
	];
}

function plotsOfPolicy(samples: readonly Sample[]): Plot[] {
	const series = samples.filter((sample) => sample.series === POLICY_SERIES);
	const conflicts = series.flatMap(({ atMs, values }): PlotPoint[] => {
		const { changes = 0, conflicts: found = 0 } = figuresIn(values);
		return changes === 0 ? [] : [{ atMs, value: (found / changes) * 1_000 }];
	});
	return [
		{ title: 'Changes per look', text: whole, points: pointsOf(series, 'changes'), ...NO_LIMITS },
		{ title: 'Writes per look', text: whole, points: pointsOf(series, 'writes'), ...NO_LIMITS },
		{ title: 'Conflicts per 1,000 changes', text: whole, points: conflicts, ...DEFAULT_THRESHOLDS.conflictsPerThousand },
		{ title: 'Records that wait', text: whole, points: pointsOf(series, 'queueRecords'), ...DEFAULT_THRESHOLDS.queueDepth },
		{ title: 'Waiting longest', text: seconds, points: pointsOf(series, 'queueSeconds'), ...inSeconds(DEFAULT_THRESHOLDS.queueAgeMs) },
	];
}

function pointsOf(samples: readonly Sample[], name: string): PlotPoint[] {
	return samples.flatMap(({ atMs, values }) => {
		const value = figuresIn(values)[name];
		return value === undefined ? [] : [{ atMs, value }];
	});
}
