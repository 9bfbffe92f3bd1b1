import type { HealthFigures } from './health-figures';
import { storeChecks } from './health-of-store';
import { systemChecks } from './health-of-systems';
import { DEFAULT_THRESHOLDS, type Thresholds } from './health-thresholds';

/** `unknown`: what could not be measured, or was measured too long ago. It is never taken for healthy. */
export type CheckLevel = 'healthy' | 'unknown' | 'warning' | 'critical';
/** Of a policy as a whole: what nobody knows counts as a warning. */
export type HealthLevel = Exclude<CheckLevel, 'unknown'>;

export type CheckName =
	| 'mode'
	| 'lag'
	| 'lag-bytes'
	| 'slot-state'
	| 'slot-bytes'
	| 'slot-room'
	| 'queue-depth'
	| 'queue-age'
	| 'unsettled-age'
	| 'review-age'
	| 'conflicts'
	| 'writes'
	| 'parity'
	| 'drift'
	| 'gaps';

export type Unit = 'seconds' | 'bytes' | 'percent' | 'count' | 'per 1,000 changes' | 'per change' | 'state';

/** One thing that was looked at. */
export interface Check {
	readonly name: CheckName;
	/** The system that it is about; null: the whole policy. */
	readonly system: string | null;
	readonly level: CheckLevel;
	/** In `unit`; of a state, 0 is good. Null: not known. */
	readonly value: number | null;
	readonly unit: Unit;
	/** From where on it is a warning, and critical; null: never. Of `slot-room` below, not above. */
	readonly warning: number | null;
	readonly critical: number | null;
	/** What is so, in words for somebody who was just woken; names systems, never values. */
	readonly sentence: string;
	/** The page that says what to do. */
	readonly runbook: string;
}

export interface Health {
	readonly policy: string;
	/** When the figures were put together, by the store's clock. */
	readonly atMs: number;
	readonly level: HealthLevel;
	/** The worst of it, in one sentence. */
	readonly summary: string;
	/** The worst first. */
	readonly checks: readonly Check[];
}

const SEVERITY: Readonly<Record<CheckLevel, number>> = { healthy: 0, unknown: 1, warning: 2, critical: 3 };

/**
 * Judges how a policy is doing. Pure: all figures, and the time, are given.
 *
 * Nothing is green because nothing was heard of it: a figure that is missing, or older than `thresholds.staleMs`,
 * is unknown, which counts as a warning, and as critical once it has been so for `thresholds.unmeasuredMs`.
 */
export function judgeHealth(figures: HealthFigures, thresholds: Thresholds = DEFAULT_THRESHOLDS): Health {
	const ofSystems = figures.systems.flatMap((one) => systemChecks(one, figures.nowMs, thresholds));
	const checks = [...storeChecks(figures, thresholds), ...ofSystems].sort(bySeverity);
	const level = levelOf(checks);
	return { policy: figures.policy, atMs: figures.nowMs, level, summary: summaryOf(figures.policy, level, checks), checks };
}

/** Of checks that are equally bad, those come first that were put first. */
function bySeverity(a: Check, b: Check): number {
	return SEVERITY[b.level] - SEVERITY[a.level];
}

function levelOf(checks: readonly Check[]): HealthLevel {
	if (checks.some(({ level }) => level === 'critical')) return 'critical';
	return checks.every(({ level }) => level === 'healthy') ? 'healthy' : 'warning';
}

function summaryOf(policy: string, level: HealthLevel, checks: readonly Check[]): string {
	const [worst] = checks;
	if (level === 'healthy' || !worst) return `The sync ${policy} is healthy: ${checks.length} checks are good.`;
	const others = checks.filter((check) => check.level !== 'healthy').length - 1;
	const more = others === 0 ? '' : ` ${others} more ${others === 1 ? 'check is' : 'checks are'} not good.`;
	return `${level === 'critical' ? 'Critical' : 'Warning'} for the sync ${policy}: ${worst.sentence}${more}`;
}
