import { randomBytes } from 'node:crypto';

import { connect, connectForReplication, type PgSettings } from './connect';
import { createSlot } from './create-slot';
import { identifySystem, type SystemIdentity } from './slot';
import { openSnapshot, type SnapshotSession } from './snapshot';
import { query } from './sql';

/** The tables of a database as they were at one place of its log: with every transaction that ends before, and none after. */
export interface ExactPlace {
	readonly lsn: bigint;
	readonly server: SystemIdentity;
	readonly snapshot: SnapshotSession;
	close(): Promise<void>;
}

/**
 * The prefix of an empty message by which a stream that has nothing else to send comes past a place at once, instead of
 * at its next keepalive. Triggers acknowledge it without waiting; to all others it is foreign traffic.
 */
export const PLACE_PREFIX = 'bisync-place';

/**
 * Looks up a place by a slot that lives for a moment. Making it waits for the transactions that are open now.
 *
 * @param name - what the slot's name begins with
 * @throws SyncError SLOT_BLOCKED, SLOT_LIMIT, PRIVILEGE_MISSING, and those of `connect`
 */
export async function openExactPlace(settings: PgSettings, name: string): Promise<ExactPlace> {
	const server = await identityOf(settings);
	const slot = await createSlot(settings, { name: `${name.slice(0, 50)}_${randomBytes(4).toString('hex')}`, temporary: true });
	try {
		const [snapshot] = await Promise.all([openSnapshot(settings, slot.snapshotName), moveOn(settings)]);
		return { lsn: slot.consistentLsn, server, snapshot, close: async () => await snapshot.close() };
	} finally {
		await slot.release();
	}
}

async function identityOf(settings: PgSettings): Promise<SystemIdentity> {
	const client = await connectForReplication(settings);
	try {
		return await identifySystem(client);
	} finally {
		await client.end();
	}
}

/** Never fails: without the message the stream comes past the place a little later. */
async function moveOn(settings: PgSettings): Promise<void> {
	const client = await connect(settings).catch(() => null);
	if (client === null) return;
	await query(client, `select pg_logical_emit_message(true, '${PLACE_PREFIX}', '')`).catch(() => undefined);
	await client.end().catch(() => undefined);
}
