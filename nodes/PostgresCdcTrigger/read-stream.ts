import type { ChangeEvent } from '../../src/core/change-event';
import { openChangeStream } from '../../src/postgres/change-stream';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import type { SourceTransaction } from '../../src/postgres/source-transaction';
import { transactionEvents } from '../../src/postgres/transaction-events';
import { Acknowledger } from './acknowledger';
import { type Batch, Batcher } from './batcher';
import type { Delivery } from './deliver';
import { Pace } from './pace';
import type { Patience } from './patience';
import type { Progress } from './progress';
import type { TriggerSettings } from './settings';

export interface ReadRequest {
	readonly settings: TriggerSettings;
	readonly origin: EventOrigin;
	readonly delivery: Delivery;
	readonly progress: Progress;
	readonly patience: Patience;
	readonly stop: AbortSignal;
	/** Default 10,000. */
	readonly idleIntervalMs?: number | undefined;
	/** Done between batches, every so often; null: nothing is. */
	readonly chore: Chore | null;
	/** Asked between batches: whether reading has to be started anew (the policy's tables have changed). */
	readonly isOutdated: () => boolean;
}

/** Something to be done from time to time. */
export interface Chore {
	/** When it is due, by `performance.now()`. */
	readonly dueMs: number;
	run(): Promise<void>;
}

/**
 * Reads changes from the slot and hands them to the workflow, until the trigger is to stop or
 * reading has to be started anew.
 *
 * @throws SyncError when the stream breaks or cannot be opened
 */
export async function readStream(request: ReadRequest): Promise<void> {
	const { settings, progress, patience, stop, idleIntervalMs } = request;
	let onIdle: (lsn: bigint, isUrgent: boolean) => void = () => undefined;
	const stream = await openChangeStream({
		connection: settings.connection,
		slot: settings.slot,
		publications: [settings.publication],
		onIdle: (lsn, isUrgent) => onIdle(lsn, isUrgent),
	});
	try {
		const acknowledger = new Acknowledger({ stream, progress, patience, idleIntervalMs });
		const batcher = new Batcher(stream.transactions(), (transaction) =>
			freshEvents(transaction, request),
		);
		onIdle = (lsn, isUrgent) => {
			acknowledger.noteIdle(lsn, isUrgent);
			if (isUrgent) batcher.poke();
		};
		stop.addEventListener('abort', () => batcher.poke(), { once: true });
		await readBatches(request, { acknowledger, batcher });
	} finally {
		await stream.close();
	}
}

/** What of a transaction has not been observed: after a restart some of it may have been. */
function freshEvents(
	transaction: SourceTransaction,
	{ origin, delivery }: ReadRequest,
): ChangeEvent[] {
	const { position } = delivery;
	return transactionEvents(transaction, origin).filter(
		({ source }) => (source.position ?? '') > position,
	);
}

async function readBatches(
	request: ReadRequest,
	parts: { readonly acknowledger: Acknowledger; readonly batcher: Batcher },
): Promise<void> {
	const { settings, stop, chore, isOutdated } = request;
	const { acknowledger, batcher } = parts;
	const pace = new Pace(settings);
	const idleCheckMs = Math.min(request.idleIntervalMs ?? 10_000, 10_000);
	while (!stop.aborted && !isOutdated()) {
		const nowMs = performance.now();
		const untilMs = Math.min(chore?.dueMs ?? Number.POSITIVE_INFINITY, nowMs + idleCheckMs);
		let waitedMs = 0;
		const waitMs = (firstMs: number): number => (waitedMs = pace.waitMs(firstMs));
		const batch = await batcher.take({ maxChanges: settings.maxChanges, waitMs, untilMs });
		if (batch === 'end') return;
		if (batch) await deliverBatch(batch, request, acknowledger);
		if (batch && batch.events.length > 0) {
			pace.ran({ changes: batch.events.length, waitedMs, nowMs: performance.now() });
		}
		if (stop.aborted) return;
		await acknowledger.acknowledgeIdle();
		if (chore && performance.now() >= chore.dueMs) await chore.run();
	}
}

async function deliverBatch(
	batch: Batch,
	{ delivery }: ReadRequest,
	acknowledger: Acknowledger,
): Promise<void> {
	const acknowledge = async (): Promise<void> =>
		await acknowledger.observed(batch, delivery.position);
	if (batch.events.length === 0) await acknowledge();
	else await delivery.deliver(batch.events, acknowledge);
}
