import type { Check, CheckLevel, CheckName, Health, HealthLevel } from './health';

/** By check, the metric with its value: the unit is the last word of the name, as Prometheus wants it. */
const METRICS: Readonly<Record<CheckName, readonly [name: string, help: string]>> = {
	mode: ['bisync_not_live', '0 when the policy is live, 1 when it is not'],
	lag: ['bisync_lag_seconds', 'From a change in the system until the sync has observed it'],
	'lag-bytes': ['bisync_lag_bytes', 'Log of the system that has not been observed'],
	'slot-state': ['bisync_slot_state', '0 read, 1 idle, 2 in danger, 3 lost'],
	'slot-bytes': ['bisync_slot_retained_bytes', 'Log that the replication slot keeps on disk'],
	'slot-room': ['bisync_slot_room_percent', 'What is left until the server gives the slot up'],
	'queue-depth': ['bisync_queue_records', 'Records that wait to be looked at'],
	'queue-age': ['bisync_queue_oldest_seconds', 'How long the one that waits longest has waited'],
	'unsettled-age': ['bisync_unsettled_oldest_seconds', 'How long the oldest write without an answer has been on the way'],
	'review-age': ['bisync_question_oldest_seconds', 'How long the oldest question has waited for a person'],
	conflicts: ['bisync_conflicts_per_thousand_changes', 'Conflicts in the last hour'],
	writes: ['bisync_writes_per_change', 'Writes for each change that somebody made, in the last hour'],
	parity: ['bisync_differences', 'Differences that the last comparison found'],
	drift: ['bisync_pending_columns', 'Columns that wait to be approved'],
	gaps: ['bisync_gaps', 'Systems of which changes may be missing'],
};

const HEALTH_LEVELS: Readonly<Record<HealthLevel, number>> = { healthy: 0, warning: 1, critical: 2 };
/** What is unknown is a warning here too: a rule that asks for more than 0 finds it. */
const CHECK_LEVELS: Readonly<Record<CheckLevel, number>> = { healthy: 0, unknown: 1, warning: 1, critical: 2 };

/**
 * A policy's health as Prometheus reads it. A figure that is not known has no line, because a number would be taken for
 * one; its level has. Pure.
 *
 * Source: the text-based format, version 0.0.4, in "Exposition formats" of the Prometheus manual.
 */
export function prometheusText({ policy, level, checks, atMs }: Health): string {
	const metrics = new Map<string, { help: string; lines: string[] }>();
	const add = (name: string, help: string, labels: Readonly<Record<string, string>>, value: number): void => {
		const metric = metrics.get(name) ?? { help, lines: [] };
		metric.lines.push(`${name}{${labelText({ policy, ...labels })}} ${numberText(value)}`);
		metrics.set(name, metric);
	};
	add('bisync_up', '1 when the sync store could be read', {}, 1);
	add('bisync_health_level', '0 healthy, 1 warning, 2 critical', {}, HEALTH_LEVELS[level]);
	add('bisync_health_timestamp_seconds', "When this was looked at, by the sync store's clock", {}, atMs / 1_000);
	for (const check of [...checks].sort(byName)) {
		const [name, help] = METRICS[check.name];
		if (check.value !== null) add(name, help, systemLabel(check), check.value);
		add('bisync_check_level', '0 healthy, 1 warning or unknown, 2 critical', { check: check.name, ...systemLabel(check) }, CHECK_LEVELS[check.level]);
	}
	return textOf(metrics);
}

/** What is told when the sync store cannot be read. */
export function prometheusDown(policy: string): string {
	const help = '1 when the sync store could be read';
	return textOf(new Map([['bisync_up', { help, lines: [`bisync_up{${labelText({ policy })}} 0`] }]]));
}

function textOf(metrics: ReadonlyMap<string, { readonly help: string; readonly lines: readonly string[] }>): string {
	return [...metrics].map(([name, { help, lines }]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('\n')}\n`).join('');
}

const systemLabel = ({ system }: Check): Readonly<Record<string, string>> => (system === null ? {} : { system });

function byName(a: Check, b: Check): number {
	const key = ({ name, system }: Check): string => `${name} ${system ?? ''}`;
	return key(a) < key(b) ? -1 : 1;
}

function labelText(labels: Readonly<Record<string, string>>): string {
	return Object.entries(labels)
		.map(([name, value]) => `${name}="${escaped(value)}"`)
		.join(',');
}

/** Backslash, quote and line feed are all that may not stand in a label's value as they are. */
function escaped(value: string): string {
	return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
	if (Number.isNaN(value)) return 'NaN';
	if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
	return String(value);
}
