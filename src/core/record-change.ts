import type { ReadingFacts } from './api-record';
import type { ChangeEvent } from './change-event';
import { canonicalJson, type Json } from './canonical-json';
import type { FreshRead } from './fresh-read';
import type { Key } from './link';
import { keyText } from './mapping';
import type { Marker } from './marker';
import type { Position } from './position';

/**
 * What one transaction did to one record of one system, folded to its final state: an edit may
 * arrive as delete + insert, or as several images of a row of which the middle ones mean nothing.
 * This is the input of `observe`, and it is journaled whole.
 */
export interface RecordChange {
	readonly system: string;
	readonly entity: string;
	/** Of the record's last event in the transaction. */
	readonly position: Position;
	/** Of its first one. */
	readonly firstPosition: Position;
	/** Commit time by the source's clock; shown, never compared. */
	readonly tsMs: number;
	/** Null when a marker came without a row (a stale write, a refused insert). */
	readonly key: Key | null;
	/** The key before the transaction, when it changed. */
	readonly previousKey: Key | null;
	/** Whether the row is there after the transaction; null when no row changed. */
	readonly exists: boolean | null;
	/** The final after-image. A column that is missing was not sent. */
	readonly columns: Readonly<Record<string, Json>>;
	/** Columns that were not sent because they did not change (TOAST). */
	readonly unchanged: readonly string[];
	/** Our own message, its MAC checked; null for a foreign transaction. */
	readonly marker: Marker | null;
	/** A marker with our prefix and a wrong MAC: somebody tries to hide a change, or the store's key was replaced. */
	readonly forged: boolean;
	readonly snapshot: boolean;
	/**
	 * The system has been put back to a copy that holds what was committed by this place and nothing that came later: a row
	 * of which more had been observed may be older now. Absent: it has not.
	 */
	readonly restoredTo?: Position;
	/** Of a row that may be older: the columns with a value that the system had shown before. Absent: none. */
	readonly shown?: readonly string[];
	/** Read outside of the stream, at a place that the stream has passed; see `FreshRead`. Absent: it came through the stream. */
	readonly fresh?: FreshRead;
	/** The main row was not touched (a part was, or a date has passed): the record is there if it was there before. Absent otherwise. */
	readonly rowStays?: true;
	/** Parts that have no row after the transaction: what is known of them is null from now on. Absent: none. */
	readonly missing?: readonly string[];
	/** Our operation was applied, but to a row that had come to its key: to another record. Absent otherwise. */
	readonly misdirected?: true;
	/** By field, the link of the record that it names, where one was found. Absent: none. */
	readonly references?: Readonly<Record<string, string>>;
	/**
	 * Fields that may have been written by us and set back by somebody since they were read: they count as changed, though
	 * they show what they did. Absent: none.
	 */
	readonly recounted?: readonly string[];
	/** One delete of more than the policy lets through at once: the item that a person approves first. Absent otherwise. */
	readonly awaits?: { readonly review: string; readonly reason: string };
	/** What an API said of the record besides its values. Absent: the change is from no API, or it said nothing. */
	readonly reading?: ReadingFacts;
	/** Our write was made without a condition: it may have replaced what nobody has seen. Absent: it was compared and set. */
	readonly unconditional?: true;
}

/** The key that an update replaced; null when the key stayed, or the source did not send the old one. */
export function previousKeyOf({ op, before, key }: Pick<ChangeEvent, 'op' | 'before' | 'key'>): Key | null {
	if (op !== 'u' || before === null) return null;
	const columns = Object.keys(key);
	if (!columns.every((column) => Object.hasOwn(before, column))) return null;
	const previous = Object.fromEntries(columns.map((column) => [column, keyText(before[column] ?? null)]));
	return canonicalJson(previous) === canonicalJson(key) ? null : previous;
}
