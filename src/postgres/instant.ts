import { parseLsn } from '../core/lsn';
import { connect, type PgSettings } from './connect';
import { beginSnapshot } from './snapshot';
import { query } from './sql';

/** One instant of a database, for several sessions. Takes no replication, and nothing tells which changes came before it. */
export interface Instant {
	/** For `set transaction snapshot`, until {@link Instant.release}. */
	readonly snapshotName: string;
	readonly systemId: string;
	/** About where the server's log ended. */
	readonly walLsn: bigint;
	release(): Promise<void>;
}

/** @throws SyncError those of `connect` */
export async function openInstant(settings: PgSettings): Promise<Instant> {
	const client = await connect(settings);
	try {
		await beginSnapshot(client);
		const [row] = await query<{ name: string; systemId: string; lsn: string }>(
			client,
			`select pg_export_snapshot() as name, (select system_identifier::text from pg_control_system()) as "systemId",
			        (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end)::text as lsn`,
		);
		const { name = '', systemId = '', lsn = '0/0' } = row ?? {};
		return { snapshotName: name, systemId, walLsn: parseLsn(lsn), release: async () => await client.end() };
	} catch (error) {
		await client.end();
		throw error;
	}
}
