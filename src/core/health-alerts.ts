import type { Health, HealthLevel } from './health';

/** What people have been told last. */
export interface Told {
	readonly level: HealthLevel;
	/** The checks that were not good then, or have been told of since. */
	readonly checks: readonly string[];
	readonly atMs: number;
	/** Since when it has been better than that; null: it is not. */
	readonly betterSinceMs: number | null;
}

export interface AlertTiming {
	/** After so long the same is told again; 0: never. */
	readonly remindMs: number;
	/** So long it must have been better before that is told. */
	readonly calmMs: number;
}

export type News = 'worse' | 'better' | 'reminder';

export interface Telling {
	/** To be remembered. */
	readonly told: Told;
	/** Null: there is nothing to say. */
	readonly news: News | null;
}

const SEVERITY: Readonly<Record<HealthLevel, number>> = { healthy: 0, warning: 1, critical: 2 };

/**
 * Decides whether there is news, so that one trouble is one message: what is worse is told at once, what is better when it
 * has lasted, what stays as it is now and then. A figure that goes back and forth over a threshold is told of once. Pure.
 */
export function tellOnce(before: Told | null, health: Health, { remindMs, calmMs }: AlertTiming): Telling {
	const { level, atMs } = health;
	const checks = failing(health);
	const now: Told = { level, checks, atMs, betterSinceMs: null };
	const known = before ?? { level: 'healthy', checks: [], atMs, betterSinceMs: null };
	if (SEVERITY[level] > SEVERITY[known.level]) return { told: now, news: 'worse' };
	if (SEVERITY[level] < SEVERITY[known.level]) {
		const betterSinceMs = known.betterSinceMs ?? atMs;
		return atMs - betterSinceMs >= calmMs ? { told: now, news: 'better' } : { told: { ...known, betterSinceMs }, news: null };
	}
	const isNew = checks.some((name) => !known.checks.includes(name));
	if (isNew) return { told: { ...now, checks: [...new Set([...known.checks, ...checks])].sort() }, news: 'worse' };
	const isDue = level !== 'healthy' && remindMs > 0 && atMs - known.atMs >= remindMs;
	return isDue ? { told: now, news: 'reminder' } : { told: { ...known, betterSinceMs: null }, news: null };
}

/** Those that make the level what it is: of a critical policy, what is only a warning is no news. */
function failing({ level, checks }: Health): string[] {
	const bad = checks.filter((check) => (level === 'critical' ? check.level === 'critical' : check.level !== 'healthy'));
	return [...new Set(bad.map(({ name, system }) => (system === null ? name : `${name} ${system}`)))].sort();
}
