import { parseLsn } from '../core/lsn';
import { PLACE_PREFIX } from './exact-place';
import { query, type Queryable } from './sql';

/**
 * Sends a heartbeat: a small message in the server's log, of which the change stream hears in its turn. It touches no
 * table, and any role may send one. Triggers acknowledge it at once.
 *
 * @returns where the log stood just before its commit
 * @throws SyncError as `query`; the server's own error on a standby, which takes no messages
 */
export async function sendHeartbeat(db: Queryable): Promise<bigint> {
	const [row] = await query<{ lsn: string }>(db, `select pg_logical_emit_message(true, '${PLACE_PREFIX}', 'heartbeat')::text as lsn`);
	return parseLsn(row?.lsn ?? '');
}
