import type { NodeOperationError } from 'n8n-workflow';

import { scopesOf } from '../../src/core/table-drift';
import type { SyncError } from '../../src/core/errors';
import { markerPrefix } from '../../src/core/marker';
import { depthsOf } from '../../src/core/reference-graph';
import { readHash } from '../../src/core/scopes';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { slotBusy } from '../../src/postgres/slot';
import { policyInForce } from '../../src/store/published-policy';
import { streamUnknown } from '../../src/store/stream-errors';
import type { TableReading } from '../../src/store/stream-record';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { Borrowed } from '../shared/resource-cache';
import { askForApproval } from './approval';
import { lookForRequests, RowsAsked, withRequests } from './asked-readings';
import { BackOff, type BackOffLimits } from './back-off';
import { Delivery } from './deliver';
import { policyShape } from './event-shapes';
import { noteColumns } from './added-columns';
import { Chores, ColumnWatch } from './column-watch';
import { lookAtColumns, pauseGone } from './gone-columns';
import { requireShape } from './require-shape';
import { pauseRetyped } from './retyped-columns';
import { type StartedStream, startStream } from './start-stream';
import type { Reader, TriggerHost } from './lifecycle';
import { hasDates, PassingDates } from './passing-dates';
import { Patience } from './patience';
import { prepare, type Prepared, wantedTables } from './prepare';
import { StoreProgress } from './progress';
import { readStream } from './read-stream';
import { reachedOf } from './registration';
import { RowReading } from './row-reading';
import type { StoreSource, TriggerSettings } from './settings';
import { whileWatchingSlot } from './slot-watch';
import { StoreKeeper } from './store-keeper';
import { StoreSweep } from './store-sweep';
import { tellAsked, tellRefused } from './tell-asked';
import { WorkflowRuns } from './workflow-runs';

export interface StoreReaderParts {
	readonly openStore: () => Promise<Borrowed<SyncStore>>;
	readonly settings: TriggerSettings;
	readonly source: StoreSource;
	readonly host: TriggerHost;
	readonly asNodeError: (error: unknown) => NodeOperationError;
	readonly timing?: ReaderTiming | undefined;
}

/** For tests; the defaults are the documented ones. */
export interface ReaderTiming {
	readonly backOff?: BackOffLimits | undefined;
	readonly idleIntervalMs?: number | undefined;
	readonly graceMs?: number | undefined;
	readonly silenceTimeoutMs?: number | undefined;
	/** See `RowReadingParts`. */
	readonly turnMs?: number | undefined;
	/** See `RowReadingParts`. */
	readonly retryMs?: number | undefined;
	/** See `SlotWatchParts`. */
	readonly slotWatchMs?: number | undefined;
}

/** Reads the tables of one system of a policy; how far is the sync store's to know. */
export class StoreReader implements Reader<Prepared> {
	readonly asNodeError: StoreReaderParts['asNodeError'];
	readonly farewell: string;

	#store: Borrowed<SyncStore> | null = null;

	constructor(private readonly parts: StoreReaderParts) {
		this.asNodeError = parts.asNodeError;
		const { slot } = parts.settings;
		this.farewell =
			`The slot "${slot}" is kept: changes are held in the server's log until the workflow is active ` +
			`again, or the slot is dropped with select pg_drop_replication_slot('${slot}')`;
	}

	async prepare(isThorough: boolean): Promise<Prepared> {
		const { settings, source, host, openStore } = this.parts;
		this.#store ??= await openStore();
		return await prepare({
			store: this.#store.value,
			settings,
			source,
			log: host.logger,
			isThorough,
		});
	}

