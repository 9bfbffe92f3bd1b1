import { tmpdir } from 'node:os';

import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import { type ChangeStream, openChangeStream } from '../../src/postgres/change-stream';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { PLACE_PREFIX } from '../../src/postgres/exact-place';
import type { SystemIdentity } from '../../src/postgres/slot';
import type { SourceTransaction } from '../../src/postgres/source-transaction';
import { largeTransactionEvents } from '../../src/postgres/large-transaction';
import { takeEvents } from '../../src/postgres/take-events';
import { Acknowledger } from './acknowledger';
import { pause } from './back-off';
import { type Batch, Batcher, type TransactionEvents } from './batcher';
import type { Delivery } from './deliver';
import { Pace } from './pace';
import type { Patience } from './patience';
import type { Progress } from './progress';
import type { TriggerSettings } from './settings';

export interface ReadRequest {
	readonly settings: TriggerSettings;
	readonly origin: EventOrigin;
	/** The server and the slot as they were looked at. */
	readonly expected: ExpectedSlot;
	readonly delivery: Delivery;
	readonly progress: Progress;
	readonly patience: Patience;
	readonly stop: AbortSignal;
	/** Default 10,000. */
	readonly idleIntervalMs?: number | undefined;
	/** See `ChangeStreamSettings`. */
	readonly silenceTimeoutMs?: number | undefined;
	/** Done between batches, every so often; null: nothing is. */
	readonly chore: Chore | null;
	/** Rows that are there already and have to be read; null: none. */
	readonly rows: Interlude | null;
	/** Dates that pass, once all rows have been read; null: none do. */
	readonly dates: Interlude | null;
	/** Of each transaction, before it is handed on; what it throws ends reading before it. */
	readonly inspect: (transaction: SourceTransaction) => void;
	/** Which events are handed on. Absent: all. */
	readonly isWanted?: (event: ChangeEvent) => boolean;
	/** Asked between batches: whether reading has to be started anew (the policy's tables have changed). */
	readonly isOutdated: () => boolean;
}

/** What must not have changed between the look at the server and the start of the stream. */
export interface ExpectedSlot {
	readonly server: Pick<SystemIdentity, 'systemId' | 'timeline'>;
	/** The slot does not stand after it. Null: nobody has kept count. */
	readonly reachedLsn: bigint | null;
}

/** What comes between changes, at a place of the stream that it names itself. */
export interface Interlude {
	/** Whether there is nothing to look for now. */
	readonly isDone: boolean;
	/** Where it belongs: after every transaction that ends at or before it. Null while that is not known. */
	readonly place: bigint | null;
	/** Transactions that end after it have to wait; null: none has to. */
	limit(): bigint | null;
	/** @param isWaitedFor - whether changes wait meanwhile */
	deliver(delivery: Delivery, isWaitedFor: () => boolean): Promise<void>;
}

function interludeOf({ rows, dates }: ReadRequest): Interlude | null {
	return rows !== null && !rows.isDone ? rows : dates;
}

/** Something to be done from time to time. */
export interface Chore {
	/** When it is due, by `performance.now()`. */
	readonly dueMs: number;
	run(): Promise<void>;
}

/**
 * Reads changes from the slot and hands them to the workflow, and rows in between, until the trigger
 * is to stop or reading has to be started anew.
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
		spool: { directory: tmpdir(), origin: request.origin },
		silenceTimeoutMs: request.silenceTimeoutMs,
		onIdle: (lsn, isUrgent) => onIdle(lsn, isUrgent),
	});
	try {
		requireAsExpected(stream, request.expected, settings.slot);
		const acknowledger = new Acknowledger({ stream, progress, patience, idleIntervalMs });
		const batcher = new Batcher(stream.transactions(), (transaction) => {
			if (asksToMoveOn(transaction)) {
				acknowledger.hurry();
				// Once the transaction has arrived: it holds nothing for which a batch would be ended.
				setImmediate(() => batcher.poke());
			}
			request.inspect(transaction);
			return freshEvents(transaction, request);
		});
		onIdle = (lsn, isUrgent) => {
			acknowledger.noteIdle(lsn, isUrgent);
			if (isUrgent) batcher.poke();
		};
		stop.addEventListener('abort', () => batcher.poke(), { once: true });
		await readBatches(request, { stream, acknowledger, batcher });
		if (stop.aborted) await acknowledger.finish();
	} finally {
		await stream.close();
	}
}

/**
 * A server that took over, or somebody who made the slot anew, just after we had looked: whether anything is missing has to
 * be judged again.
 *
 * @throws SyncError CONNECTION_LOST
 */
