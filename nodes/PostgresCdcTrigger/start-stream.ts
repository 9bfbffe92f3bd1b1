import { canonicalJson, type Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { scopesOf } from '../../src/core/table-drift';
import { formatLsn } from '../../src/core/lsn';
import { inLineage, positionOf, STREAM_START } from '../../src/core/position';
import { readHash, stillRead } from '../../src/core/scopes';
import { createSlot, type NewSlot } from '../../src/postgres/create-slot';
import { alignFailover } from '../../src/postgres/failover-slot';
import { withSlotLock } from '../../src/postgres/slot-lock';
import { snapshotLsn } from '../../src/postgres/snapshot-events';
import { clearTheWay } from '../../src/postgres/source-setup';
import { policyInForce } from '../../src/store/published-policy';
import { type StreamRecord, type StreamRegistration, type TableReading } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { askedOf } from './asked-readings';
import type { Prepared } from './prepare';
import { planReading } from './reading-plan';
import { NOTHING_READ } from './registration';
import type { StoreSource, TriggerSettings } from './settings';

export interface StartRequest extends PreparedStream {
	readonly store: Pick<SyncStore, 'load' | 'registerStream' | 'recordAcknowledged'>;
}

export interface PreparedStream {
	readonly settings: TriggerSettings;
	readonly source: StoreSource;
	readonly prepared: Prepared;
}

/** A stream that is ready to be read. */
export interface StartedStream {
	readonly record: StreamRecord;
	/** Tables with rows that have to be read; none when nothing is missing. */
	readonly tables: readonly TableReading[];
	/** The snapshot of a slot that was just made; its owner releases it. */
	readonly first: NewSlot | null;
}

/**
 * Makes everything ready for a stream to be read: publication, slot, registration. What has to be
 * read of the rows that are there is registered with it, so that it goes on after a crash.
 */
export async function startStream(request: StartRequest): Promise<StartedStream> {
	const { record, decision } = request.prepared;
	if (decision.kind !== 'begin' && record) return await resumeStream(request, record);
	const { connection, slot } = request.settings;
	return await withSlotLock(connection, slot, async () => {
		await requireUntouched(request);
		return await beginStream(request);
	});
}

/**
 * Of two instances of n8n that begin the same stream at the same moment, one must not undo what the other one has registered.
 *
 * @throws SyncError SLOT_BUSY
 */
async function requireUntouched({ store, settings, source, prepared }: StartRequest): Promise<void> {
	const { streams } = await store.load({ policy: source.policy });
	if (canonicalJson(asJson(streams[source.system])) === canonicalJson(asJson(prepared.record))) return;
	throw new SyncError('SLOT_BUSY', `The stream of slot "${settings.slot}" has just been begun by somebody else`);
}

const asJson = (record: StreamRecord | null | undefined): Json => (record ? (JSON.parse(JSON.stringify(record)) as Json) : null);

/** With a new slot, whose snapshot is the instant from which on it has all changes. */
async function beginStream(request: StartRequest): Promise<StartedStream> {
	const { store, settings, source, prepared } = request;
	const { decision } = prepared;
	const tables = toRead(request, { filterHash: NOTHING_READ, reading: null });
	const registration = registrationOf(request, tables);
	// Before the slot is made: a slot without a record would look like somebody else's.
	const begun = { ...registration, filterHash: NOTHING_READ, snapshot: 'running' } as const;
	await store.registerStream({ ...begun, start: STREAM_START });
	await clearTheWay(settings.connection, {
		publication: settings.publication,
		tables: prepared.tables.published,
		staleSlot: decision.kind === 'begin' ? decision.staleSlot : null,
	});
	const slot = await makeSlot(settings);
	let isReady = false;
	try {
		const start = positionOf(snapshotLsn(slot.consistentLsn), 0, prepared.lineage);
		await store.registerStream({ ...begun, start });
		await store.recordAcknowledged(source, formatLsn(inLineage(slot.consistentLsn, prepared.lineage)));
		const record = await store.registerStream({ ...registration, start });
		isReady = tables.length > 0;
		return { record, tables, first: isReady ? slot : null };
	} finally {
		if (!isReady) await slot.release();
	}
}

/**
 * @throws SyncError SLOT_BUSY when there is one by now: another instance of n8n has just begun the same stream, and how it
 * stands has to be looked at again; those of `createSlot`
 */
export async function makeSlot({ connection, slot: name, failover }: TriggerSettings): Promise<NewSlot> {
	return await createSlot(connection, { name, failover }).catch((cause: unknown) => {
		const isThere = cause instanceof SyncError && cause.code === 'SLOT_EXISTS';
		throw isThere ? new SyncError('SLOT_BUSY', `Slot "${name}" has just been made by somebody else`, { cause }) : cause;
	});
}

/** Through the slot that is there. A table that is new joins the publication before its rows are read. */
async function resumeStream(request: StartRequest, before: StreamRecord): Promise<StartedStream> {
	const { store, settings, prepared } = request;
	if (settings.failover !== undefined) await alignFailover(settings.connection, settings.slot, settings.failover);
	const unread = toRead(request, before);
	const asked = askedOf(before.reading);
	const { start } = before;
	const registration = { ...registrationOf(request, unread), start, reading: [...unread, ...asked] };
	const tables = registration.reading.every(({ phase }) => phase === 'done') ? [] : registration.reading;
	const isRead = tables.length === 0 && before.snapshot !== 'running';
	const knowsColumns = canonicalJson([...(before.columns ?? [])]) === canonicalJson([...prepared.columns]);
	const knowsServer = registration.timeline === before.timeline;
	const isKnown = isRead && knowsColumns && knowsServer && registration.filterHash === before.filterHash;
	if (isKnown) return { record: before, tables: [], first: null };
	const names = prepared.tables.published;
	await clearTheWay(settings.connection, {
		publication: settings.publication,
		tables: names,
		staleSlot: null,
	});
	return { record: await store.registerStream(registration), tables, first: null };
}

export function toRead(
	{ source, prepared }: PreparedStream,
	record: Pick<StreamRecord, 'filterHash' | 'reading'>,
): TableReading[] {
	const { policy } = policyInForce(prepared.published);
	const hasHistory = prepared.record !== null;
	const { decision } = prepared;
	return planReading({
		restoredTo: decision.kind === 'begin' ? decision.restoredTo : null,
		policy,
		system: source.system,
		tables: prepared.tables.all,
		record,
		gone: new Set(scopesOf(prepared.gone)),
		hasHistory,
	});
}

/** What has been read stays so; what left the policy must be known to be new when it comes back. */
export function registrationOf(
	{ settings, source, prepared }: PreparedStream,
	tables: readonly TableReading[],
): Omit<StreamRegistration, 'start'> {
	const { policy: name, system } = source;
	const { policy } = policyInForce(prepared.published);
	const isBegun = prepared.decision.kind === 'begin';
	const read = isBegun ? NOTHING_READ : (prepared.record?.filterHash ?? NOTHING_READ);
	const isReading = tables.length > 0;
	const without = new Set(scopesOf(prepared.gone));
	return {
		policy: name,
		system,
		slot: settings.slot,
		systemId: prepared.server.systemId,
		timeline: prepared.server.timeline,
		filterHash: isReading ? stillRead(policy, system, { hash: read, without }) : readHash(policy, system, without),
		snapshot: isReading
			? 'running'
			: isBegun || prepared.record?.snapshot === 'none'
				? 'none'
				: 'done',
		reading: isReading ? tables : null,
		columns: prepared.columns,
	};
}
