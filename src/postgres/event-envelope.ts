import type { ChangeEvent } from '../core/change-event';
import type { FreshRead } from '../core/fresh-read';
import { formatLsn } from '../core/lsn';
import { type Position, positionOf } from '../core/position';
import type { EventTables } from './event-tables';
import type { TableName } from './publication';

/** Where changes come from, and which of them are events. */
export interface EventOrigin {
	/** The system's name in the policy. */
	readonly system: string;
	/** The database's name. */
	readonly database: string;
	/** The server's identity; the same positions of another server are other positions. */
	readonly systemId: string;
	readonly tables: EventTables;
	/** Whether a message with this prefix is one of our markers. */
	readonly isMarker: (prefix: string) => boolean;
	/** Of the stream; see `inLineage`. Absent: 0. */
	readonly lineage?: number;
	/** Markers of writes to other systems, which share the database, are left out; null: none are. */
	readonly markerSystem: string | null;
	/** What of an event may leave: columns, masked ones. Absent: all of it. */
	readonly shape?: (body: EventBody) => EventBody;
}

/** What an event says, without where it stands. */
export type EventBody = Pick<
	ChangeEvent,
	'entity' | 'part' | 'op' | 'key' | 'before' | 'after' | 'unchanged' | 'missing' | 'marker'
>;

export interface EventPlace {
	readonly commitLsn: bigint;
	/** Of the change itself. */
	readonly lsn: bigint;
	/** Among the events of its transaction. */
	readonly index: number;
	/** Null for an event about no table (a marker that stands alone). */
	readonly table: TableName | null;
	/** Commit time by the source's clock, milliseconds since 1970. */
	readonly tsMs: number;
	readonly txId: string | null;
	readonly isSnapshot: boolean;
	/** See `ChangeEvent`. Absent: the transaction comes whole. */
	readonly txRows?: number | undefined;
	/** See `RecordChange`. Absent: the system has not been put back. */
	readonly restoredTo?: Position | undefined;
	/** Absent: it is of the stream. */
	readonly fresh?: FreshRead | undefined;
}

/** An event in its envelope, `prev` yet unknown; see {@link chain}. Equal places give equal ids, also when redelivered. */
export function enveloped(whole: EventBody, origin: EventOrigin, place: EventPlace): ChangeEvent {
	const { system, database, systemId, lineage = 0 } = origin;
	const body = origin.shape?.(whole) ?? whole;
	const commitLsn = formatLsn(place.commitLsn);
	const lsn = formatLsn(place.lsn);
	return {
		changeId: `${system}:${systemId}:${commitLsn}:${lsn}:${place.index}`,
		system,
		...body,
		source: {
			connector: 'postgresql',
			db: database,
			schema: place.table?.schema ?? null,
			table: place.table?.table ?? null,
			lsn,
			commitLsn,
			position: positionOf(place.commitLsn, place.index, lineage),
			prev: null,
			tsMs: place.tsMs,
			txId: place.txId,
			snapshot: place.isSnapshot,
			...(place.txRows === undefined ? {} : { txRows: place.txRows }),
			...(place.restoredTo === undefined ? {} : { restoredTo: place.restoredTo }),
			...(place.fresh === undefined ? {} : { fresh: place.fresh }),
		},
		bisync: {},
	};
}

/**
 * Gives each event its predecessor in the stream, so that a gap is seen by whoever reads them.
 *
 * @param prev - the last event emitted before; null when nobody keeps count
 */
export function chain(events: readonly ChangeEvent[], prev: Position | null): ChangeEvent[] {
	let last = prev;
	return events.map((event) => {
		const linked = { ...event, source: { ...event.source, prev: last } };
		if (prev !== null) last = event.source.position;
		return linked;
	});
}
