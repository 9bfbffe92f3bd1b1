import type { ReadingFacts } from './api-record';
import type { Json } from './canonical-json';
import type { Key, Operation } from './link';
import type { Row } from './mapping';
import type { Marker, Outcome } from './marker';
import type { Position } from './position';
import type { RecordChange } from './record-change';

/** What an API said of one record at one time: the answer to a GET, or the body of a webhook. */
export interface Reading {
	readonly system: string;
	readonly entity: string;
	readonly key: Key;
	/** False: there is no such record. */
	readonly exists: boolean;
	/** The properties that the policy maps, as far as they were sent. */
	readonly row: Row;
	readonly facts: ReadingFacts;
	/** Taken before the record was read (see `readingTicket`); null: none was. */
	readonly ticket: string | null;
	/** The id of the operation that the record itself names as the one that made it; null: it names none. */
	readonly mark: string | null;
	/** When the change was made, by the API's clock, milliseconds since 1970; null: it does not say. */
	readonly atMs: number | null;
	/** What stood there before, oldest first, at least since the reading before, where the API keeps a history. */
	readonly earlier: readonly Row[];
}

/** The reading as a change of its record, by nobody known. */
export function changeOfReading({ system, entity, key, exists, row, facts, atMs }: Omit<Reading, 'earlier' | 'ticket' | 'mark'>, position: Position): RecordChange {
	return {
		system,
		entity,
		position,
		firstPosition: position,
		tsMs: atMs ?? 0,
		key,
		previousKey: null,
		exists,
		columns: exists ? row : {},
		unchanged: [],
		marker: null,
		forged: false,
		// What is read as it is says nothing of when it was changed.
		snapshot: atMs === null,
		// That there is no record says all there is to say of it.
		reading: exists ? facts : { ...facts, whole: true },
	};
}

/** The change as the one that our operation made; an API leaves no marker of its own. */
export function asOurs(change: RecordChange, op: Operation, isConditional: boolean): RecordChange {
	return { ...change, marker: markerOf(op, 'applied', change.key), ...(isConditional ? {} : { unconditional: true as const }) };
}

/** That the operation came to another end, which changed nothing. `error` completes "… refuses the value: it". */
export function outcomeChange(op: Operation, { outcome, error }: { outcome: Exclude<Outcome, 'applied'>; error?: string }, position: Position): RecordChange {
	const { system, entity, key } = op;
	return {
		system,
		entity,
		position,
		firstPosition: position,
		tsMs: 0,
		key,
		previousKey: null,
		exists: null,
		columns: {},
		unchanged: [],
		marker: { ...markerOf(op, outcome, key), ...(error === undefined ? {} : { error }) },
		forged: false,
		snapshot: false,
	};
}

/** Unsigned: it never leaves the store, and nobody else could have made it. */
function markerOf({ id, link, system, entity }: Operation, outcome: Outcome, key: Readonly<Record<string, Json>> | null): Marker {
	return { op: id, link, system, entity, outcome, key, mac: '' };
}