	async read(prepared: Prepared, stop: AbortSignal): Promise<void> {
		if (!this.#store) throw new TypeError('there is nothing to read before it was prepared');
		await new StoreSession({ ...this.parts, store: this.#store.value }, prepared, stop).run();
	}

	release(): void {
		this.#store?.release();
		this.#store = null;
	}
}

/** How often to look whether columns have gone or come back. */
const SWEEPS_PER_LOOK = 2;

type SessionParts = StoreReaderParts & { readonly store: SyncStore };

/** Reading from one start to the next. */
class StoreSession {
	readonly #patience: Patience;
	readonly #origin: EventOrigin;

	constructor(
		private readonly parts: SessionParts,
		private readonly prepared: Prepared,
		private readonly stop: AbortSignal,
	) {
		this.#patience = new Patience(parts.host.logger, stop, parts.timing?.backOff);
		this.#origin = originOf(parts, prepared);
	}

	async run(): Promise<void> {
		const { store, settings, source } = this.parts;
		const { prepared } = this;
		// Whoever reads it keeps the books meanwhile: registered by two, how far the rows have been read would go back.
		if (prepared.decision.kind === 'resume' && prepared.slot?.activePid) throw slotBusy(settings.slot, prepared.slot);
		await this.#noteDrift();
		const started = await startStream({ store, settings, source, prepared });
		const rows = started.tables.length > 0 ? this.#rowReading(started) : null;
		try {
			if (rows === null) await askForApproval(store, source.policy);
			await this.#read(started, rows).catch(async (error: unknown) => await this.#noteRequests(error));
		} finally {
			await rows?.close();
		}
	}

	/** Before the request is acknowledged: what has been noted is read, whatever happens next. */
	async #noteRequests(error: unknown): Promise<void> {
		if (!(error instanceof RowsAsked)) throw error;
		const { store, source } = this.parts;
		const record = (await store.load({ policy: source.policy })).streams[source.system];
		if (!record) throw streamUnknown(source);
		const { position: _moves, acknowledgedLsn: _grows, ...registration } = record;
		const { reading, strange } = withRequests(record.reading ?? [], error.requests, { tables: this.prepared.tables.all, phase: 'known' });
		await store.registerStream({ ...registration, reading });
		tellAsked(this.parts, strange, 'the policy names no such table of this system');
	}

	/** What has become of the tables' columns since they were last looked at. */
	async #noteDrift(): Promise<void> {
		const { store, source, host } = this.parts;
		const { gone, retyped, columns: present, published, record } = this.prepared;
		const { policy } = policyInForce(published);
		await pauseGone(store, source, { gone, published, log: host.logger });
		await pauseRetyped(store, source, { retyped, published, log: host.logger });
		await noteColumns(store, source, { known: record?.columns ?? null, present, policy, log: host.logger });
	}

	async #read({ record }: StartedStream, rows: RowReading | null): Promise<void> {
		const { store, settings, source, timing } = this.parts;
		const { published } = this.prepared;
		const progress = new StoreProgress(store, source, { position: record.position, published });
		const delivery = this.#delivery(progress);
		const patience = this.#patience;
		const watch = this.#columnWatch(progress);
		const mapped = wantedTables(policyInForce(published).policy, source.system, this.prepared.tables);
		const { slot, connection } = settings;
		const { host, asNodeError } = this.parts;
		const watched = { connection, slot, system: source.system, host, asNodeError, everyMs: timing?.slotWatchMs };
		const read = async (): Promise<void> => await readStream({
			settings,
			origin: this.#origin,
			expected: { server: this.prepared.server, reachedLsn: reachedOf(record) },
			delivery,
			progress,
			patience,
			stop: this.stop,
			idleIntervalMs: timing?.idleIntervalMs,
			silenceTimeoutMs: timing?.silenceTimeoutMs,
			chore: new Chores([new StoreSweep({ store, source, delivery, progress, patience }), watch]),
			rows,
			dates: this.#dates(),
			inspect: (transaction) => {
				requireShape(transaction, mapped);
				lookForRequests(transaction, { slot, macKey: published.macKey, known: record.reading ?? [], log: host.logger });
			},
			isOutdated: () => watch.isOutdated || readsOtherwise(progress.published, published, source.system),
		});
		await whileWatchingSlot(watched, read);
	}

	#dates(): PassingDates | null {
		const { store, settings, source, host } = this.parts;
		const { policy } = policyInForce(this.prepared.published);
		if (!hasDates(policy, source.system)) return null;
		const { connection } = settings;
		return new PassingDates({ store, stream: source, policy, connection, origin: this.#origin, log: host.logger, everyMs: source.sweepMs });
	}

	#columnWatch(progress: StoreProgress): ColumnWatch {
		const { settings, source } = this.parts;
		const { published, tables, gone, columns: present } = this.prepared;
		const wanted = { policy: policyInForce(published).policy, system: source.system, tables };
		return new ColumnWatch({
			before: { gone, present },
			look: async () => await lookAtColumns(settings.connection, wanted),
			pending: () => progress.published.pending,
			everyMs: source.sweepMs * SWEEPS_PER_LOOK,
		});
	}

	#delivery(progress: StoreProgress): Delivery {
		const { host, timing } = this.parts;
		const { stop } = this;
		return new Delivery({
			runs: new WorkflowRuns(host, stop, timing?.graceMs),
			progress,
			patience: this.#patience,
			backOff: new BackOff(timing?.backOff),
			log: host.logger,
			stop,
		});
	}

	#rowReading({ record, tables, first }: StartedStream): RowReading {
		const { store, settings, source, host } = this.parts;
		const { published } = this.prepared;
		const { position: _moves, acknowledgedLsn: _grows, ...registration } = record;
		host.logger.info(`Reading the rows of ${tables.map(({ table }) => table).join(', ')}`);
		const { policy } = policyInForce(published);
		const keeper = new StoreKeeper({
			store,
			storeId: published.storeId,
			macKey: published.macKey,
			registration,
			finalHash: readHash(policy, source.system, new Set(scopesOf(this.prepared.gone))),
			onDone: async () => await askForApproval(store, source.policy),
		});
		const depths = depthsOf(policy);
		const rankOf = ({ entity }: TableReading): number => depths.get(entity) ?? 0;
		return new RowReading({ settings, origin: this.#origin, log: host.logger, tables, keeper, rankOf, onRefused: (error: SyncError) => tellRefused(this.parts, error), turnMs: this.parts.timing?.turnMs, retryMs: this.parts.timing?.retryMs }, first);
	}
}

export function originOf(
	{ settings, source }: Pick<StoreReaderParts, 'settings' | 'source'>,
	{ published, tables, server, lineage }: Prepared,
): EventOrigin {
	const prefix = markerPrefix(published.storeId, source.policy);
	return {
		system: source.system,
		database: settings.connection.database,
		systemId: server.systemId,
		tables,
		lineage,
		isMarker: (text) => text === prefix,
		markerSystem: source.system,
		shape: policyShape(policyInForce(published).policy, source.system),
	};
}

/** Whether a policy published since names other tables or columns for this system. Other changes need no new start. */
export function readsOtherwise(
	published: PublishedPolicy,
	before: PublishedPolicy,
	system: string,
): boolean {
	if (published.hash === before.hash) return false;
	const [now, then] = [published, before].map((one) => readHash(policyInForce(one).policy, system));
	return now !== then;
}
