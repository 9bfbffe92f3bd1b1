import type { ChangeEvent } from '../core/change-event';
import { type Draft, type EventRun, eventsOf, eventWriter } from './transaction-events';

type Run = Omit<EventRun, 'firstIndex'>;

/** Events of a transaction, as they are made of its changes. Indexes count on from part to part. */
export interface EventPart {
	/** Changes that were added and not taken. */
	readonly size: number;
	/** All changes of some records, in order. */
	add(drafts: readonly Draft[]): void;
	take(): ChangeEvent[];
}

/** @param hasMarkers - whether any change may be one */
export function eventPart(run: Run, hasMarkers: boolean): EventPart {
	return hasMarkers ? new PairedPart(run) : new PlainPart(run);
}

/** Changes of a transaction without markers: an event each, at once, so that nothing else of them is kept. */
class PlainPart implements EventPart {
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

	take(): ChangeEvent[] {
		const events = this.#events;
		this.#events = [];
		return events;
	}
}

/** Changes and markers, which find one another when the part is whole. */
class PairedPart implements EventPart {
	#drafts: Draft[] = [];
	#count = 0;

	constructor(private readonly run: Run) {}

	get size(): number {
		return this.#drafts.length;
	}

	add(group: readonly Draft[]): void {
		for (const draft of group) this.#drafts.push(draft);
	}

	take(): ChangeEvent[] {
		const events = eventsOf(this.#drafts, { ...this.run, firstIndex: this.#count });
		this.#count += events.length;
		this.#drafts = [];
		return events;
	}
}
