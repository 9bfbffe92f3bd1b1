import type { ChangeEvent } from '../core/change-event';
import { SyncError } from '../core/errors';
import type { Position } from '../core/position';

/** A batch of one stream, held against what has been observed of it. */
export interface SortedBatch {
	/** Contiguous, in stream order, all after the position. */
	readonly fresh: readonly ChangeEvent[];
	/** The predecessor of the first fresh event. */
	readonly from: Position;
	/** Why the events after the last fresh one were refused; null when none was. */
	readonly gap: SyncError | null;
}

/**
 * Puts events in stream order and cuts them where one is missing: an event whose predecessor has
 * not been observed would make the late one look like a duplicate, and its change would be lost.
 *
 * @param events - of one stream, in any order, with repetitions
 * @param position - the last event observed
 */
export function sortOut(events: readonly ChangeEvent[], position: Position): SortedBatch {
	const inOrder = [...events].sort((a, b) => (positionOfEvent(a) < positionOfEvent(b) ? -1 : 1));
	const fresh: ChangeEvent[] = [];
	let last = position;
	for (const event of inOrder) {
		const here = positionOfEvent(event);
		if (here <= last) continue;
		const { prev } = event.source;
		if (prev === null) return { fresh, from: firstPrev(fresh, position), gap: noPredecessor(event) };
		if (prev > last) return { fresh, from: firstPrev(fresh, position), gap: missing(event, last, prev) };
		fresh.push(event);
		last = here;
	}
	return { fresh, from: firstPrev(fresh, position), gap: null };
}

/** @throws TypeError for a wake item, which stands in no stream: a defect of the caller */
export function positionOfEvent({ source }: ChangeEvent): Position {
	if (source.position === null) throw new TypeError('a wake item has no position');
	return source.position;
}

function firstPrev(fresh: readonly ChangeEvent[], position: Position): Position {
	return fresh[0]?.source.prev ?? position;
}

function missing(event: ChangeEvent, last: Position, prev: Position): SyncError {
	return new SyncError(
		'STREAM_GAP',
		`Changes of ${event.system} after ${last} up to ${prev} never reached this node, so ${event.source.position} and what follows was refused`,
		{ details: { system: event.system, after: last, upTo: prev } },
	);
}

function noPredecessor(event: ChangeEvent): SyncError {
	return new SyncError(
		'STREAM_UNKNOWN',
		`The change ${event.changeId} does not say which change came before it: its trigger has no sync store`,
	);
}
