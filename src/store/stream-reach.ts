import { parseLsn } from '../core/lsn';
import { inLineage, lineageOf, lsnOfPosition, type Position, withoutLineage } from '../core/position';
import type { StreamRecord } from './stream-record';

/** Where the acknowledgement of the stream's lineage stands; null: there is none yet. */
export function acknowledgedOf({ acknowledgedLsn, position }: Pick<StreamRecord, 'acknowledgedLsn' | 'position'>): bigint | null {
	if (acknowledgedLsn === null) return null;
	const known = parseLsn(acknowledgedLsn);
	const lsn = withoutLineage(known);
	return known === inLineage(lsn, lineageOf(position)) ? lsn : null;
}

/**
 * Whether everything that stands in the stream before this position, and at it, has been observed. An idle stream
 * says so by what it acknowledges: there is nothing unobserved before that.
 */
export function hasPassed(stream: Pick<StreamRecord, 'acknowledgedLsn' | 'position'>, position: Position): boolean {
	if (lineageOf(stream.position) !== lineageOf(position)) return false;
	const lsn = lsnOfPosition(position);
	return lsnOfPosition(stream.position) > lsn || (acknowledgedOf(stream) ?? 0n) > lsn;
}

/** How far the stream has been observed, with its lineage: all that ends before it has been. */
export function reachedLsn(stream: Pick<StreamRecord, 'acknowledgedLsn' | 'position'>): bigint {
	const observed = lsnOfPosition(stream.position);
	const acknowledged = acknowledgedOf(stream) ?? 0n;
	return inLineage(observed > acknowledged ? observed : acknowledged, lineageOf(stream.position));
}
