import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import { markerPrefix } from '../../src/core/marker';
import { openChangeStream } from '../../src/postgres/change-stream';
import { chain, type EventOrigin } from '../../src/postgres/event-envelope';
import { plainTables } from '../../src/postgres/event-tables';
import type { WantedTable } from '../../src/postgres/preflight-facts';
import { readSnapshot } from '../../src/postgres/snapshot';
import { snapshotEvents } from '../../src/postgres/snapshot-events';
import { readPrimaryKeys, readSourceState } from '../../src/postgres/source-setup';
import { transactionEvents } from '../../src/postgres/transaction-events';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { Batcher } from './batcher';
import type { Log } from './deliver';
import { checkServer, tablesOf, wantedTables } from './prepare';
import type { StoreSource, TableSource, TriggerSettings } from './settings';
import { rowsOf } from '../../src/postgres/snapshot-rows';

const MAX_ITEMS = 20;
/** Rows of each table, when there are no changes to show. */
const MAX_ROWS = 10;
/** How long to wait for changes that the slot still holds. */
const WAIT_MS = 2_000;

export interface ManualRunRequest {
	readonly settings: TriggerSettings;
	/** Gives the sync store, when the trigger has one. */
	readonly withStore: <T>(work: (store: SyncStore) => Promise<T>) => Promise<T>;
	readonly log: Log;
}

/**
 * What a test run in the editor shows: changes that wait in the slot, read through a copy of it, or
 * else some rows as they are. Nothing is consumed, acknowledged or stored; the events carry
 * `test: true`, so that the other nodes only say what they would do.
 *
 * @throws SyncError as an activation would, and NO_SAMPLE when there is nothing to show
 */
export async function sampleEvents(request: ManualRunRequest): Promise<readonly ChangeEvent[]> {
	const { settings, log } = request;
	const { system: server, slot } = await readSourceState(settings.connection, settings.slot);
	const named = await tablesInQuestion(request);
	await checkServer(settings, named.wanted, log);
	const origin: EventOrigin = {
		...named,
		database: settings.connection.database,
		systemId: server.systemId,
	};
	const changes = slot ? await pendingChanges(settings, origin) : [];
	const events = changes.length > 0 ? changes : await someRows(settings, origin, server.walLsn);
	if (events.length === 0) {
		throw new SyncError('NO_SAMPLE', 'The tables are empty and no changes wait to be read');
	}
	return chain(events.slice(0, MAX_ITEMS), null).map((event) => ({ ...event, test: true }));
}

type Named = Pick<EventOrigin, 'system' | 'tables' | 'isMarker' | 'markerSystem'> & {
	readonly wanted: readonly WantedTable[];
};

async function tablesInQuestion({ settings, withStore }: ManualRunRequest): Promise<Named> {
	const { source } = settings;
	if (source.kind === 'tables') return await plainlyNamed(settings, source);
	return await withStore(async (store) => await namedByPolicy(store, source));
}

async function plainlyNamed(
	{ connection }: TriggerSettings,
	{ tables: names }: TableSource,
): Promise<Named> {
	const keyed = await readPrimaryKeys(connection, names);
	return {
		system: connection.database,
		tables: plainTables(keyed),
		isMarker: (prefix) => prefix.startsWith('bisync:'),
		markerSystem: null,
		wanted: keyed.map((table) => ({ ...table, columns: [] })),
	};
}

async function namedByPolicy(
	store: SyncStore,
	{ policy: name, system }: StoreSource,
): Promise<Named> {
	const published = requirePublished(await store.load({ policy: name }), name);
	const { policy } = policyInForce(published);
	const tables = tablesOf(policy, system);
	const prefix = markerPrefix(published.storeId, name);
	return {
		system,
		tables,
		isMarker: (text) => text === prefix,
		markerSystem: system,
		wanted: wantedTables(policy, system, tables),
	};
}

async function pendingChanges(
	settings: TriggerSettings,
	origin: EventOrigin,
): Promise<readonly ChangeEvent[]> {
	const stream = await openChangeStream({
		connection: settings.connection,
		slot: settings.slot,
		publications: [settings.publication],
		temporaryCopy: true,
	});
	try {
		const batcher = new Batcher(stream.transactions(), (transaction) =>
			transactionEvents(transaction, origin),
		);
		const batch = await batcher.take({
			maxChanges: MAX_ITEMS,
			waitMs: () => 0,
			untilMs: performance.now() + WAIT_MS,
		});
		return batch && batch !== 'end' ? batch.events : [];
	} finally {
		await stream.close();
	}
}

async function someRows(
	{ connection }: TriggerSettings,
	origin: EventOrigin,
	lsn: bigint,
): Promise<readonly ChangeEvent[]> {
	const events: ChangeEvent[] = [];
	for (const table of origin.tables.all) {
		for await (const page of readSnapshot({
			connection,
			tables: [table],
			pageSize: MAX_ROWS,
			newestFirst: true,
		})) {
			const place = { lsn, tsMs: Date.now(), index: events.length };
			events.push(...snapshotEvents(rowsOf(page, table), origin, place));
			break;
		}
	}
	return events;
}
