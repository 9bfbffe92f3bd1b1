import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import { SyncError } from '../core/errors';
import { formatMarker } from '../core/marker';
import { ensureLedger } from './ledger';
import {
	claimOperations,
	type DecidedOperation,
	type LedgerEntry,
	readEntries,
	storeOutcomes,
} from './ledger-claims';
import { toSyncError } from './sql';
import type { Verdict } from './insert-row';
import { type CarefulOptions, writeCarefully } from './write-carefully';
import { blockedError, faultOf, isLockTimeout } from './write-fault';
import { type Verdicts, writeGroup } from './write-group';
import { groupWrites, type PlannedWrite } from './write-plan';

export interface BatchSettings {
	readonly storeId: string;
	readonly macKey: string;
	/** Of the markers. */
	readonly prefix: string;
	readonly lockTimeoutMs: number;
	readonly statementTimeoutMs: number;
}

export interface BatchResult {
	/** Of the operations that this call claimed. */
	readonly verdicts: Verdicts;
	/** Of the others: what the ledger holds of their links. */
	readonly recorded: ReadonlyMap<string, LedgerEntry>;
}

/** A stalled writer must not hold row locks for long; the operation it leaves behind is tried again. */
const IDLE_TIMEOUT_MS = 60_000;
/**
 * Two of the settings by which the change stream prints values, without which a value it showed would
 * be read as another one (money) or compared in too few digits (point). No more than these, because
 * triggers and defaults run under them: with its time zone, they would stamp rows in UTC.
 */
const READING_SETTINGS = "set local extra_float_digits = 1; set local lc_monetary = 'C'";
const MAX_CONTENDED = 3;
const MAX_JITTER_MS = 200;

/**
 * Writes a batch in one transaction: claims, writes, outcomes with markers, commit. First without
 * savepoints, as nearly always nothing is refused; when something is, once more from the start, carefully.
 *
 * @param writes - at most one per link and system, in the order in which they are to be written
 * @throws SyncError when nothing of the batch has an outcome; after the loss of the connection during
 * the commit it may have one, which the next attempt finds in the ledger
 */
export async function writeBatch(
	pool: pg.Pool,
	writes: readonly PlannedWrite[],
	settings: BatchSettings,
): Promise<BatchResult> {
	let careful: CarefulOptions | null = null;
	let ensured = false;
	for (let contended = 0; ; ) {
		try {
			return await attempt(pool, writes, { settings, careful });
		} catch (error) {
			const fault = error instanceof SyncError ? error.code : faultOf(error);
			if (fault === 'defect') throw error;
			if (fault === 'contended' && contended < MAX_CONTENDED) {
				await sleep(Math.random() * MAX_JITTER_MS * 2 ** contended++);
			} else if ((fault === 'refused' || fault === 'blocked') && !careful) {
				careful = { skipLocked: isLockTimeout(error) };
			} else if (fault === 'LEDGER_MISSING' && !ensured) {
				ensured = true;
				await ensureLedger(pool);
			} else {
				throw blockedError(error, `write ${writes.length} operations`);
			}
		}
	}
}

interface Attempt {
	readonly settings: BatchSettings;
	/** Null: without savepoints, until the first error. */
	readonly careful: CarefulOptions | null;
}

async function attempt(
	pool: pg.Pool,
	writes: readonly PlannedWrite[],
	{ settings, careful }: Attempt,
): Promise<BatchResult> {
	return await inTransaction(pool, settings, async (client) => {
		const ops = writes.map(({ op }) => op);
		const claimed = await claimOperations(client, settings.storeId, ops);
		const recorded = await readEntries(
			client,
			settings.storeId,
			ops.filter(({ id }) => !claimed.has(id)),
		);
		const ours = writes.filter(({ op }) => claimed.has(op.id));
		const verdicts = careful
			? await writeCarefully(client, ours, careful)
			: await writeQuickly(client, ours);
		await storeOutcomes(client, settings, decidedOf(ours, verdicts, settings.macKey));
		return { verdicts, recorded };
	});
}

async function writeQuickly(
	client: pg.ClientBase,
	writes: readonly PlannedWrite[],
): Promise<Verdicts> {
	const verdicts: Verdicts = new Map();
	for (const group of groupWrites(writes)) {
		for (const [id, verdict] of await writeGroup(client, group)) verdicts.set(id, verdict);
	}
	return verdicts;
}

/** A verdict without an outcome leaves its claim open: no outcome is stored, and no marker says anything. */
function decidedOf(
	writes: readonly PlannedWrite[],
	verdicts: Verdicts,
	macKey: string,
): DecidedOperation[] {
	return writes.flatMap(({ op }) => {
		const verdict = verdicts.get(op.id);
		if (!verdict) throw new Error(`no verdict on ${op.id}`);
		return verdict.outcome === 'none' ? [] : [decided(op, verdict, macKey)];
	});
}

function decided(
	op: PlannedWrite['op'],
	{ outcome, key, error }: Exclude<Verdict, { outcome: 'none' }>,
	macKey: string,
): DecidedOperation {
	const { id, link, system, entity } = op;
	// Signed here: the secret never reaches the target, whose administrator could forge with it.
	const marker = formatMarker({ op: id, link, system, entity, outcome, key, error }, macKey);
	return { op, outcome, key, error: error ?? null, marker };
}

/** @throws what the server says; SyncError DATABASE_UNREACHABLE and the like without a connection */
async function inTransaction<T>(
	pool: pg.Pool,
	{ lockTimeoutMs, statementTimeoutMs }: BatchSettings,
	work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
	const client = await pool.connect().catch((error: unknown) => {
		throw toSyncError(error, 'the target');
	});
	// A session that is ended while nobody asks it anything emits "error": without a listener that ends the process.
	const ignore = (): void => undefined;
	client.on('error', ignore);
	let broken = true;
	try {
		await client.query(`begin isolation level read committed;
			set local lock_timeout = ${lockTimeoutMs};
			set local statement_timeout = ${statementTimeoutMs};
			set local idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS};
			${READING_SETTINGS}`);
		const result = await work(client);
		const { command } = await client.query('commit');
		if (command !== 'COMMIT') throw new Error(`the server answered the commit with ${command}`);
		broken = false;
		return result;
	} catch (error) {
		broken = await client.query('rollback').then(
			() => false,
			() => true,
		);
		throw error;
	} finally {
		client.off('error', ignore);
		client.release(broken);
	}
}
