import type { Check, CheckLevel, CheckName, Unit } from './health';
import type { Limits } from './health-thresholds';

/** The page for each check, under docs/. */
const RUNBOOKS: Readonly<Record<CheckName, string>> = {
	mode: 'mode',
	lag: 'lag',
	'lag-bytes': 'lag',
	'slot-state': 'slot',
	'slot-bytes': 'slot',
	'slot-room': 'slot',
	'queue-depth': 'queue',
	'queue-age': 'queue',
	'unsettled-age': 'unsettled',
	'review-age': 'reviews',
	conflicts: 'conflicts',
	writes: 'writes',
	parity: 'parity',
	drift: 'drift',
	gaps: 'gaps',
};

export type CheckParts = Pick<Check, 'level' | 'value' | 'sentence'> & {
	readonly system?: string;
	readonly unit: Unit;
	/** In the unit of `value`. */
	readonly limits?: Partial<Limits>;
};

export function check(name: CheckName, { system = null, limits = {}, ...rest }: Omit<CheckParts, 'system'> & { readonly system?: string | null }): Check {
	const { warning = null, critical = null } = limits;
	return { name, system, ...rest, warning, critical, runbook: `docs/runbooks/${RUNBOOKS[name]}.md` };
}

/** A figure of which more is worse. */
export function levelAbove(value: number, { warning, critical }: Limits): CheckLevel {
	if (value >= critical) return 'critical';
	return value >= warning ? 'warning' : 'healthy';
}

/** A figure of which less is worse. */
export function levelBelow(value: number, { warning, critical }: Limits): CheckLevel {
	if (value < critical) return 'critical';
	return value < warning ? 'warning' : 'healthy';
}

/** Milliseconds as seconds. */
export function inSeconds({ warning, critical }: Limits): Limits {
	return { warning: warning / 1_000, critical: critical / 1_000 };
}

const DURATIONS = [
	['day', 86_400_000],
	['hour', 3_600_000],
	['minute', 60_000],
] as const;

/** "3 minutes", "0.4 seconds": what a person says, not to the millisecond. */
export function durationText(ms: number): string {
	for (const [name, size] of DURATIONS) if (ms >= 2 * size) return `${Math.floor(ms / size)} ${name}s`;
	const seconds = ms / 1_000;
	return `${seconds >= 10 ? Math.round(seconds) : Math.round(seconds * 10) / 10} seconds`;
}

const BYTES = [
	['GB', 1024 ** 3],
	['MB', 1024 ** 2],
	['kB', 1024],
] as const;

export function bytesText(bytes: number): string {
	for (const [name, size] of BYTES) if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10} ${name}`;
	return `${bytes} bytes`;
}

/** "1 record", "3 records". */
export function countText(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
