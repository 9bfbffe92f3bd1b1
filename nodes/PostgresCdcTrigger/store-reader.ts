import type { NodeOperationError } from 'n8n-workflow';

import { markerPrefix } from '../../src/core/marker';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { policyInForce } from '../../src/store/published-policy';
import type { PublishedPolicy, StreamRecord, SyncStore } from '../../src/store/sync-store';
import type { Borrowed } from '../shared/resource-cache';
import { askForApproval } from './approval';
import { BackOff, type BackOffLimits } from './back-off';
import { Delivery } from './deliver';
import { beginStream } from './first-contact';
import type { Reader, TriggerHost } from './lifecycle';
import { Patience } from './patience';
import { prepare, type Prepared, tablesOf } from './prepare';
import { StoreProgress } from './progress';
import { readStream } from './read-stream';
import { filterHash } from './registration';
import type { StoreSource, TriggerSettings } from './settings';
import { StoreSweep } from './store-sweep';
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

type SessionParts = StoreReaderParts & { readonly store: SyncStore };

/** Reading from one start to the next. */
class StoreSession {
	readonly #patience: Patience;
	readonly #origin: EventOrigin;
	#progress: StoreProgress | null = null;

	constructor(
		private readonly parts: SessionParts,
		private readonly prepared: Prepared,
		private readonly stop: AbortSignal,
	) {
		this.#patience = new Patience(parts.host.logger, stop, parts.timing?.backOff);
		this.#origin = originOf(parts, prepared);
	}

	async run(): Promise<void> {
		const delivery = await this.#start();
		const progress = this.#progress;
		if (!delivery || !progress) return;
		const { store, settings, source, timing } = this.parts;
		await this.#askForApproval(progress);
		const patience = this.#patience;
		await readStream({
			settings,
			origin: this.#origin,
			delivery,
			progress,
			patience,
			stop: this.stop,
			idleIntervalMs: timing?.idleIntervalMs,
			chore: new StoreSweep({ store, source, delivery, progress, patience }),
			isOutdated: () => hasOtherTables(progress.published, this.prepared, source.system),
		});
	}

	async #start(): Promise<Delivery | null> {
		const { store, settings, source, host } = this.parts;
		const { decision, record, tables, server } = this.prepared;
		const startDelivery = (from: StreamRecord): Delivery => this.#delivery(from);
		if (decision.kind === 'begin' || !record) {
			const { prepared } = this;
			const origin = this.#origin;
			return await beginStream({
				store,
				settings,
				source,
				prepared,
				origin,
				log: host.logger,
				startDelivery,
			});
		}
		if (!decision.isNarrower) return startDelivery(record);
		// Tables that left the policy: a table that comes back later must be known to be new.
		const { systemId, timeline } = server;
		const noted = { ...record, systemId, timeline, filterHash: filterHash(tables.all) };
		return startDelivery(await store.registerStream(noted));
	}

	#delivery(record: StreamRecord): Delivery {
		const { store, source, host, timing } = this.parts;
		const { stop } = this;
		const { published } = this.prepared;
		const progress = new StoreProgress(store, source, { position: record.position, published });
		this.#progress = progress;
		return new Delivery({
			runs: new WorkflowRuns(host, stop, timing?.graceMs),
			progress,
			patience: this.#patience,
			backOff: new BackOff(timing?.backOff),
			log: host.logger,
			stop,
		});
	}

	async #askForApproval(progress: StoreProgress): Promise<void> {
		await progress.observed();
		if (progress.published.mode !== 'first-contact') return;
		const { store, source } = this.parts;
		const { streams } = await store.load({ policy: source.policy });
		await askForApproval(store, progress.published, streams);
	}
}

function originOf(
	{ settings, source }: StoreReaderParts,
	{ published, tables, server }: Prepared,
): EventOrigin {
	const prefix = markerPrefix(published.storeId, source.policy);
	return {
		system: source.system,
		database: settings.connection.database,
		systemId: server.systemId,
		tables,
		isMarker: (text) => text === prefix,
		markerSystem: source.system,
	};
}

/** Whether a policy published since names other tables for this system. Other changes need no new start. */
function hasOtherTables(
	published: PublishedPolicy,
	{ published: before, tables }: Prepared,
	system: string,
): boolean {
	if (published.hash === before.hash) return false;
	return (
		filterHash(tablesOf(policyInForce(published).policy, system).all) !== filterHash(tables.all)
	);
}
