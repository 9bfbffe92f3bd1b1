import type { ChangeEvent, EventSource } from '../core/change-event';
import type { FreshRead } from '../core/fresh-read';
import { formatLsn } from '../core/lsn';
import { type Position, positionsAt } from '../core/position';
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

/** What the events of one transaction have in common. */
export interface EventCommit {
	readonly commitLsn: bigint;
	/** Commit time by the source's clock, milliseconds since 1970. */
	readonly tsMs: number;
	readonly txId: string | null;
	readonly isSnapshot: boolean;
	/** See `RecordChange`. Absent: the system has not been put back. */
	readonly restoredTo?: Position | undefined;
	/** Absent: it is of the stream. */
	readonly fresh?: FreshRead | undefined;
}

export interface EventPlace {
	/** Of the change itself. */
	readonly lsn: bigint;
	/** Among the events of its transaction. */
	readonly index: number;
	/** Null for an event about no table (a marker that stands alone). */
	readonly table: TableName | null;
	/** See `ChangeEvent`. Absent: the transaction comes whole. */
	readonly txRows?: number | undefined;
}

/** An event in its envelope, `prev` yet unknown; see {@link chain}. Equal places give equal ids, also when redelivered. */
export function enveloped(whole: EventBody, origin: EventOrigin, place: EventCommit & EventPlace): ChangeEvent {
	return envelope(origin, place)(whole, place);
}

/** As `enveloped`, of many events of one transaction. */
export function envelope(origin: EventOrigin, commit: EventCommit): (whole: EventBody, place: EventPlace) => ChangeEvent {
	const { system, database, systemId, lineage = 0, shape } = origin;
	const { tsMs, txId, isSnapshot, restoredTo, fresh } = commit;
	const commitLsn = formatLsn(commit.commitLsn);
	const id = `${system}:${systemId}:${commitLsn}:`;
	const positionOf = positionsAt(commit.commitLsn, lineage);
	return (whole, { lsn: at, index, table, txRows }) => {
		const { entity, part, op, key, before, after, unchanged, missing, marker } = shape === undefined ? whole : shape(whole);
		const lsn = formatLsn(at);
		const source: EventSource = {
			connector: 'postgresql',
			db: database,
			schema: table === null ? null : table.schema,
			table: table === null ? null : table.table,
			lsn,
			commitLsn,
			position: positionOf(index),
			prev: null,
			tsMs,
			txId,
			snapshot: isSnapshot,
		};
		if (txRows !== undefined) source.txRows = txRows;
		if (restoredTo !== undefined) source.restoredTo = restoredTo;
		if (fresh !== undefined) source.fresh = fresh;
		// Name by name: copying whatever is there takes ten times as long.
		const event: ChangeEvent = { changeId: `${id}${lsn}:${index}`, system, entity, op, key, before, after, unchanged, marker, source, bisync: {} };
		if (part !== undefined) event.part = part;
		if (missing !== undefined) event.missing = missing;
		return event;
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