function requireAsExpected({ system, position }: ChangeStream, { server, reachedLsn }: ExpectedSlot, slot: string): void {
	if (system.systemId !== server.systemId || system.timeline !== server.timeline) {
		throw new SyncError('CONNECTION_LOST', 'Another server answers at this address than a moment ago');
	}
	if (reachedLsn === null || position.acknowledgedLsn <= reachedLsn) return;
	throw new SyncError('CONNECTION_LOST', `Slot "${slot}" has moved on since it was looked at`);
}

/** Somebody waits for the stream to be observed past this transaction. */
function asksToMoveOn({ changes }: SourceTransaction): boolean {
	return changes.some((change) => change.kind === 'message' && change.prefix === PLACE_PREFIX);
}

/** What of a transaction has not been observed: after a restart some of it may have been. */
function freshEvents(transaction: SourceTransaction, request: ReadRequest): TransactionEvents {
	const { origin, delivery, settings, isWanted = () => true } = request;
	const fresh = (events: readonly ChangeEvent[]): ChangeEvent[] =>
		events.filter((event) => (event.source.position ?? '') > delivery.position && isWanted(event));
	const { spool } = transaction;
	if (!spool) return fresh(takeEvents(transaction, origin));
	return freshParts(largeTransactionEvents({ ...transaction, spool }, settings.maxChanges), fresh);
}

async function* freshParts(
	parts: AsyncIterable<readonly ChangeEvent[]>,
	fresh: (events: readonly ChangeEvent[]) => ChangeEvent[],
): AsyncGenerator<readonly ChangeEvent[], void> {
	for await (const events of parts) yield fresh(events);
}

interface ReadParts {
	readonly stream: ChangeStream;
	readonly acknowledger: Acknowledger;
	readonly batcher: Batcher;
}

/** How often to look whether the stream has come to where rows belong: nothing tells when nothing changes. */
const PLACE_CHECK_MS = 50;

/** Whether every transaction that ends at or before this place has been delivered. */
function isAt(lsn: bigint, { stream, batcher }: ReadParts): boolean {
	const { nextEndLsn } = batcher;
	if (nextEndLsn !== null) return nextEndLsn > lsn;
	const { receivedLsn, bufferedChanges } = stream.position;
	return bufferedChanges === 0 && receivedLsn >= lsn;
}

async function readBatches(request: ReadRequest, parts: ReadParts): Promise<void> {
	const { settings, stop, chore, isOutdated } = request;
	const pace = new Pace(settings);
	while (!stop.aborted && !isOutdated()) {
		if ((await readNext(request, parts, pace)) === 'end') return;
		if (stop.aborted) return;
		await parts.acknowledger.acknowledgeIdle();
		if (chore && performance.now() >= chore.dueMs) await chore.run();
	}
}

/** Hands over what comes next: a batch of changes, or rows where the stream has come to their place. */
async function readNext(request: ReadRequest, parts: ReadParts, pace: Pace): Promise<'end' | 'more'> {
	const { settings } = request;
	const { acknowledger, batcher } = parts;
	const between = interludeOf(request);
	const limitLsn = between?.limit() ?? null;
	const nowMs = performance.now();
	let waitedMs = 0;
	const waitMs = (firstMs: number): number => (waitedMs = pace.waitMs(firstMs));
	const untilMs = checkAgainMs(request, nowMs);
	const batch = await batcher.take({ maxChanges: settings.maxChanges, waitMs, untilMs, limitLsn });
	if (batch === 'end') return 'end';
	if (batch) {
		await deliverBatch(batch, request, acknowledger);
		if (batch.events.length > 0) {
			pace.ran({ changes: batch.events.length, waitedMs, nowMs: performance.now() });
		}
	} else if (between && limitLsn !== null && between.place === limitLsn && isAt(limitLsn, parts)) {
		await between.deliver(request.delivery, () => batcher.nextEndLsn !== null);
	} else if (batcher.nextEndLsn !== null) {
		// What has come has to wait. Asking again at once would be a loop in which nothing else happens: no place would be found.
		await pause(PLACE_CHECK_MS, request.stop);
	}
	return 'more';
}

/** How long to wait for changes at most. */
function checkAgainMs({ rows, dates, chore, idleIntervalMs = 10_000 }: ReadRequest, nowMs: number): number {
	const isReading = [rows, dates].some((between) => between !== null && !between.isDone);
	const checkMs = Math.min(idleIntervalMs, 10_000, isReading ? PLACE_CHECK_MS : 10_000);
	return Math.min(chore?.dueMs ?? Number.POSITIVE_INFINITY, nowMs + checkMs);
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
