import type pg from 'pg';

import { SyncError } from '../core/errors';
import { parseLsn } from '../core/lsn';
import { codeOf, literal, messageOf, query, type Queryable, toSyncError } from './sql';

/** What the server knows about a replication slot. */
export interface SlotState {
	readonly name: string;
	/** `pgoutput`, or null for a physical slot. */
	readonly plugin: string | null;
	readonly database: string | null;
	readonly isTemporary: boolean;
	/** The server process that reads from the slot now. */
	readonly activePid: number | null;
	/** What that process calls itself, when it may be seen. */
	readonly activeApplication: string | null;
	/** Log from here on is kept for the slot; null when it is lost. */
	readonly restartLsn: bigint | null;
	/** The last acknowledged position. */
	readonly confirmedLsn: bigint | null;
	/** `reserved`, `extended` (beyond max_wal_size), `unreserved` (may go at any time) or `lost`. */
	readonly walStatus: string | null;
	/** How much more can be written until the slot may be lost; null when nothing limits it. */
	readonly safeWalBytes: number | null;
	/** Log kept on disk because of the slot. */
	readonly retainedWalBytes: number | null;
	/** Log between the last acknowledgement and now; also counts what does not concern the slot. */
	readonly unacknowledgedWalBytes: number | null;
	/** Why the slot is lost, where the server says so (Postgres 17 on; 16 on for conflicts). */
	readonly invalidationReason: string | null;
	/** Whether standbys keep it too, for a failover; null before Postgres 17. */
	readonly isFailover: boolean | null;
	/** Whether it was copied from a primary: on a standby nobody can read from it, nor drop it. */
	readonly isSynced: boolean;
	/** Since when nobody reads from it, by the server's clock; null: it is read, or the server does not say (before Postgres 17). */
	readonly inactiveSinceMs: number | null;
}

interface SlotRow {
	/** `pg_replication_slots` has other columns in each version; absent ones are undefined. */
	readonly slot: {
		readonly slot_name: string;
		readonly plugin: string | null;
		readonly database: string | null;
		readonly temporary: boolean;
		readonly active_pid: number | null;
		readonly restart_lsn: string | null;
		readonly confirmed_flush_lsn: string | null;
		readonly wal_status: string | null;
		readonly safe_wal_size: number | null;
		readonly conflicting?: boolean | null;
		readonly invalidation_reason?: string | null;
		readonly failover?: boolean;
		readonly synced?: boolean;
		readonly inactive_since?: string | null;
	};
	readonly application: string | null;
	readonly retained: string | null;
	readonly unacknowledged: string | null;
}

/**
 * Reads a slot's state; any role may. Works in replication sessions too, so it takes no parameters.
 *
 * @returns null when there is no slot of that name
 */
export async function readSlot(db: Queryable, name: string): Promise<SlotState | null> {
	const [row] = await query<SlotRow>(db, `${SLOTS} where s.slot_name = ${literal(name)}`);
	return row ? slotState(row) : null;
}

/** The state of all slots of the server, by name. */
export async function readSlots(db: Queryable): Promise<readonly SlotState[]> {
	return (await query<SlotRow>(db, `${SLOTS} order by s.slot_name`)).map(slotState);
}

const SLOTS = `
	select to_jsonb(s) as slot,
	       (select application_name from pg_stat_activity where pid = s.active_pid) as application,
	       pg_wal_lsn_diff(wal.lsn, s.restart_lsn) as retained,
	       pg_wal_lsn_diff(wal.lsn, s.confirmed_flush_lsn) as unacknowledged
	from pg_replication_slots s,
	     lateral (select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
	                     else pg_current_wal_lsn() end as lsn) wal`;

function slotState({ slot, application, retained, unacknowledged }: SlotRow): SlotState {
	return {
		name: slot.slot_name,
		plugin: slot.plugin,
		database: slot.database,
		isTemporary: slot.temporary,
		activePid: slot.active_pid,
		activeApplication: application,
		restartLsn: slot.restart_lsn === null ? null : parseLsn(slot.restart_lsn),
		confirmedLsn: slot.confirmed_flush_lsn === null ? null : parseLsn(slot.confirmed_flush_lsn),
		walStatus: slot.wal_status,
		safeWalBytes: slot.safe_wal_size,
		retainedWalBytes: retained === null ? null : Number(retained),
		unacknowledgedWalBytes: unacknowledged === null ? null : Number(unacknowledged),
		invalidationReason: slot.invalidation_reason ?? (slot.conflicting ? 'conflict' : null),
		isFailover: slot.failover ?? null,
		isSynced: slot.synced ?? false,
		inactiveSinceMs: slot.inactive_since ? Date.parse(slot.inactive_since) : null,
	};
}

/**
 * Why changes cannot be read from a slot, or null when they can. Pure.
 *
 * A slot that is missing or lost is never replaced here: a new one would start at the present, and the
 * changes in between would be gone without a word.
 */
