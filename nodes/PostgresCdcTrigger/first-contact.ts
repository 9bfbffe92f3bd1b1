import type { ChangeEvent } from '../../src/core/change-event';
import { formatLsn } from '../../src/core/lsn';
import { positionOf, STREAM_START } from '../../src/core/position';
import { createSlot, type NewSlot } from '../../src/postgres/create-slot';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { readSnapshot, type SnapshotPage } from '../../src/postgres/snapshot';
import {
	type SnapshotChange,
	snapshotEvents,
	snapshotLsn,
} from '../../src/postgres/snapshot-events';
import { type Relation, rowValues } from '../../src/postgres/source-transaction';
import { clearTheWay } from '../../src/postgres/source-setup';
import type { StreamRecord, StreamRegistration, SyncStore } from '../../src/store/sync-store';
import type { Delivery, Log } from './deliver';
import { KnownRecords } from './known-records';
import type { Prepared } from './prepare';
import { filterHash } from './registration';
import type { StoreSource, TriggerSettings } from './settings';

export interface BeginRequest {
	readonly store: SyncStore;
	readonly settings: TriggerSettings;
	readonly source: StoreSource;
	readonly prepared: Prepared;
	readonly origin: EventOrigin;
	readonly log: Log;
	/** Makes the delivery that starts from this record. */
	readonly startDelivery: (record: StreamRecord) => Delivery;
}

/**
 * Begins a stream: publication, slot, and the rows that are there, as they were at the instant from
 * which on the slot has all changes. The rows go through the workflow like changes; the store marks
 * the stream `running` before and `done` after, so that a beginning that was cut short is begun again.
 *
 * @returns the delivery, to go on with; null when the trigger was to stop first
 */
export async function beginStream(request: BeginRequest): Promise<Delivery | null> {
	const { store, settings, source, prepared, log } = request;
	const registration = registrationOf(request);
	// After a gap the rows are read whatever the settings say: that is what was agreed to.
	const reads = source.readsExisting || (prepared.record?.acknowledgedLsn ?? null) !== null;
	// Before the slot is made: a slot without a record would look like somebody else's.
	await store.registerStream({ ...registration, start: STREAM_START });
	await clearTheWay(settings.connection, {
		publication: settings.publication,
		tables: prepared.tables.all,
		staleSlot: prepared.decision.kind === 'begin' ? prepared.decision.staleSlot : null,
	});
	const slot = await createSlot(settings.connection, { name: settings.slot });
	try {
		const start = positionOf(snapshotLsn(slot.consistentLsn), 0);
		const record = await store.registerStream({ ...registration, start });
		await store.recordAcknowledged(source, formatLsn(slot.consistentLsn));
		const delivery = request.startDelivery(record);
		if (reads) {
			log.info(`Reading the rows of ${prepared.tables.all.length} tables of ${source.system}`);
			if (!(await deliverSnapshot(request, slot, delivery))) return null;
		}
		await store.registerStream({
			...registration,
			start,
			snapshot: reads ? 'done' : 'none',
		});
		return delivery;
	} finally {
		await slot.release();
	}
}

function registrationOf({
	settings,
	source,
	prepared,
}: BeginRequest): Omit<StreamRegistration, 'start'> {
	return {
		policy: source.policy,
		system: source.system,
		slot: settings.slot,
		systemId: prepared.server.systemId,
		timeline: prepared.server.timeline,
		filterHash: filterHash(prepared.tables.all),
		snapshot: 'running',
	};
}

/** The snapshot is one virtual transaction: its events are counted through over all tables and pages. */
async function deliverSnapshot(
	request: BeginRequest,
	slot: NewSlot,
	delivery: Delivery,
): Promise<boolean> {
	const { store, settings, source, prepared, origin, log } = request;
	const known = new KnownRecords(store, source, prepared);
	const place = { lsn: snapshotLsn(slot.consistentLsn), tsMs: Date.now() };
	let index = 1;
	const emit = async (changes: readonly SnapshotChange[]): Promise<boolean> => {
		const events: ChangeEvent[] = snapshotEvents(changes, origin, { ...place, index });
		index += events.length;
		known.saw(events);
		return await delivery.deliver(events, async () => undefined);
	};
	const pages = readSnapshot({
		connection: settings.connection,
		snapshotName: slot.snapshotName,
		tables: prepared.tables.all,
		pageSize: settings.maxChanges,
	});
	for await (const page of pages) {
		if (!(await emit(rowsOf(page, prepared)))) return false;
	}
	for await (const changes of known.leftOver(settings.maxChanges)) {
		if (!(await emit(changes))) return false;
	}
	log.info(`Read ${index - 1} rows of ${source.system}`);
	return true;
}

/** The rows of a page, as they are found in a change stream. */
export function rowsOf(
	{ table: { schema, table: name }, columns, rows }: SnapshotPage,
	{ tables }: Pick<Prepared, 'tables'>,
): SnapshotChange[] {
	const table = tables.find(schema, name);
	if (!table)
		throw new TypeError(`the snapshot has rows of ${schema}.${name}, which was not asked for`);
	const relation: Relation = {
		oid: 0,
		schema,
		name,
		replicaIdentity: 'full',
		columns: columns.map((column) => ({ ...column, typeModifier: -1, isIdentity: true })),
	};
	return rows.map((tuple) => ({ kind: 'row', table, values: rowValues(relation, tuple).values }));
}
