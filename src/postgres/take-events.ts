import type { ChangeEvent } from '../core/change-event';
import type { EventOrigin } from './event-envelope';
import { eventPart } from './event-part';
import type { SourceTransaction } from './source-transaction';
import { drafting } from './transaction-events';

/**
 * The change events of one transaction, in order, each at (commit position, index). Nobody looks at it again: its changes are
 * taken out of it, and each is let go once its events are there. With both in memory at once, V8 gives its young generation twice the room.
 *
 * A marker goes with the last event of the record it speaks of, wherever in the transaction the
 * two stand; a marker without such an event (a stale write changes no row) is an event of its own.
 * Tables that are not mapped give no events, nor do messages of others. A redelivered
 * transaction gives the same events.
 *
 * @returns events without `prev`; see `chain`
 * @throws SyncError KEY_INCOMPLETE, naming the statement that makes the server send keys
 */
export function takeEvents(transaction: SourceTransaction, origin: EventOrigin): ChangeEvent[] {
	if (transaction.spool) throw new TypeError('a transaction that is too large for memory has more changes than these');
	const hasMessages = transaction.changes.some(({ kind }) => kind === 'message');
	const rest = transaction.changes.splice(0).reverse();
	const draftsOf = drafting(origin);
	const part = eventPart({ transaction, origin }, hasMessages);
	for (let change = rest.pop(); change !== undefined; change = rest.pop()) part.add(draftsOf(change));
	return part.take();
}
