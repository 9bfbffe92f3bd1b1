import type { ChangeEvent } from './change-event';
import { canonicalJson, equalJson } from './canonical-json';
import { isSameRow, keptColumns } from './fold-images';
import { partsGone, partsOf, takeOver, type PartRows, withParts } from './fold-parts';
import type { Key } from './link';
import { isGenuine } from './marker';
import { commitOf } from './position';
import { previousKeyOf, type RecordChange } from './record-change';

/**
 * Folds events (in stream order) to one change per transaction and record.
 *
 * @param macKey - the store's secret, to tell our markers from forged ones
 */
export function foldEvents(events: readonly ChangeEvent[], macKey: string): RecordChange[] {
	const fold = new Fold();
	for (const event of events) {
		if (event.op === 't') continue; // It speaks of no record; see `holdTruncates`.
		const single = changeOf(event, macKey);
		if (event.part === undefined && event.op !== 'p') fold.addRow(single, event);
		else fold.addBeside(single, event);
	}
	return fold.changes();
}

/** What a transaction has done to a record so far. */
interface Folding {
	change: RecordChange;
	/** The record was made in this transaction: nobody knows it by an earlier key. */
	isBorn: boolean;
	/** What it did to rows of the record's parts. */
	readonly parts: PartRows;
}

class Fold {
	/** In the order of last events. */
	readonly #all = new Set<Folding>();
	/** By the record's key now; several when it was others' before. */
	readonly #at = new Map<string, Folding[]>();
	/** By a key that a record has left in this transaction, for parts that follow their record or stay behind. */
	readonly #left = new Map<string, Folding>();

	addRow(single: RecordChange, event: ChangeEvent): void {
		const from = recordId(single, single.previousKey ?? single.key);
		const earlier = this.#candidates(from).filter(({ change }) => isSameRecord(change, single, event)).at(-1);
		const folding = earlier ?? { change: single, isBorn: event.op === 'c', parts: partsGone(event.missing) };
		if (earlier) {
			this.#remove(earlier);
			if (earlier.change.rowStays && single.exists !== null) earlier.isBorn = event.op === 'c';
			earlier.change = combine(earlier.change, single, earlier.isBorn);
		}
		const to = recordId(folding.change, folding.change.key);
		if (to !== from) {
			this.#left.set(from, folding);
			this.#takeIn(folding, to);
		}
		this.#add(folding);
	}

	/**
	 * What leaves the main row as it is. A part goes with the record that has its key; one that was taken away, or
	 * changed, may be of a record that has left it.
	 */
	addBeside(single: RecordChange, event: ChangeEvent): void {
		const id = recordId(single, single.key);
		const there = this.#candidates(id).at(-1) ?? (event.op === 'c' ? undefined : this.#left.get(id));
		const own = { ...single, exists: true, rowStays: true, columns: {}, unchanged: [] } as const;
		const isOurs = there !== undefined && isSameRecord(there.change, single, { before: null });
		const folding = isOurs ? there : { change: own, isBorn: false, parts: partsGone(undefined) };
		if (isOurs) {
			this.#remove(there);
			there.change = carriedOn(there.change, own);
		}
		if (event.part !== undefined) partsOf(folding.parts, event.part, event);
		this.#add(folding);
	}

	changes(): RecordChange[] {
		return [...this.#all].map(({ change, parts }) => withParts(change, parts));
	}

	#candidates(id: string): readonly Folding[] {
		return this.#at.get(id) ?? [];
	}

	/** Parts that have come to a key before their record did. */
	#takeIn(folding: Folding, id: string): void {
		for (const waiting of this.#candidates(id).filter(({ change }) => change.rowStays)) {
			this.#remove(waiting);
			takeOver(folding.parts, waiting.parts);
			const { firstPosition } = waiting.change;
			if (firstPosition < folding.change.firstPosition) folding.change = { ...folding.change, firstPosition };
		}
	}

	#add(folding: Folding): void {
		this.#all.add(folding);
		// A row that moves to the key of one that was deleted is another record: the delete stays a change.
		const id = recordId(folding.change, folding.change.key);
		this.#at.set(id, [...this.#candidates(id), folding]);
	}

	#remove(folding: Folding): void {
		this.#all.delete(folding);
		const id = recordId(folding.change, folding.change.key);
		this.#at.set(id, this.#candidates(id).filter((other) => other !== folding));
	}
}

/**
 * Whether an event goes on with what the transaction has done to the record under its key. Not when
 * another link's write follows ours, which deleted the row; and not when the row was another one:
 * with a deferrable key two rows may share a key until the commit.
 */
function isSameRecord(earlier: RecordChange, { marker }: RecordChange, { before }: Pick<ChangeEvent, 'before'>): boolean {
	if (earlier.marker !== null && marker !== null && earlier.marker.link !== marker.link) return false;
	if (earlier.exists !== true || before === null) return true;
	return isSameRow(earlier.columns, before);
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
		...(event.source.restoredTo === undefined ? {} : { restoredTo: event.source.restoredTo }),
		...(event.source.fresh === undefined ? {} : { fresh: event.source.fresh }),
	};
}

/** @param isBorn - the record was made in this transaction: nobody knows it by an earlier key */
function combine(earlier: RecordChange, later: RecordChange, isBorn: boolean): RecordChange {
	const rowChanged = later.exists !== null;
	const kept = rowChanged && later.exists ? keptColumns(earlier.columns, later.unchanged) : {};
	const key = later.key ?? earlier.key;
	const first = isBorn ? null : (earlier.previousKey ?? later.previousKey);
	const image = rowChanged ? { ...kept, ...later.columns } : earlier.columns;
	return {
		...later,
		...(rowChanged || earlier.rowStays === undefined ? {} : { rowStays: earlier.rowStays }),
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

/** What a record's parts add to a change: where it ends, and whose it is. */
function carriedOn(earlier: RecordChange, later: RecordChange): RecordChange {
	const { position, tsMs, snapshot, marker, forged } = later;
	return {
		...earlier,
		...(earlier.exists === null ? { exists: true, rowStays: true } : {}),
		position,
		tsMs,
		snapshot,
		marker: marker ?? earlier.marker,
		forged: earlier.forged || forged,
	};
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
