import type { Check, CheckLevel } from './health';
import { check, countText, durationText, inSeconds, levelAbove } from './health-check';
import type { HealthFigures, Traffic, Waiting } from './health-figures';
import type { Thresholds } from './health-thresholds';
import type { PolicyMode } from './journal';

/** What the sync store tells of a policy. Pure. */
export function storeChecks(figures: HealthFigures, thresholds: Thresholds): Check[] {
	const unsettled = Object.entries(figures.unsettled).map(([system, waiting]) => unsettledCheck(system, waiting, thresholds));
	return [
		gapsCheck(figures),
		modeCheck(figures.mode),
		driftCheck(figures),
		...queueChecks(figures.queue, thresholds),
		...unsettled,
		reviewCheck(figures, thresholds),
		conflictsCheck(figures, thresholds),
		writesCheck(figures, thresholds),
		...parityCheck(figures, thresholds),
	];
}

function gapsCheck({ gaps, nowMs }: HealthFigures): Check {
	const [first] = gaps;
	const sentence = first
		? `Changes of ${gaps.map(({ system }) => system).join(' and ')} may be missing since ${durationText(nowMs - first.sinceMs)} ago; the trigger waits for a person to agree.`
		: 'No change is known to be missing.';
	return check('gaps', { level: first ? 'critical' : 'healthy', value: gaps.length, unit: 'count', limits: { critical: 1 }, sentence });
}

const MODES: Readonly<Record<PolicyMode, string>> = {
	live: 'The policy is live.',
	'first-contact': 'The policy waits for the approval of its first contact: nothing is written.',
	shadow: 'The policy is in shadow mode: nothing is written.',
	stopped: 'The policy is stopped: nothing is written until somebody turns it on again.',
	unsigned: 'The policy waits for a signature: nothing is written.',
};

function modeCheck(mode: PolicyMode): Check {
	const isLive = mode === 'live';
	return check('mode', { level: isLive ? 'healthy' : 'warning', value: isLive ? 0 : 1, unit: 'state', limits: { warning: 1 }, sentence: MODES[mode] });
}

function driftCheck({ pending, mode }: HealthFigures): Check {
	const waits = mode === 'first-contact' ? 0 : pending.length; // Then all of it waits, and the mode says so.
	const sentence = waits === 0 ? 'No column waits to be approved.' : `${countText(waits, 'column')} of the systems ${waits === 1 ? 'is' : 'are'} new, gone or of another type, and ${waits === 1 ? 'waits' : 'wait'} for a first contact.`;
	return check('drift', { level: waits > 0 ? 'warning' : 'healthy', value: waits, unit: 'count', limits: { warning: 1 }, sentence });
}

function queueChecks({ count, oldestMs }: Waiting, { queueDepth, queueAgeMs }: Thresholds): Check[] {
	const ageMs = oldestMs ?? 0;
	return [
		check('queue-depth', {
			level: levelAbove(count, queueDepth),
			value: count,
			unit: 'count',
			limits: queueDepth,
			sentence: `${countText(count, 'record')} ${count === 1 ? 'waits' : 'wait'} to be looked at.`,
		}),
		check('queue-age', {
			level: levelAbove(ageMs, queueAgeMs),
			value: ageMs / 1_000,
			unit: 'seconds',
			limits: inSeconds(queueAgeMs),
			sentence: oldestMs === null ? 'No record waits.' : `The record that has waited longest has waited for ${durationText(ageMs)}.`,
		}),
	];
}

function unsettledCheck(system: string, { count, oldestMs }: Waiting, { unsettledMs }: Thresholds): Check {
	const ageMs = oldestMs ?? 0;
	const sentence =
		count === 0 ? `Every write to ${system} has been answered.` : `${countText(count, 'write')} to ${system} ${count === 1 ? 'is' : 'are'} on the way, the oldest for ${durationText(ageMs)}.`;
	return check('unsettled-age', { system, level: levelAbove(ageMs, unsettledMs), value: ageMs / 1_000, unit: 'seconds', limits: inSeconds(unsettledMs), sentence });
}

