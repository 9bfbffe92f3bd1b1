import { say, timed } from '../demo/progress';
import { type ConnectionSettings, startPostgres } from '../test/support/embedded-postgres';
import { createTable, fillTable, type Side, timeToEquality, withClient } from './wide-table';

const TABLE = 'public.records';

/**
 * The yardstick: Postgres' own logical replication in both directions, each subscription taking only
 * what was written on the other side itself (`origin = none`). It replicates rows and knows nothing of
 * fields, conflicts or other schemas.
 */
export async function runNativeBench(
	rows: number,
	closeOnExit: (close: () => Promise<void>) => void,
): Promise<{ readonly seconds: number }> {
	const server = await timed(
		'starting Postgres 18 for native replication',
		async () => await startPostgres({ version: 18 }),
	);
	closeOnExit(async () => await server.stop());
	const [left, right] = [
		await server.createDatabase('left_side'),
		await server.createDatabase('right_side'),
	];
	for (const settings of [left, right]) {
		await withClient(settings, async (client) => {
			await client.query(createTable(TABLE));
			await client.query(`alter table ${TABLE} replica identity full`);
			await client.query(fillTable(TABLE, 2 * rows));
			await client.query(`create publication everything for table ${TABLE}`);
		});
	}
	await subscribe(left, right, 'from_right');
	await subscribe(right, left, 'from_left');
	const sides: [Side, Side] = [
		{ settings: left, table: TABLE, first: 1, count: rows },
		{ settings: right, table: TABLE, first: rows + 1, count: rows },
	];
	say('native replication: both sides change their rows …');
	const { writing, equal } = await timeToEquality(sides, async () => undefined);
	say(`  written in ${writing.toFixed(2)} s, equal after ${equal.toFixed(2)} s`);
	await server.stop();
	return { seconds: equal };
}

/** The slot is made beforehand: in one server, a subscription that makes it would wait for itself. */
async function subscribe(
	to: ConnectionSettings,
	from: ConnectionSettings,
	slot: string,
): Promise<void> {
	await withClient(from, async (client) => {
		await client.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
	});
	const address = `host=${from.host} port=${from.port} dbname=${from.database} user=${from.user} password=${from.password}`;
	await withClient(to, async (client) => {
		await client.query(
			`create subscription ${slot} connection '${address}' publication everything
			 with (origin = none, copy_data = false, create_slot = false, slot_name = '${slot}')`,
		);
	});
}