export function slotProblem(
	slot: SlotState | null,
	name: string,
	database: string,
): SyncError | null {
	if (!slot) return new SyncError('SLOT_MISSING', `There is no replication slot "${name}"`);
	if (slot.plugin !== 'pgoutput') {
		return new SyncError(
			'SLOT_UNUSABLE',
			`Slot "${name}" is ${slot.plugin ?? 'physical'}, not pgoutput`,
		);
	}
	if (slot.database !== database) {
		return new SyncError('SLOT_UNUSABLE', `Slot "${name}" belongs to database "${slot.database}"`);
	}
	if (slot.walStatus === 'lost' || slot.invalidationReason !== null) {
		const reason = slot.invalidationReason ?? 'log removed';
		return new SyncError('SLOT_LOST', `Slot "${name}" lost its place in the log (${reason})`);
	}
	return null;
}

/** The slot is in use; says by whom. */
export function slotBusy(name: string, slot: SlotState | null, cause?: unknown): SyncError {
	const application = slot?.activeApplication ? ` (${slot.activeApplication})` : '';
	const holder = slot?.activePid ? `process ${slot.activePid}${application}` : 'another process';
	return new SyncError('SLOT_BUSY', `Slot "${name}" is being read by ${holder}`, {
		cause,
		details: { pid: slot?.activePid ?? null, application: slot?.activeApplication ?? null },
	});
}

/**
 * Drops a slot; the log kept for it is freed.
 *
 * @returns false when there was none
 * @throws SyncError SLOT_BUSY while somebody reads from it
 */
export async function dropSlot(db: Queryable, name: string): Promise<boolean> {
	const slot = await readSlot(db, name);
	if (!slot) return false;
	if (slot.activePid !== null) throw slotBusy(name, slot);
	try {
		await query(db, 'select pg_drop_replication_slot($1)', [name]);
	} catch (error) {
		// Somebody began to read from it just now.
		if (codeOf(error) === OBJECT_IN_USE) throw slotBusy(name, await readSlot(db, name), error);
		throw error;
	}
	return true;
}

/**
 * Copies a slot for this replication session alone: it vanishes with the session, and what is
 * acknowledged to it leaves the original where it is. For test runs.
 *
 * @throws SyncError SLOT_LIMIT when all of max_replication_slots are taken
 */
export async function copySlotTemporarily(
	client: pg.Client,
	name: string,
	copy: string,
): Promise<void> {
	const call = `pg_copy_logical_replication_slot(${literal(name)}, ${literal(copy)}, true)`;
	try {
		await query(client, `select ${call}`);
	} catch (error) {
		throw slotCreationError(error, copy);
	}
}

/** A server's identity: a slot of the same name on another one is another slot. */
export interface SystemIdentity {
	/** Made by initdb; a physical copy or a restored backup has the same. */
	readonly systemId: string;
	/** Counts promotions and point-in-time recoveries. */
	readonly timeline: number;
	/** Where the log ends now. */
	readonly walLsn: bigint;
	/** By timeline that it was on before, where it left it. Absent: not asked. */
	readonly leftAt?: ReadonlyMap<number, bigint>;
}

/** @param client - a replication session */
export async function identifySystem(client: pg.Client): Promise<SystemIdentity> {
	const [row] = await query<{ systemid: string; timeline: number; xlogpos: string }>(
		client,
		'IDENTIFY_SYSTEM',
	);
	if (!row) throw new SyncError('STREAM_FAILED', 'The server does not say who it is');
	return { systemId: row.systemid, timeline: Number(row.timeline), walLsn: parseLsn(row.xlogpos) };
}

/**
 * Where a server left the timelines that it was on before: what was written there after that place, it never heard of.
 *
 * Source: "TIMELINE_HISTORY" in the manual's chapter on the streaming replication protocol.
 *
 * @param client - a replication session
 */
export async function readTimelines(client: pg.Client, timeline: number): Promise<ReadonlyMap<number, bigint>> {
	if (timeline === 1) return new Map();
	const [row] = await query<{ content: Buffer | string }>(client, `TIMELINE_HISTORY ${timeline}`);
	const lines = String(row?.content ?? '').split('\n');
	const left = lines.flatMap((line): [number, bigint][] => {
		const [, earlier, lsn] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line) ?? [];
		return earlier === undefined || lsn === undefined ? [] : [[Number(earlier), parseLsn(lsn)]];
	});
	return new Map(left);
}

const OBJECT_IN_USE = '55006';
const DUPLICATE_OBJECT = '42710';
const CONFIGURATION_LIMIT_EXCEEDED = '53400';

/** Why a slot could not be made. */
export function slotCreationError(cause: unknown, name: string): Error {
	const known = toSyncError(cause, `slot "${name}"`);
	if (known instanceof SyncError) return known;
	const state = codeOf(cause);
	if (state === DUPLICATE_OBJECT) {
		return new SyncError('SLOT_EXISTS', `There is a slot "${name}" already`, { cause });
	}
	if (state === CONFIGURATION_LIMIT_EXCEEDED) {
		const message = `All replication slots are taken, none is left for "${name}"`;
		return new SyncError('SLOT_LIMIT', message, { cause });
	}
	return new SyncError('STREAM_FAILED', `Slot "${name}" could not be made: ${messageOf(cause)}`, {
		cause,
	});
}
