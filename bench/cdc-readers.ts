import { tmpdir } from 'node:os';

import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';

import { plainTables } from '../src/postgres/event-tables';
import { openChangeStream } from '../src/postgres/change-stream';
import { largeTransactionEvents } from '../src/postgres/large-transaction';
import { takeEvents } from '../src/postgres/take-events';
import type { ConnectionSettings } from '../test/support/embedded-postgres';

/** What one reader is to read: everything in the slot, which ends with so many rows. */
export interface ReadTask {
	readonly reader: 'ours' | 'library' | 'library without acknowledgements';
	readonly settings: ConnectionSettings;
	readonly slot: string;
	readonly publication: string;
	readonly table: string;
	readonly rows: number;
}

/** @returns seconds from the request for the stream until the last row was there */
export async function readAll(task: ReadTask): Promise<number> {
	return task.reader === 'ours' ? await readOurs(task) : await readLibrary(task);
}

/** As the trigger does: to change events, in batches, acknowledged transaction by transaction. */
async function readOurs({ settings, slot, publication, table, rows }: ReadTask): Promise<number> {
	const origin = {
		system: 'source',
		database: settings.database,
		systemId: '1',
		tables: plainTables([{ schema: 'public', table, key: ['id'] }]),
		isMarker: (prefix: string) => prefix.startsWith('bisync:'),
		markerSystem: null,
	};
	const started = performance.now();
	const stream = await openChangeStream({ connection: settings, slot, publications: [publication], spool: { directory: tmpdir(), origin } });
	let seen = 0;
	for await (const transaction of stream.transactions()) {
		const { spool } = transaction;
		if (spool) {
			for await (const events of largeTransactionEvents({ ...transaction, spool }, 1_000)) seen += events.length;
			spool.close();
		} else seen += takeEvents(transaction, origin).length;
		stream.acknowledge(transaction.endLsn);
		if (seen >= rows) break;
	}
	const seconds = (performance.now() - started) / 1_000;
	await stream.close();
	return seconds;
}

async function readLibrary({ reader, settings, slot, publication, rows }: ReadTask): Promise<number> {
	const isSilent = reader === 'library without acknowledgements';
	const service = new LogicalReplicationService(settings, isSilent ? { acknowledge: { auto: false, timeoutSeconds: 0 } } : {});
	const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication], messages: true });
	const started = performance.now();
	let seen = 0;
	const seconds = await new Promise<number>((resolve, reject) => {
		service.on('data', (_lsn: string, message: { tag: string }) => {
			if (message.tag === 'insert' || message.tag === 'update' || message.tag === 'delete') seen++;
			if (seen === rows) resolve((performance.now() - started) / 1_000);
		});
		service.on('error', reject);
		service.subscribe(plugin, slot).catch(reject);
	});
	await service.stop();
	return seconds;
}
