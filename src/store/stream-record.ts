import type { Position } from '../core/position';

/** In place of a slot's name, of a system whose tables are polled; no slot can be called so. */
export const POLLED = '(polling)';

export interface StreamId {
	readonly policy: string;
	readonly system: string;
}

export interface StreamRegistration extends StreamId {
	readonly slot: string;
	/** pg_control_system().system_identifier, so that another server behind the same address is noticed. */
	readonly systemId: string;
	readonly timeline: number;
	/** Hash of the tables and columns whose rows have been read (see `readHash`): what is not in it is yet to be read. */
	readonly filterHash: string;
	/** Where the stream begins. */
	readonly start: Position;
	/** `running` while rows that are there already are being read. */
	readonly snapshot: 'none' | 'running' | 'done';
	/** How far that has come; null when there is nothing to tell. */
	readonly reading?: readonly TableReading[] | null;
	/** All columns of the stream's tables, as labels, when they were last looked at. Absent or null: what was known stays. */
	readonly columns?: readonly string[] | null;
}

/** How far the rows of one table have been read. */
export interface TableReading {
	/** "public.customers". */
	readonly table: string;
	readonly entity: string;
	/** Of the scopes that are read: when others have come to be needed, the table is read anew. */
	readonly hash: string;
	/** `known`: looks for what the store knows of and the table has not; `rows`; `done`. */
	readonly phase: 'known' | 'rows' | 'done';
	/** Where to go on: after this link, or from this key on (as the server prints it). Null: at the beginning. */
	readonly after: string | readonly string[] | null;
	/** Rows read so far; some may count twice, where reading was cut short. */
	readonly rows: number;
	/** By the server's statistics; null when it has none. */
	readonly estimate: number | null;
	/** See `RecordChange`. Absent: the system has not been put back. */
	readonly restoredTo?: Position;
	/** Of rows that somebody asked for: by which request. Absent: the policy needs them. */
	readonly asked?: string;
	/** Of rows that somebody asked for: from this key to that one. Absent: all. */
	readonly range?: { readonly from: readonly string[] | null; readonly to: readonly string[] | null };
	/** Of a table that is polled: the horizon of the last poll, see `poll-horizon.ts`. Absent: it is read whole. */
	readonly horizon?: string;
}

export interface StreamRecord extends StreamRegistration {
	readonly reading: readonly TableReading[] | null;
	readonly columns: readonly string[] | null;
	/** The last event observed; moved by `commit` alone. */
	readonly position: Position;
	/** The last LSN given to `recordAcknowledged`, or null. */
	readonly acknowledgedLsn: string | null;
}
