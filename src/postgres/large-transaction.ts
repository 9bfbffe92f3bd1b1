import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ChangeEvent } from '../core/change-event';
import type { LargeChanges } from './large-changes';
import type { SourceTransaction } from './source-transaction';
import { eventPart } from './event-part';
import { type Draft, drafting } from './transaction-events';

/** A record that was changed more often than this comes in several parts after all: they have to fit into memory. */
const MAX_GROUP_CHANGES = 20_000;

/**
 * The events of a transaction that is too large for memory, in parts that are not.
 *
 * A part holds all changes of each of its records, so whoever folds a part to one change per record gets
 * what the whole transaction would have given, and each marker is with its row. Records are in the order of their
 * first changes; so the events have other indexes than those of a smaller transaction would have, but the same ones
 * whenever this transaction is read, whatever the size of the parts.
 *
 * @param maxEvents - a part has no more, unless a single record has
 * @throws SyncError KEY_INCOMPLETE, DECODE_FAILED, SPOOL_FAILED
 */
export async function* largeTransactionEvents(
	transaction: SourceTransaction & { readonly spool: LargeChanges },
	maxEvents: number,
): AsyncGenerator<readonly ChangeEvent[], void, undefined> {
	const { spool } = transaction;
	const { origin, rowCounts } = spool;
	const draftsOf = drafting(origin);
	const part = eventPart({ transaction, origin, rowCounts }, spool.hasMarkers);
	const group: Draft[] = [];
	for (const { item, isLastOfGroup } of spool.inOrder()) {
		for (const draft of draftsOf(spool.changeAt(item))) group.push(draft);
		if (!isLastOfGroup && group.length < MAX_GROUP_CHANGES) continue;
		if (part.size > 0 && part.size + group.length > maxEvents) {
			yield part.take();
			await nextTurn(); // n8n has other things to do, too.
		}
		part.add(group);
		group.length = 0;
	}
	if (part.size > 0) yield part.take();
}
