import type pg from 'pg';

import { SyncError } from '../core/errors';
import type { Key, Operation } from '../core/link';
import { markerPrefix, type Outcome } from '../core/marker';
import type { Policy } from '../core/policy';
import { compareNumbers, epochOf, fateOf } from './ledger-claims';
import { readTableColumns } from './table-columns';
import { type BatchResult, type BatchSettings, writeBatch } from './write-batch';
import { blockedError } from './write-fault';
import { bindingOf, inWriteOrder, type PlannedWrite, planWrite } from './write-plan';

export interface WriteRequest {
	/** For one database; of each link and system the one with the highest number counts. */
	readonly ops: readonly Operation[];
	readonly policy: Policy;
	readonly storeId: string;
	/** Signs the markers; never sent to the target. */
	readonly macKey: string;
	/** How long to wait for a row that somebody else has locked; default 5,000. */
	readonly lockTimeoutMs?: number;
	/** Default 60,000. */
	readonly statementTimeoutMs?: number;
}

export type WriteResult =
	| {
			readonly op: string;
			readonly outcome: Outcome;
			/** The row; of an insert the key that the database returned, null when it wrote none. */
			readonly key: Key | null;
			/** An earlier attempt's outcome, or that of a superseded operation: nothing was written now. */
			readonly recorded: boolean;
			readonly error?: string;
	  }
	/** Nothing is known to have been written: the operation stays unsettled, and can be tried again. */
	| { readonly op: string; readonly outcome: 'none'; readonly error: SyncError };

const MAX_BATCH = 1_000;
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * R3: writes operations to their system, each at most once ever, and only over the values that were
 * expected. Batches of 1,000, one transaction each; every outcome is stored in the target's ledger and
 * leaves a marker in its log. The results are hints: what counts is the marker, when it comes back.
 *
 * - Tried before: its recorded outcome; nothing is written, no marker is emitted.
 * - Superseded (the ledger, or this request, holds a higher number of the link): `stale`, recorded,
 *   with an error that says so; its own outcome is known to whoever made the higher number.
 * - Never thrown for the sake of one operation or of the database: such operations come back with
 *   `none` and the reason.
 *
 * @returns one result for each operation, in their order
 */
export async function writeOperations(
	pool: pg.Pool,
	request: WriteRequest,
): Promise<readonly WriteResult[]> {
	const { ops } = request;
	const latest = latestOf(ops);
	const results = new Map<string, WriteResult>();
	try {
		const writes = await planAll(pool, { ...request, ops: [...latest.values()] }, results);
		await writeAll(pool, { writes, settings: settingsOf(request) }, results);
	} catch (cause) {
		const error = blockedError(cause, 'write to the target');
		for (const { id } of latest.values()) {
			if (!results.has(id)) results.set(id, { op: id, outcome: 'none', error });
		}
	}
	return ops.map((op) => {
		const newest = latest.get(placeOf(op)) ?? op;
		return compareNumbers(newest, op) > 0
			? superseded(op, newest)
			: (results.get(newest.id) as WriteResult);
	});
}

function settingsOf(request: WriteRequest): BatchSettings {
	const { storeId, macKey, policy } = request;
	return {
		storeId,
		macKey,
		prefix: markerPrefix(storeId, policy.name),
		lockTimeoutMs: request.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
		statementTimeoutMs: request.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
	};
}

/** What the link's place in its system is called, in maps. */
const placeOf = ({ link, system }: Operation): string => JSON.stringify([link, system]);

function latestOf(ops: readonly Operation[]): Map<string, Operation> {
	const latest = new Map<string, Operation>();
	for (const op of ops) {
		const other = latest.get(placeOf(op));
		if (!other || compareNumbers(op, other) > 0) latest.set(placeOf(op), op);
	}
	return latest;
}

/** Operations that cannot be planned get their result at once. */
async function planAll(
	pool: pg.Pool,
	{ ops, policy }: WriteRequest,
	results: Map<string, WriteResult>,
): Promise<PlannedWrite[]> {
	const fitting = ops.flatMap((op) =>
		planOrNone(op, results, () => ({ op, binding: bindingOf(op, policy) })),
	);
	if (fitting.length === 0) return [];
	const bindings = new Set(fitting.map(({ binding }) => binding));
	const tables = await readTableColumns(pool, [...bindings]);
	return fitting.flatMap(({ op }) => planOrNone(op, results, () => planWrite(op, policy, tables)));
}

function planOrNone<T>(op: Operation, results: Map<string, WriteResult>, plan: () => T): T[] {
	try {
		return [plan()];
	} catch (error) {
		if (!(error instanceof SyncError)) throw error;
		results.set(op.id, { op: op.id, outcome: 'none', error });
		return [];
	}
}

async function writeAll(
	pool: pg.Pool,
	{ writes, settings }: { writes: PlannedWrite[]; settings: BatchSettings },
	results: Map<string, WriteResult>,
): Promise<void> {
	const sorted = inWriteOrder(writes);
	for (let start = 0; start < sorted.length; start += MAX_BATCH) {
		const batch = sorted.slice(start, start + MAX_BATCH);
		try {
			const written = await writeBatch(pool, batch, settings);
			for (const { op } of batch) results.set(op.id, resultOf(op, written));
		} catch (error) {
			// A busy batch says nothing about the next one; a server that is away does.
			if (!(error instanceof SyncError) || error.code !== 'TARGET_BUSY') throw error;
			for (const { op } of batch) results.set(op.id, { op: op.id, outcome: 'none', error });
		}
	}
}

function resultOf(
	op: Operation,
	{ verdicts, recorded }: BatchResult,
): WriteResult {
	const verdict = verdicts.get(op.id);
	if (verdict) {
		return verdict.outcome === 'none'
			? { op: op.id, ...verdict }
			: { op: op.id, ...verdict, recorded: false };
	}
	const entry = recorded.get(op.id);
	if (!entry) throw new Error(`${op.id} was neither claimed nor recorded`);
	const { key, error } = entry;
	const outcome = fateOf(op, entry);
	if (outcome === null || outcome === 'later') return superseded(op, entry);
	return { op: op.id, outcome, key, recorded: true, ...(error === null ? {} : { error }) };
}

/**
 * The result of an operation that came after a later one of its link: a write of an executor that had
 * stalled. `stale`, because nothing was written and nothing need be done about it.
 */
function superseded(
	{ id, link, system }: Operation,
	by: Pick<Operation, 'number' | 'epoch'>,
): WriteResult {
	const error =
		`Superseded: ${system} already has operation ${by.number} (epoch ${epochOf(by)}) of the link ${link}. If the ` +
		'sync store went back to an older copy, its triggers open a review item: agree to it, and what is missing is decided anew';
	return { op: id, outcome: 'stale', key: null, recorded: true, error };
}
