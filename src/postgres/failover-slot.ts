import { SyncError } from '../core/errors';
import { answeringSoon, connectForReplication, type PgSettings } from './connect';
import { readSlot, slotBusy } from './slot';
import { codeOf, ident, query, type Queryable } from './sql';

/** Slots that a standby keeps up with came with Postgres 17. */
export const FAILOVER_SINCE = 170_000;

/** @throws SyncError INVALID_SETTING where the server knows no failover slots */
export async function requireFailoverSlots(db: Queryable): Promise<void> {
	const [server] = await query<{ server_version_num: string }>(db, 'show server_version_num');
	const version = Number(server?.server_version_num);
	if (version >= FAILOVER_SINCE) return;
	throw new SyncError('INVALID_SETTING', `"Failover Slot" is on, but the server is Postgres ${Math.floor(version / 10_000)}: a standby keeps slots from Postgres 17 on`);
}

const OBJECT_IN_USE = '55006';

/**
 * Makes a slot that is there one that standbys keep, or one that they do not.
 *
 * Source: "ALTER_REPLICATION_SLOT" in the manual's chapter on the streaming replication protocol (Postgres 17 on).
 *
 * @returns whether it was otherwise before
 * @throws SyncError INVALID_SETTING before Postgres 17, SLOT_BUSY while somebody reads from it, STREAM_FAILED with the command to run
 */
export async function alignFailover(settings: PgSettings, name: string, wanted: boolean): Promise<boolean> {
	const client = await connectForReplication(answeringSoon(settings));
	try {
		if (wanted) await requireFailoverSlots(client);
		const slot = await readSlot(client, name);
		if (slot === null || slot.isFailover === null || slot.isFailover === wanted) return false;
		if (slot.activePid !== null) throw slotBusy(name, slot);
		const command = `ALTER_REPLICATION_SLOT ${ident(name)} (FAILOVER ${wanted})`;
		try {
			await query(client, command);
		} catch (cause) {
			if (cause instanceof SyncError) throw cause;
			if (codeOf(cause) === OBJECT_IN_USE) throw slotBusy(name, await readSlot(client, name), cause);
			const message = `Slot "${name}" could not be altered. In a replication session (psql "replication=database …") run: ${command}`;
			throw new SyncError('STREAM_FAILED', message, { cause });
		}
		return true;
	} finally {
		await client.end();
	}
}
