import { SyncError } from '../../src/core/errors';
import type { Measurement } from '../../src/core/health-figures';
import { type Found, type Heartbeat, nextMeasurement } from '../../src/core/measurement';
import { inLineage, lineageOf } from '../../src/core/position';
import { askServer, type PgSettings } from '../../src/postgres/connect';
import { sendHeartbeat } from '../../src/postgres/heartbeat';
import { readSlot } from '../../src/postgres/slot';
import { slotFigures } from '../../src/postgres/slot-figures';
import type { Queryable } from '../../src/postgres/sql';
import { isBehindApi } from '../../src/store/approve-first-contact';
import { keepMeasurement } from '../../src/store/keep-health';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { systemSeries } from '../../src/store/read-health';
import { reachedLsn } from '../../src/store/stream-reach';
import { POLLED, type StreamRecord } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { invalid } from '../shared/settings';

export interface MeasureRequest {
	readonly policy: string;
	readonly system: string;
	readonly connection: PgSettings;
	/** How long to wait for the heartbeat. */
	readonly waitMs: number;
}

/** How often the store is asked whether the heartbeat has arrived. */
const ASK_EVERY_MS = 200;

/**
 * Looks at one system's database, and keeps what was found. A database that does not answer is a finding, not a failure:
 * the monitor must not fall over what it is there to tell of.
 *
 * @throws SyncError POLICY_UNPUBLISHED, INVALID_SETTING for a system that the policy does not know, and those of the store
 */
export async function measureSystem(store: SyncStore, request: MeasureRequest): Promise<Measurement> {
	const { policy, system } = request;
	const stream = await streamOf(store, request);
	const found = await lookAt(store, request, stream);
	const [samples, { nowMs }] = await Promise.all([store.readSamples({ policy, grain: 'last', series: systemSeries(system) }), store.figures({ policy })]);
	const before = (samples[0]?.values as Measurement | undefined) ?? null;
	const measured = nextMeasurement(before, found(nowMs));
	await keepMeasurement(store, request, measured);
	return measured;
}

async function streamOf(store: SyncStore, { policy: name, system }: MeasureRequest): Promise<StreamRecord | undefined> {
	const loaded = await store.load({ policy: name });
	const { policy } = policyInForce(requirePublished(loaded, name));
	if (!policy.systems.includes(system)) throw invalid('System', `must be one of ${policy.systems.join(', ')}: the policy "${name}" knows no "${system}"`);
	if (isBehindApi(policy, system)) throw invalid('System', `"${system}" is behind an API and has no log to measure: leave this node out for it`);
	const stream = loaded.streams[system];
	if (stream?.slot === POLLED) throw invalid('System', `"${system}" is polled and has no log to measure: leave this node out for it`);
	return stream;
}

type At = (nowMs: number) => Found;
const nothing =
	(failure: string): At =>
	(atMs) => ({ atMs, failure, slot: null, heartbeat: null });

/** Times are told once the store's clock is known, by how long ago they were. */
async function lookAt(store: SyncStore, request: MeasureRequest, stream: StreamRecord | undefined): Promise<At> {
	if (!stream) return nothing(`no trigger of ${request.system} has ever run: activate the workflow with it`);
	try {
		return await askServer(request.connection, async (client) => await lookThrough(client, { store, request, stream }));
	} catch (error) {
		return failureOf(error);
	}
}

/** That the store does not answer is no finding about the system. */
function failureOf(error: unknown): At {
	if (error instanceof SyncError && error.code.startsWith('STORE_')) throw error;
	return nothing(error instanceof Error ? error.message : String(error));
}

interface Look {
	readonly store: SyncStore;
	readonly request: MeasureRequest;
	readonly stream: StreamRecord;
}

async function lookThrough(db: Queryable, { store, request, stream }: Look): Promise<At> {
	const lsn = inLineage(await sendHeartbeat(db), lineageOf(stream.position));
	const sentAt = performance.now();
	const { reached, arrivedAt } = await arrival(store, request, lsn);
	// After the wait: a trigger that was just starting has its slot by then.
	const slot = slotFigures(stream.slot, await readSlot(db, stream.slot));
	return (atMs) => {
		const ago = (at: number): number => Math.round(atMs - (performance.now() - at));
		const heartbeat: Heartbeat = { lsn, reached, sentMs: ago(sentAt), arrivedMs: arrivedAt === null ? null : ago(arrivedAt) };
		return { atMs, failure: null, slot, heartbeat };
	};
}

async function arrival(store: SyncStore, { policy, system, waitMs }: MeasureRequest, lsn: bigint): Promise<{ reached: bigint; arrivedAt: number | null }> {
	const untilMs = performance.now() + waitMs;
	for (;;) {
		const stream = (await store.load({ policy })).streams[system];
		const reached = stream ? reachedLsn(stream) : 0n;
		if (reached >= lsn) return { reached, arrivedAt: performance.now() };
		if (performance.now() >= untilMs) return { reached, arrivedAt: null };
		await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
	}
}
