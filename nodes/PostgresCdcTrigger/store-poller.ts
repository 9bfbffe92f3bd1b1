import type { NodeOperationError } from 'n8n-workflow';

import { POLLED } from '../../src/store/stream-record';
import { policyInForce } from '../../src/store/published-policy';
import type { SyncStore } from '../../src/store/sync-store';
import type { Borrowed } from '../shared/resource-cache';
import { noteColumns } from './added-columns';
import { askForApproval } from './approval';
import { BackOff } from './back-off';
import { Chores, ColumnWatch } from './column-watch';
import { Delivery } from './deliver';
import { lookAtColumns, pauseGone } from './gone-columns';
import type { Reader } from './lifecycle';
import { Patience } from './patience';
import { pollFrom } from './poll-loop';
import { PolledStream } from './polled-stream';
import type { Prepared } from './prepare';
import { preparePoll } from './prepare-poll';
import { StoreProgress } from './progress';
import { pauseRetyped } from './retyped-columns';
import type { PollingSettings } from './settings';
import { readsOtherwise, type StoreReaderParts } from './store-reader';
import { StoreSweep } from './store-sweep';
import { WorkflowRuns } from './workflow-runs';

export interface StorePollerParts extends StoreReaderParts {
	readonly polling: PollingSettings;
}

/** How often to look whether columns have gone or come back. */
const SWEEPS_PER_LOOK = 2;

/** Polls the tables of one system of a policy; how far is the sync store's to know. */
export class StorePoller implements Reader<Prepared> {
	readonly asNodeError: (error: unknown) => NodeOperationError;
	readonly farewell = 'Polling has ended. What changes from now on is found when the workflow is active again';
	#store: Borrowed<SyncStore> | null = null;

	constructor(private readonly parts: StorePollerParts) {
		this.asNodeError = parts.asNodeError;
	}

	async prepare(isThorough: boolean): Promise<Prepared> {
		const { settings, source, host, openStore } = this.parts;
		this.#store ??= await openStore();
		return await preparePoll({ store: this.#store.value, settings, source, log: host.logger, isThorough });
	}

	async read(prepared: Prepared, stop: AbortSignal): Promise<void> {
		if (!this.#store) throw new TypeError('there is nothing to read before it was prepared');
		await this.#poll(this.#store.value, prepared, stop);
	}

	release(): void {
		this.#store?.release();
		this.#store = null;
	}

	async #poll(store: SyncStore, prepared: Prepared, stop: AbortSignal): Promise<void> {
		const { settings, source, polling, host, timing } = this.parts;
		await this.#noteDrift(store, prepared);
		const stream = await PolledStream.start({ store, settings, source, polling, prepared, log: host.logger });
		if (!stream.isReading) await askForApproval(store, source.policy);
		const { published } = prepared;
		const progress = new StoreProgress(store, source, { position: stream.position, published });
		const patience = new Patience(host.logger, stop, timing?.backOff);
		const runs = new WorkflowRuns(host, stop, timing?.graceMs);
		const delivery = new Delivery({ runs, progress, patience, backOff: new BackOff(timing?.backOff), log: host.logger, stop });
		const watch = this.#columnWatch(prepared, progress);
		await pollFrom({
			everyMs: polling.everyMs,
			stop,
			poll: async () => await stream.poll(delivery),
			chore: new Chores([new StoreSweep({ store, source, delivery, progress, patience }), watch]),
			isOutdated: () => watch.isOutdated || readsOtherwise(progress.published, published, source.system),
		});
	}

	/** What has become of the tables' columns since they were last looked at. */
	async #noteDrift(store: SyncStore, { gone, retyped, columns: present, published, record }: Prepared): Promise<void> {
		const { source, host } = this.parts;
		const { policy } = policyInForce(published);
		await pauseGone(store, source, { gone, published, log: host.logger });
		await pauseRetyped(store, source, { retyped, published, log: host.logger });
		await noteColumns(store, source, { known: record?.columns ?? null, present, policy, log: host.logger });
		if (record && record.slot !== POLLED) {
			host.logger.warn(`Changes of ${source.system} were read through slot "${record.slot}" so far. Nobody does any more: drop it with select pg_drop_replication_slot('${record.slot}'), or the server keeps its log for it`);
		}
	}

	#columnWatch({ published, tables, gone, columns: present }: Prepared, progress: StoreProgress): ColumnWatch {
		const { settings, source } = this.parts;
		const wanted = { policy: policyInForce(published).policy, system: source.system, tables };
		return new ColumnWatch({
			before: { gone, present },
			look: async () => await lookAtColumns(settings.connection, wanted),
			pending: () => progress.published.pending,
			everyMs: source.sweepMs * SWEEPS_PER_LOOK,
		});
	}
}
