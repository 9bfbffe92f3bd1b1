import { requestOf, showsOperation } from './api-operation';
import { equalJson } from './canonical-json';
import type { LinkState, Operation } from './link';
import type { Row } from './mapping';
import type { EntityPolicy } from './policy';
import type { RecordChange } from './record-change';

/** What a record has been since it was read last, oldest first, and the row before the first of them as far as it is known. */
export interface RecordHistory {
	readonly states: readonly RecordChange[];
	readonly before: Row | null;
}

/**
 * Which of a record's states our write has made; -1: none shows it. On a condition it can only be the first that shows it, and so it
 * is for a new record. Else users may have come to the same values before us, and changed them again: the write is the last
 * change that shows it and nothing else, because what it replaced would be lost in silence if it were taken for an earlier one.
 */
export function indexOfOurs(state: LinkState, op: Operation, { history, entity, isConditional }: { history: RecordHistory; entity: EntityPolicy; isConditional: boolean }): number {
	const { states } = history;
	const showing = states.flatMap((change, at) => (showsOperation(state, op, { change, entity }) ? [at] : []));
	if (isConditional || op.kind !== 'update') return showing[0] ?? -1;
	const written = new Set(Object.keys(requestOf(op, entity).flat));
	const exact = showing.filter((at) => {
		const [is, was] = [states[at]?.columns ?? {}, at === 0 ? history.before : states[at - 1]?.columns];
		return was != null && changesOnly(written, was, is);
	});
	return exact.at(-1) ?? showing.at(-1) ?? -1;
}

/** Whether the rows differ in these columns alone, as far as both have them. */
function changesOnly(written: ReadonlySet<string>, was: Row, is: Row): boolean {
	return Object.entries(is).every(([column, value]) => written.has(column) || was[column] === undefined || equalJson(value, was[column]));
}
