import type { PolicyMode } from './journal';
import type { ReviewKind } from './link';

/** All that is measured of a policy. Times are those of the store's clock, milliseconds since 1970. */
export interface HealthFigures {
	readonly policy: string;
	readonly nowMs: number;
	readonly mode: PolicyMode;
	readonly systems: readonly SystemFigures[];
	/** Scopes that wait for their first contact: a column that is new, gone or of another type. */
	readonly pending: readonly string[];
	readonly queue: Waiting;
	/** By system, writes of which nobody has heard yet. */
	readonly unsettled: Readonly<Record<string, Waiting>>;
	readonly reviews: readonly (Waiting & { readonly kind: ReviewKind })[];
	/** Open questions about changes that may be missing. */
	readonly gaps: readonly Gap[];
	/** What happened between two looks; null: nobody has looked twice. */
	readonly traffic: Traffic | null;
	/** The last comparison of two systems; null: there was none. */
	readonly compared: Comparison | null;
}

export interface Waiting {
	readonly count: number;
	/** How long the one that waits longest has waited at least; null: none does. */
	readonly oldestMs: number | null;
}

export interface Gap {
	readonly system: string;
	readonly sinceMs: number;
}

export interface Traffic {
	readonly overMs: number;
	/** Changes that somebody else made. */
	readonly foreign: number;
	readonly conflicts: number;
	readonly writes: number;
}

export interface Comparison {
	readonly atMs: number;
	readonly differences: number;
}

export interface SystemFigures {
	readonly system: string;
	/** Behind an API, or where tables are polled, there is no log and no slot. */
	readonly hasLog: boolean;
	/** The last time somebody tried; null: nobody has. */
	readonly measured: Measurement | null;
}

/** What was found at one system's database. */
export interface Measurement {
	readonly atMs: number;
	/** Why nothing was found, as a clause without a full stop; null: it was. */
	readonly failure: string | null;
	/** The last time that something was found; null: never. */
	readonly lastGoodMs: number | null;
	/** Null: not found out. */
	readonly slot: SlotFigures | null;
	readonly lag: LagFigures | null;
}

export interface SlotFigures {
	readonly name: string;
	readonly isThere: boolean;
	readonly isActive: boolean;
	/** Since when it was found without a reader each time; null: it has one. */
	readonly idleSinceMs: number | null;
	/** `reserved`, `extended`, `unreserved` or `lost`. */
	readonly walStatus: string | null;
	/** Why the server has given it up; null: it has not. */
	readonly lostBecause: string | null;
	/** Log that it keeps on disk. */
	readonly retainedBytes: number | null;
	/** How much more may be written before it is lost; null: nothing limits it. */
	readonly safeBytes: number | null;
}

/**
 * How far the sync is behind a database, by heartbeats: small messages in its log, of which the store hears with what
 * stands before them. Both ends are timed by the store's clock.
 */
export interface LagFigures {
	/** How long the last heartbeat took; where one has not arrived, how long ago the first of those was sent. */
	readonly ms: number;
	/** The first heartbeat that has not arrived; null: all have. */
	readonly open: { readonly lsn: string; readonly sinceMs: number } | null;
	/** Log between what the store has observed and the last heartbeat. */
	readonly bytes: number;
}
