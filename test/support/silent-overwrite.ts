import { equalJson } from '../../src/core/canonical-json';
import { nameOf } from './named-values';
import type { Overwrite } from './simulated-writer';
import { authorsOf, GONE, hasSeen, type TrueWrite, type TrueWrites } from './true-causality';

/**
 * I3: what an applied operation overwrote must be in the past of its value's author, or named in
 * the journal, or in the past of a value that is named: who replaced it knowingly lost to somebody
 * else, and that is told. A value that was changed and set back looks untouched to a compare-and-set; that
 * must be told afterwards.
 */
export function verdictOn(
	{ record, field, write, by }: Overwrite,
	{ truth, named }: { truth: TrueWrites; named: ReadonlySet<string> },
): 'known' | 'net-zero' | 'silent' {
	const gone = truth[write];
	if (gone === undefined || gone.changesNothing || named.has(nameOf(record, field, gone.value))) return 'known';
	const authors = authorsOf(truth, { record, field, value: by === undefined ? GONE : by });
	if (authors.some((author) => hasSeen(truth, author, gone))) return 'known';
	const losers = Object.values(truth).filter(
		(one) => one.record === record && one.field === field && named.has(nameOf(record, field, one.value)),
	);
	if (losers.some((loser) => hasSeen(truth, loser, gone))) return 'known';
	return wasSetBack(gone) ? 'net-zero' : 'silent';
}

/** A value that was changed and set back looks untouched to a compare-and-set. */
export function wasSetBack({ run, value }: TrueWrite): boolean {
	return run.slice(0, -1).some((earlier) => equalJson(earlier, value));
}

export function silence({ record, field, write, by, op }: Overwrite, truth: TrueWrites): string {
	const gone = truth[write];
	const now = by === undefined ? 'a delete' : JSON.stringify(by);
	return `I3 silent overwrite: ${gone?.system ?? ''}'s ${field} = ${JSON.stringify(gone?.value)} of ${record} was replaced by ${now} (${op}), whose author had not seen it, and nothing names it`;
}

export function placeOf({ record, field }: Pick<Overwrite, 'record' | 'field'>): string {
	return `${record} ${field}`;
}

