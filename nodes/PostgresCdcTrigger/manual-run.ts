import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import { markerPrefix } from '../../src/core/marker';
import { openChangeStream } from '../../src/postgres/change-stream';
import { chain, type EventOrigin } from '../../src/postgres/event-envelope';
import { plainTables } from '../../src/postgres/event-tables';
import type { WantedTable } from '../../src/postgres/preflight-facts';
import { PollSnapshot } from '../../src/postgres/poll-snapshot';
import { readSnapshot } from '../../src/postgres/snapshot';
import { snapshotEvents } from '../../src/postgres/snapshot-events';
import { readSourceState } from '../../src/postgres/source-setup';
import { takeEvents } from '../../src/postgres/take-events';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import { Batcher } from './batcher';
import type { Log } from './deliver';
import { isWanted, policyShape } from './event-shapes';
import { checkPolled, checkServer, tablesOf, wantedTables } from './prepare';
import type { StoreSource, TableSource, TriggerSettings } from './settings';
import { lookAtTables } from './table-look';
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
	if (takesNoLog(settings)) return await polledSample(request);
	const { system: server, slot } = await readSourceState(settings.connection, settings.slot);
	const named = await tablesInQuestion(request);
	const { source } = settings;
	const operations = source.kind === 'tables' ? source.operations : undefined;
	await checkServer({ ...settings, operations }, named.wanted, log);
	const origin: EventOrigin = {
		...named,
		database: settings.connection.database,
		systemId: server.systemId,
	};
	const pending = slot ? await pendingChanges(settings, origin) : [];
	const changes = pending.filter((event) => operations === undefined || isWanted(event, operations));
	return asSample(changes.length > 0 ? changes : await someRows(settings, origin, { lsn: server.walLsn, wanted: named.wanted }));
}

/** Whether an activation would read tables alone. */
function takesNoLog({ polling, source }: TriggerSettings): boolean {
	return polling !== null || (source.kind === 'tables' && source.rows === 'only');
}

/** A poll has no changes that wait: rows as they are. */
async function polledSample(request: ManualRunRequest): Promise<readonly ChangeEvent[]> {
	const { connection } = request.settings;
	const named = await tablesInQuestion(request);
	await checkPolled(connection, named.wanted, request.log);
	const snapshot = await PollSnapshot.open(connection);
	const { server } = snapshot.moment;
	await snapshot.close();
	const origin: EventOrigin = { ...named, database: connection.database, systemId: server.systemId };
	return asSample(await someRows(request.settings, origin, { lsn: server.walLsn, wanted: named.wanted }));
}

function asSample(events: readonly ChangeEvent[]): readonly ChangeEvent[] {
	if (events.length === 0) throw new SyncError('NO_SAMPLE', 'The tables are empty and no changes wait to be read');
	return chain(events.slice(0, MAX_ITEMS), null).map((event) => ({ ...event, test: true }));
}

type Named = Pick<EventOrigin, 'system' | 'tables' | 'isMarker' | 'markerSystem' | 'shape'> & {
	readonly wanted: readonly WantedTable[];
};

async function tablesInQuestion({ settings, withStore }: ManualRunRequest): Promise<Named> {
	const { source } = settings;
	if (source.kind === 'tables') return await plainlyNamed(settings, source);
	return await withStore(async (store) => await namedByPolicy(store, source));
}

async function plainlyNamed(settings: TriggerSettings, source: TableSource): Promise<Named> {
	const { wanted, shape } = await lookAtTables({ ...settings, isPublished: !takesNoLog(settings) }, source);
	return {
		system: settings.connection.database,
		tables: plainTables(wanted),
		isMarker: (prefix) => prefix.startsWith('bisync:'),
		markerSystem: null,
		shape,
		wanted,
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
		shape: policyShape(policy, system),
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
			takeEvents(transaction, origin),
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
	{ lsn, wanted }: { readonly lsn: bigint; readonly wanted: readonly WantedTable[] },
): Promise<readonly ChangeEvent[]> {
	const events: ChangeEvent[] = [];
	for (const table of origin.tables.all) {
		const where = wanted.find((one) => one.schema === table.schema && one.table === table.table)?.rowFilter;
		for await (const page of readSnapshot({
			connection,
			tables: [table],
			where,
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