function reviewCheck({ reviews }: HealthFigures, { reviewMs }: Thresholds): Check {
	const count = reviews.reduce((sum, review) => sum + review.count, 0);
	const ageMs = Math.max(0, ...reviews.map(({ oldestMs }) => oldestMs ?? 0));
	const kinds = reviews.filter((review) => review.count > 0).map((review) => `${review.count} ${review.kind}`);
	const sentence = count === 0 ? 'No question waits for a person.' : `${countText(count, 'question')} (${kinds.join(', ')}) ${count === 1 ? 'waits' : 'wait'} for a person, the oldest for ${durationText(ageMs)}.`;
	return check('review-age', { level: levelAbove(ageMs, reviewMs), value: ageMs / 1_000, unit: 'seconds', limits: inSeconds(reviewMs), sentence });
}

/** A rate of few events says nothing; that little happens is no fault. */
function rateLevel(value: number, enough: boolean, limits: Thresholds['writesPerChange']): CheckLevel {
	return enough ? levelAbove(value, limits) : 'healthy';
}

const UNKNOWN_TRAFFIC = 'is not known yet: it is counted from the second run of Check Health on';

function conflictsCheck({ traffic }: HealthFigures, { conflictsPerThousand: limits, minTraffic }: Thresholds): Check {
	const unit = 'per 1,000 changes';
	if (traffic === null) return check('conflicts', { level: 'unknown', value: null, unit, limits, sentence: `How many changes conflict ${UNKNOWN_TRAFFIC}.` });
	const { foreign, conflicts } = traffic;
	const value = rounded((1_000 * conflicts) / Math.max(foreign, 1));
	const sentence = `${countText(conflicts, 'conflict')} in ${countText(foreign, 'change')} ${over(traffic)}.`;
	return check('conflicts', { level: rateLevel(value, foreign >= minTraffic, limits), value, unit, limits, sentence });
}

function writesCheck({ traffic }: HealthFigures, { writesPerChange: limits, minTraffic }: Thresholds): Check {
	const unit = 'per change';
	if (traffic === null) return check('writes', { level: 'unknown', value: null, unit, limits, sentence: `How much is written for each change ${UNKNOWN_TRAFFIC}.` });
	const { foreign, writes } = traffic;
	const value = rounded(writes / Math.max(foreign, 1));
	const sentence = `${countText(writes, 'write')} for ${countText(foreign, 'change')} ${over(traffic)}.`;
	return check('writes', { level: rateLevel(value, writes >= minTraffic, limits), value, unit, limits, sentence });
}

const over = ({ overMs }: Traffic): string => `in the last ${durationText(overMs)}`;
const rounded = (value: number): number => Math.round(value * 100) / 100;

function parityCheck({ compared, nowMs }: HealthFigures, { comparedMs }: Thresholds): Check[] {
	if (comparedMs === 0) return [];
	const limits = { warning: 1 };
	if (compared === null) {
		const sentence = 'Nobody has compared the systems yet: import the template nightly-reconcile.json, or run Reconcile Diff (Compare Two Systems).';
		return [check('parity', { level: 'unknown', value: null, unit: 'count', limits, sentence })];
	}
	const { differences, atMs } = compared;
	const ago = `${durationText(nowMs - atMs)} ago`;
	if (nowMs - atMs > comparedMs) {
		return [check('parity', { level: 'unknown', value: differences, unit: 'count', limits, sentence: `The systems were last compared ${ago}: run Reconcile Diff (Compare Two Systems).` })];
	}
	const sentence = differences === 0 ? `The systems were equal when they were compared ${ago}.` : `The systems differed in ${countText(differences, 'place')} when they were compared ${ago}.`;
	return [check('parity', { level: differences > 0 ? 'warning' : 'healthy', value: differences, unit: 'count', limits, sentence })];
}
