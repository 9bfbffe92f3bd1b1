import { setImmediate as nextTurn } from 'node:timers/promises';

import type { ChangeEvent } from '../core/change-event';
import type { LargeChanges } from './large-changes';
import type { SourceTransaction } from './source-transaction';
import { type Draft, drafting, type EventRun, eventsOf, eventWriter } from './transaction-events';

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
	const run = { transaction, origin, rowCounts };
	const part = spool.hasMarkers ? new PairedPart(run) : new PlainPart(run);
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

type Run = Omit<EventRun, 'firstIndex'>;

/** Changes of a transaction without markers: an event each, at once, so that nothing else of them is kept. */
class PlainPart {
	readonly #write: ReturnType<typeof eventWriter>;
	#events: ChangeEvent[] = [];
	#count = 0;

	constructor(run: Run) {
		this.#write = eventWriter(run);
	}

	get size(): number {
		return this.#events.length;
	}

	add(group: readonly Draft[]): void {
		for (const draft of group) this.#events.push(this.#write(draft, this.#count++));
	}

	take(): readonly ChangeEvent[] {
		const events = this.#events;
		this.#events = [];
		return events;
	}
}

/** Changes and markers, which find one another when the part is whole. */
class PairedPart {
	#drafts: Draft[] = [];
	#count = 0;

	constructor(private readonly run: Run) {}

	get size(): number {
		return this.#drafts.length;
	}

	add(group: readonly Draft[]): void {
		for (const draft of group) this.#drafts.push(draft);
	}

	take(): readonly ChangeEvent[] {
		const events = eventsOf(this.#drafts, { ...this.run, firstIndex: this.#count });
		this.#count += events.length;
		this.#drafts = [];
		return events;
	}
}
