import { setTimeout as sleep } from 'node:timers/promises';

import { parseLsn } from '../core/lsn';
import { askServer, type PgSettings } from './connect';
import { query } from './sql';

/** An instant by the server's clock, and the place in its log that holds whatever was committed before. */
export interface SourceTime {
	/** Milliseconds since 1970. */
	readonly tsMs: number;
	readonly lsn: bigint;
}

/** A transaction takes its time a moment before it is in the log. */
const SETTLED_MS = 1_000;
const FLUSH_CHECK_MS = 50;

/**
 * The server's time, a moment ago, and how far its log goes now. The place is one that a reader of the log comes to: what
 * has been flushed is sent.
 *
 * @throws SyncError as `connect`
 */
export async function readSourceTime(settings: PgSettings): Promise<SourceTime> {
	return await askServer(settings, async (client) => {
		const [now] = await query<{ tsMs: string; inserted: string }>(
			client,
			`select floor(extract(epoch from clock_timestamp()) * 1000)::text as "tsMs",
			        (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end)::text as inserted`,
		);
		const inserted = parseLsn(now?.inserted ?? '0/0');
		for (;;) {
			const [{ flushed: text } = { flushed: '0/0' }] = await query<{ flushed: string }>(
				client,
				`select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end)::text as flushed`,
			);
			const flushed = parseLsn(text);
			if (flushed >= inserted || isSamePlace(flushed, inserted)) return { tsMs: Number(now?.tsMs) - SETTLED_MS, lsn: flushed };
			await sleep(FLUSH_CHECK_MS);
		}
	});
}

/** Pages of the log begin with a header of at most 40 bytes, which nobody has to wait for. */
const PAGE_BYTES = 8192n;
const MAX_HEADER_BYTES = 40n;

function isSamePlace(flushed: bigint, inserted: bigint): boolean {
	return flushed % PAGE_BYTES === 0n && inserted - flushed <= MAX_HEADER_BYTES;
}
