import type pg from 'pg';

import { waitUntil } from './wait-until';

/** Waits until everything committed so far lies before the horizon of every later snapshot: other tests on the server have transactions open. */
export async function untilAllSeen(pool: pg.Pool): Promise<void> {
	const { rows } = await pool.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
	await waitUntil('older transactions on the server to end', async () => {
		const found = await pool.query<{ past: boolean }>('select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 as past', [rows[0]?.xid]);
		return found.rows[0]?.past;
	});
}
