import { waitUntil } from '../test/support/wait-until';
import type { DemoDatabases } from './databases';
import { activate, type SyncInN8n } from './start-sync';

/** Stops the sync, does something, and starts it again: so that two edits are made unseen by each other. */
export async function whileHeld(sync: SyncInN8n, work: () => Promise<unknown>): Promise<void> {
	await sync.client.deactivate(sync.sync.id);
	await waitUntil('the sync to stop', async () => (await activeSlots(sync.databases)) === 0);
	await work();
	await activate(sync.client, sync.sync.id);
}

/** How many of the sync's change streams are being read now. */
export async function activeSlots({ n8n }: DemoDatabases): Promise<number> {
	const { rows } = await n8n.query<{ count: number }>(
		`select count(*)::int as count from pg_replication_slots where active and slot_name like 'bisync%'`,
	);
	return rows[0]?.count ?? 0;
}
