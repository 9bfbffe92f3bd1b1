import { readMoment, DAY_SECONDS } from './codecs/moment';

/** How one version of a record relates to another, as the provider counts or dates them. `unknown`: they cannot be compared. */
export type VersionOrder = 'older' | 'same' | 'newer' | 'unknown';

const WHOLE_NUMBER = /^\d+$/;

/**
 * Compares two versions of one record as their provider gives them: whole numbers of any length, or
 * times with date (ISO 8601). A number and a time, or any other texts that differ, say nothing of each other.
 */
export function compareVersions(version: string, other: string): VersionOrder {
	if (version === other) return 'same';
	const [a, b] = [rankOf(version), rankOf(other)];
	if (a === null || b === null || a.kind !== b.kind) return 'unknown';
	if (a.rank === b.rank) return 'same';
	return a.rank < b.rank ? 'older' : 'newer';
}

/** Whether versions of this form can be compared at all. */
export function isComparable(version: string): boolean {
	return rankOf(version) !== null;
}

const MICROS = 1_000_000n;
const FINER_THAN_MICROSECONDS = /(\.\d{6})\d+/;
const FRACTION_DIGITS = 6;

/** Times are counted in microseconds; where a provider gives more digits, two changes in one of them look the same. */
function rankOf(version: string): { kind: 'number' | 'time'; rank: bigint } | null {
	if (WHOLE_NUMBER.test(version)) return { kind: 'number', rank: BigInt(version) };
	const moment = readMoment(version.replace(FINER_THAN_MICROSECONDS, '$1'));
	if (typeof moment === 'string') return null;
	const seconds = BigInt(moment.day) * BigInt(DAY_SECONDS) + BigInt(moment.second);
	return { kind: 'time', rank: seconds * MICROS + BigInt(moment.fraction.padEnd(FRACTION_DIGITS, '0')) };
}
