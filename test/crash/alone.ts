import pg from 'pg';

import type { PostgresServer } from '../support/embedded-postgres';
import { waitUntil } from '../support/wait-until';

/** Runs a statement that takes no other session in the database. */
export async function alone({ server, database }: { server: PostgresServer; database: string }, statement: string): Promise<void> {
	const client = new pg.Client(server.superuser);
	await client.connect();
	try {
		await waitUntil(statement, async () => {
			await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = any ($1)', [[database, 'copy']]);
			return await client.query(statement).then(() => true, () => false);
		});
	} finally {
		await client.end();
	}
}
