import type { IDataObject, INodeProperties } from 'n8n-workflow';

import { DEFAULT_THRESHOLDS, type Limits, type Thresholds } from '../../src/core/health-thresholds';
import { invalid } from '../shared/settings';

type LimitName = { [Name in keyof Thresholds]: Thresholds[Name] extends Limits ? Name : never }[keyof Thresholds];

interface Shown {
	readonly key: LimitName;
	readonly label: string;
	readonly unit: string;
	/** What one of the unit is in the threshold. */
	readonly factor: number;
	readonly what: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const SHOWN: readonly Shown[] = [
	{ key: 'conflictsPerThousand', label: 'Conflicts', unit: 'per 1,000', factor: 1, what: 'Conflicts for each thousand changes in the last hour' },
	{ key: 'lagMs', label: 'Lag', unit: 'Seconds', factor: 1_000, what: 'From a change in a system until the sync has observed it' },
	{ key: 'reviewMs', label: 'Oldest Review', unit: 'Hours', factor: HOUR, what: 'How long a question may wait for a person' },
	{ key: 'queueAgeMs', label: 'Oldest Record', unit: 'Minutes', factor: MINUTE, what: 'How long a record may wait to be looked at' },
	{ key: 'unsettledMs', label: 'Oldest Write', unit: 'Minutes', factor: MINUTE, what: 'How long a write may be on the way' },
	{ key: 'slotBytes', label: 'Slot', unit: 'MB', factor: 1024 * 1024, what: 'Log that a replication slot keeps on the disk of its server' },
	{ key: 'slotRoomPercent', label: 'Slot Room', unit: 'Percent', factor: 1, what: 'How much must be left of what max_slot_wal_keep_size allows a slot' },
	{ key: 'queueDepth', label: 'Waiting', unit: 'Records', factor: 1, what: 'Records that wait to be looked at' },
	{ key: 'writesPerChange', label: 'Writes', unit: 'per Change', factor: 1, what: 'Writes for each change that somebody made: a loop shows here' },
];

const LEVELS = [
	['Critical', 'critical'],
	['Warning', 'warning'],
] as const;

const comparedHours: INodeProperties = {
	displayName: 'Comparison Age (Hours)',
	name: 'comparedHours',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 48,
	description: 'How old the last comparison by Reconcile Diff may be before that is a warning. 0: not looked at.',
};

const staleMinutes: INodeProperties = {
	displayName: 'Measurement Age (Minutes)',
	name: 'staleMinutes',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: 5,
	description: 'A measurement that is older counts as none, which is a warning. Must be longer than the time between two runs of Measure System.',
};

/** What "Thresholds" offers, in the order of the labels. */
export const thresholdOptions: INodeProperties[] = [
	comparedHours,
	...SHOWN.flatMap(({ key, label, unit, factor, what }) =>
		LEVELS.map(([level, name]): INodeProperties => {
			const given = DEFAULT_THRESHOLDS[key][name] / factor;
			return {
				displayName: `${label}: ${level} (${unit})`,
				name: `${key}-${name}`,
				type: 'number',
				typeOptions: { minValue: 0 },
				default: given,
				description: `${what}: from where on it is ${level === 'Critical' ? 'critical' : 'a warning'}`,
			};
		}),
	),
	staleMinutes,
].sort((a, b) => (a.displayName < b.displayName ? -1 : 1));

/** @throws SyncError INVALID_SETTING, naming the threshold */
export function readThresholds(given: IDataObject): Thresholds {
	const limits = SHOWN.map(({ key, label, factor }): [LimitName, Limits] => {
		const of = (level: 'warning' | 'critical'): number => numberOr(given[`${key}-${level}`], DEFAULT_THRESHOLDS[key][level] / factor, label) * factor;
		return [key, { warning: of('warning'), critical: of('critical') }];
	});
	const staleMs = numberOr(given['staleMinutes'], DEFAULT_THRESHOLDS.staleMs / MINUTE, 'Measurement Age') * MINUTE;
	return {
		...DEFAULT_THRESHOLDS,
		...Object.fromEntries(limits),
		comparedMs: numberOr(given['comparedHours'], DEFAULT_THRESHOLDS.comparedMs / HOUR, 'Comparison Age') * HOUR,
		staleMs,
		unmeasuredMs: Math.max(DEFAULT_THRESHOLDS.unmeasuredMs, 3 * staleMs),
	};
}

function numberOr(given: unknown, otherwise: number, label: string): number {
	if (given === undefined || given === null || given === '') return otherwise;
	const number = typeof given === 'string' ? Number(given) : given;
	if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number;
	throw invalid(`Thresholds, ${label}`, 'must be a number of at least 0');
}
