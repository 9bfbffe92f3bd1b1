import type pg from 'pg';

import { SyncError } from '../core/errors';
import { parseLsn } from '../core/lsn';
import { connect, connectForReplication, type PgSettings } from './connect';
import { requireFailoverSlots } from './failover-slot';
import { slotCreationError } from './slot';
import { ident, query, toSyncError } from './sql';

/** A slot that was just made, and the snapshot that ends exactly where its changes begin. */
export interface NewSlot {
	/** Every transaction in the snapshot committed before, every other one comes through the slot. */
	readonly consistentLsn: bigint;
	/** For `set transaction snapshot`, in any number of sessions, until {@link NewSlot.release}. */
	readonly snapshotName: string;
	/** Ends the session that holds the snapshot open. The slot stays. */
	release(): Promise<void>;
}

export interface SlotOptions {
	readonly name: string;
	/**
	 * How long to wait for the transactions that are open when the slot is made; default 60,000. One
	 * forgotten session would otherwise block for ever.
	 */
	readonly timeoutMs?: number | undefined;
	/** Gone with the session that makes it: for a snapshot at a known place of the stream. */
	readonly temporary?: boolean | undefined;
	/** Keeps the slot on standby servers too, for a failover (Postgres 17 on). */
	readonly failover?: boolean | undefined;
}

/**
 * Makes a slot for the change stream together with a snapshot of the same instant, so that reading
 * the tables through the snapshot and then the changes through the slot misses and repeats nothing.
 *
 * @throws SyncError SLOT_EXISTS, SLOT_LIMIT, SLOT_BLOCKED, PRIVILEGE_MISSING, INVALID_SETTING (failover before Postgres 17), and those of `connect`
 */
export async function createSlot(settings: PgSettings, options: SlotOptions): Promise<NewSlot> {
	const client = await connectForReplication(settings);
	try {
		const command = await creationCommand(client, options);
		const { timeoutMs = 60_000, name } = options;
		const row = await withDeadline(runCreation(client, command, name), timeoutMs, async () => {
			throw await blockedError(settings, client, name);
		});
		return {
			consistentLsn: parseLsn(row.consistent_point),
			snapshotName: row.snapshot_name,
			release: async () => await client.end(),
		};
	} catch (error) {
		await client.end();
		throw error;
	}
}

interface CreatedSlotRow extends pg.QueryResultRow {
	readonly consistent_point: string;
	readonly snapshot_name: string;
}

async function creationCommand(
	client: pg.Client,
	{ name, failover, temporary }: SlotOptions,
): Promise<string> {
	const kind = temporary ? 'TEMPORARY LOGICAL' : 'LOGICAL';
	const command = `CREATE_REPLICATION_SLOT ${ident(name)} ${kind} pgoutput`;
	if (!failover) return `${command} EXPORT_SNAPSHOT`;
	await requireFailoverSlots(client);
	return `${command} (SNAPSHOT 'export', FAILOVER true)`;
}

async function runCreation(
	client: pg.Client,
	command: string,
	name: string,
): Promise<CreatedSlotRow> {
	try {
		const [row] = await query<CreatedSlotRow>(client, command);
		if (!row)
			throw new SyncError('STREAM_FAILED', `The server made slot "${name}" without an answer`);
		return row;
	} catch (error) {
		throw slotCreationError(error, name);
	}
}

async function withDeadline<T>(
	work: Promise<T>,
	timeoutMs: number,
	onTimeout: () => Promise<never>,
): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<'late'>((resolve) => {
		timer = setTimeout(() => resolve('late'), timeoutMs);
	});
	try {
		const first = await Promise.race([work, deadline]);
		if (first !== 'late') return first as T;
		work.catch(() => undefined); // It fails when its session is ended; the timeout is what to report.
		return await onTimeout();
	} finally {
		clearTimeout(timer);
	}
}

/** Ends the waiting session, which would not notice by itself that we left, and names what it waited for. */
async function blockedError(
	settings: PgSettings,
	waiting: pg.Client,
	name: string,
): Promise<Error> {
	const client = await connect(settings);
	try {
		const pid = (waiting as { processID?: number }).processID ?? 0;
		const rows = await query<{
			pid: number;
			application_name: string | null;
			seconds: number | null;
		}>(
			client,
			`select pid, application_name, extract(epoch from now() - xact_start)::int as seconds
			 from pg_stat_activity
			 where pid <> $1 and pid <> pg_backend_pid() and pid = any (pg_blocking_pids($1))`,
			[pid],
		);
		await query(client, 'select pg_terminate_backend($1)', [pid]);
		const holders = rows.map(
			(row) =>
				`process ${row.pid} (${row.application_name ?? '?'}, open for ${row.seconds ?? '?'} s)`,
		);
		const blockers = holders.join(', ') || 'an open transaction';
		return new SyncError(
			'SLOT_BLOCKED',
			`Slot "${name}" could not be made: it waits for ${blockers}`,
		);
	} catch (error) {
		return toSyncError(error, `database "${settings.database}"`);
	} finally {
		await client.end();
	}
}
