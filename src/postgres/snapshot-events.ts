import type { Json } from '../core/canonical-json';
import type { ChangeEvent } from '../core/change-event';
import type { FreshRead } from '../core/fresh-read';
import type { Key } from '../core/link';
import type { Marker } from '../core/marker';
import type { Position } from '../core/position';
import { enveloped, type EventBody, type EventOrigin } from './event-envelope';
import type { EventTable } from './event-tables';

/** What is known of the moment of a snapshot. */
export type SnapshotChange =
	| {
			readonly kind: 'row';
			readonly table: EventTable;
			readonly values: Readonly<Record<string, Json>>;
			/** Parts without a row. Absent: none. */
			readonly missing?: readonly string[] | undefined;
			/** What is known of how the row came to be so. Absent: nothing. */
			readonly op?: 'c' | 'u' | undefined;
			/** Of our write, where nobody has changed the row since. Absent: there is none. */
			readonly marker?: Marker | undefined;
	  }
	/** A record that was there once and is not in the snapshot. */
	| { readonly kind: 'gone'; readonly entity: string; readonly key: Key; readonly table?: EventTable | undefined }
	/** What is held to have become of a write whose own marker can never come any more. */
	| { readonly kind: 'marker'; readonly marker: Marker };

/** The snapshot of a new slot, as a place in the stream. */
export interface SnapshotPlace {
	/** From {@link snapshotLsn}. */
	readonly lsn: bigint;
	/** By our clock, milliseconds since 1970; shown, never compared. */
	readonly tsMs: number;
	/** See `RecordChange`. */
	readonly restoredTo?: Position | undefined;
	/** Absent: the snapshot is handed over in the stream, at its place. */
	readonly fresh?: FreshRead | undefined;
	/** How many rows of the table come before, and how many it has, by the server's statistics. Absent: not counted. */
	readonly reading?: { readonly before: number; readonly estimate: number | null; readonly asked?: string | undefined } | undefined;
	/** Of the first event. They are counted from 1 over the whole snapshot, for 0 is where the stream starts. */
	readonly index: number;
}

/**
 * Where the snapshot of a new slot stands in the order of commits: after all that it contains and
 * before all that comes through the slot. One byte before the consistent point, where no commit
 * can be: the first commit may stand at the consistent point itself.
 */
export function snapshotLsn(consistentLsn: bigint): bigint {
	return consistentLsn - 1n;
}

/**
 * Events of a snapshot, which is one virtual transaction.
 *
 * @throws SyncError KEY_INCOMPLETE for a row whose key is null
 */
export function snapshotEvents(
	changes: readonly SnapshotChange[],
	origin: EventOrigin,
	{ lsn, tsMs, index, restoredTo, fresh, reading }: SnapshotPlace,
): ChangeEvent[] {
	return changes.map((change, offset) => {
		const event = enveloped(bodyOf(change), origin, {
			commitLsn: lsn,
			lsn,
			index: index + offset,
			table: change.kind === 'marker' ? null : (change.table ?? null),
			tsMs,
			txId: null,
			isSnapshot: true,
			restoredTo,
			fresh,
		});
		if (reading && change.kind === 'row') event.source.reading = { rows: reading.before + offset + 1, of: reading.estimate, ...(reading.asked === undefined ? {} : { asked: reading.asked }) };
		return event;
	});
}

function bodyOf(change: SnapshotChange): EventBody {
	const nothing = { before: null, after: null, unchanged: [], marker: null };
	switch (change.kind) {
		case 'row': {
			const { table, values, missing = [], op = 'r', marker = null } = change;
			const body: EventBody = { ...nothing, entity: table.entity, op, key: table.keyOf(values), after: values, marker };
			return missing.length > 0 ? { ...body, missing: [...missing] } : body;
		}
		case 'gone':
			return { ...nothing, entity: change.entity, op: 'd', key: { ...change.key } };
		case 'marker': {
			const { marker } = change;
			return { ...nothing, entity: marker.entity, op: 'm', key: { ...marker.key }, marker };
		}
	}
}
