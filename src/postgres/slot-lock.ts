import { SyncError } from '../core/errors';
import { askServer, type PgSettings } from './connect';
import { query } from './sql';

/** Class of the advisory locks that stand for slots: an arbitrary number that nobody else is likely to use. */
const SLOTS = 7_213_405;

/**
 * Does something while nobody else who asks for it makes or drops the slot of this name. The lock is the session's, which has
 * no transaction open: a slot could not be made beside one.
 *
 * @throws SyncError SLOT_BUSY when somebody else is at it, and as `connect`
 */
export async function withSlotLock<T>(settings: PgSettings, slot: string, work: () => Promise<T>): Promise<T> {
	return await askServer(settings, async (client) => {
		const [lock] = await query<{ isOurs: boolean }>(client, 'select pg_try_advisory_lock($1, hashtext($2)) as "isOurs"', [SLOTS, slot]);
		if (!lock?.isOurs) throw new SyncError('SLOT_BUSY', `Slot "${slot}" is being made by somebody else`);
		return await work();
	});
}
