import type { ChangeEvent } from '../core/change-event';
import { commitOf, type Position } from '../core/position';
import type { RecordChange } from '../core/record-change';
import { BatchLinks } from './batch-identity';
import { ObservationRun, type PreparedObservation, type RunInput } from './observation-run';
import type { MatchKey } from './sync-store';

/** A batch of one stream. */
export interface ObservationInput extends RunInput {
	readonly system: string;
	/** In stream order, contiguous, all after the stream's position. */
	readonly events: readonly ChangeEvent[];
	/** The same events, folded. */
	readonly changes: readonly RecordChange[];
	/** The predecessor of the first event, at or before the stream's position. */
	readonly from: Position;
}

/**
 * Folds all events of a batch, echoes and foreign changes together, in stream order, and commits
 * each link once. Pure: the caller loads before and commits after, and does both again when
 * another worker was faster.
 */
export function prepareObservation(input: ObservationInput): PreparedObservation {
	const run = new ObservationRun(input);
	const prevOf = new Map(input.events.map(({ source }) => [source.position, source.prev]));
	for (const transaction of byTransaction(input.changes)) {
		run.observe(transaction, prevOf.get(firstOf(transaction)) ?? input.from);
	}
	const { system, events, from } = input;
	return run.finish({ system, from, to: events.at(-1)?.source.position ?? from });
}

const firstOf = (transaction: readonly RecordChange[]): Position =>
	transaction.map(({ firstPosition }) => firstPosition).reduce((a, b) => (a < b ? a : b));

function byTransaction(changes: readonly RecordChange[]): RecordChange[][] {
	const groups = new Map<string, RecordChange[]>();
	for (const change of changes) {
		const commit = commitOf(change.position);
		const group = groups.get(commit);
		if (group) group.push(change);
		else groups.set(commit, [change]);
	}
	return [...groups.values()];
}

/** Match keys to load before `prepareObservation`: of records that no link knows, or that have come to have them. */
export function unknownMatches({ changes, links, policy }: Pick<ObservationInput, 'changes' | 'links' | 'policy'>): MatchKey[] {
	return new BatchLinks(policy.policy, links).unknownMatches(changes);
}
