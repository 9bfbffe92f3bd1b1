import type { ChangeEvent } from './change-event';
import { canonicalJson, equalJson, type Json } from './canonical-json';
import type { Key } from './link';
import { keyText } from './mapping';
import { isGenuine, type Marker } from './marker';
import { commitOf, type Position } from './position';

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
	/** Our operation was applied, but to a row that had come to its key: to another record. Absent otherwise. */
	readonly misdirected?: true;
	/** By field, the link of the record that it names, where one was found. Absent: none. */
	readonly references?: Readonly<Record<string, string>>;
	/** One delete of more than the policy lets through at once: the item that a person approves first. Absent otherwise. */
	readonly awaits?: { readonly review: string; readonly reason: string };
}

/**
 * Folds events (in stream order) to one change per transaction and record.
 *
 * @param macKey - the store's secret, to tell our markers from forged ones
 */
export function foldEvents(events: readonly ChangeEvent[], macKey: string): RecordChange[] {
	const changes = new Set<RecordChange>(); // In the order of last events.
	const open = new Map<string, RecordChange[]>(); // By the record's key now; several when it was others' before.
	const born = new Set<RecordChange>();
	for (const event of events) {
		if (event.op === 't') continue; // It speaks of no record; see `holdTruncates`.
		const single = changeOf(event, macKey);
		const candidates = open.get(recordId(single, single.previousKey ?? single.key)) ?? [];
		const earlier = candidates.filter((one) => isSameRecord(one, single, event)).at(-1);
		const isBorn = earlier ? born.has(earlier) : event.op === 'c';
		const folded = earlier ? combine(earlier, single, isBorn) : single;
		if (earlier) {
			changes.delete(earlier);
			candidates.splice(candidates.indexOf(earlier), 1);
		}
		changes.add(folded);
		if (isBorn) born.add(folded);
		// A row that moves to the key of one that was deleted is another record: the delete stays a change.
		const id = recordId(folded, folded.key);
		open.set(id, [...(open.get(id) ?? []), folded]);
	}
	return [...changes];
}

/**
 * Whether an event goes on with what the transaction has done to the record under its key. Not when
 * another link's write follows ours, which deleted the row; and not when the row was another one:
 * with a deferrable key two rows may share a key until the commit.
 */
function isSameRecord(earlier: RecordChange, { marker }: RecordChange, { before }: ChangeEvent): boolean {
	if (earlier.marker !== null && marker !== null && earlier.marker.link !== marker.link) return false;
	if (earlier.exists !== true || before === null) return true;
	return Object.entries(before).every(
		([column, value]) => !Object.hasOwn(earlier.columns, column) || equalJson(earlier.columns[column] ?? null, value),
	);
}

function changeOf(event: ChangeEvent, macKey: string): RecordChange {
	const { marker } = event;
	const position = event.source.position;
	if (position === null) throw new TypeError('a wake item stands in no stream and cannot be folded');
	const genuine = marker !== null && isGenuine(marker, macKey);
	const markerOnly = event.op === 'm';
	return {
		system: event.system,
		entity: event.entity,
		position,
		firstPosition: position,
		tsMs: event.source.tsMs,
		key: markerOnly ? (marker?.key ?? null) : event.key,
		previousKey: previousKeyOf(event),
		exists: markerOnly ? null : event.op !== 'd',
		columns: event.after ?? {},
		unchanged: event.unchanged,
		marker: genuine ? marker : null,
		forged: marker !== null && !genuine,
		snapshot: event.source.snapshot,
	};
}

/** The key that an update replaced; null when the key stayed, or the source did not send the old one. */
export function previousKeyOf({ op, before, key }: Pick<ChangeEvent, 'op' | 'before' | 'key'>): Key | null {
	if (op !== 'u' || before === null) return null;
	const columns = Object.keys(key);
	if (!columns.every((column) => Object.hasOwn(before, column))) return null;
	const previous = Object.fromEntries(columns.map((column) => [column, keyText(before[column] ?? null)]));
	return canonicalJson(previous) === canonicalJson(key) ? null : previous;
}

/** @param isBorn - the record was made in this transaction: nobody knows it by an earlier key */
function combine(earlier: RecordChange, later: RecordChange, isBorn: boolean): RecordChange {
	const rowChanged = later.exists !== null;
	const kept = rowChanged && later.exists ? keptColumns(earlier, later.unchanged) : {};
	const key = later.key ?? earlier.key;
	const first = isBorn ? null : (earlier.previousKey ?? later.previousKey);
	const image = rowChanged ? { ...kept, ...later.columns } : earlier.columns;
	return {
		...later,
		firstPosition: earlier.firstPosition,
		key,
		previousKey: first !== null && equalJson({ ...first }, { ...key }) ? null : first, // Moved, and back again.
		exists: later.exists ?? earlier.exists,
		columns: image,
		unchanged: rowChanged
			? later.unchanged.filter((column) => !Object.hasOwn(image, column))
			: earlier.unchanged,
		marker: later.marker ?? earlier.marker,
		forged: earlier.forged || later.forged,
	};
}

/** An image of the same transaction holds the values that a later one left out as unchanged. */
function keptColumns(earlier: RecordChange, unchanged: readonly string[]): Record<string, Json> {
	const held = unchanged.filter((column) => Object.hasOwn(earlier.columns, column));
	return Object.fromEntries(held.map((column) => [column, earlier.columns[column] ?? null]));
}

/**
 * One record of one transaction. A marker of a write that changed no row stands for its link:
 * another record may have come to the key it names, even in the same transaction. So does one that
 * was found in the ledger when rows are read: the row was written then, and read now.
 */
function recordId({ position, system, entity, exists, marker, snapshot }: RecordChange, key: Key | null): string {
	const isAlone = exists === null && marker !== null && (marker.outcome !== 'applied' || snapshot);
	const record = (isAlone ? null : key) ?? marker?.link ?? position;
	return canonicalJson([commitOf(position), system, entity, record]);
}
