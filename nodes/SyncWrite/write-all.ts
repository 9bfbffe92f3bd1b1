import { SyncError } from '../../src/core/errors';
import type { PolicyMode } from '../../src/core/journal';
import type { Operation } from '../../src/core/link';
import type { PgSettings } from '../../src/postgres/connect';
import { ensureLedger } from '../../src/postgres/ledger';
import type { PgPool } from '../../src/postgres/open-pool';
import { writeOperations, type WriteResult } from '../../src/postgres/row-writer';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import { withDatabase } from '../shared/open-database';
import type { Writes } from './read-writes';

interface WriteJob {
	readonly store: Pick<SyncStore, 'load' | 'noteAttempts'>;
	readonly database: PgSettings;
	readonly policy: string;
	readonly writes: Writes;
}

/**
 * Writes all operations of a batch. A target that cannot be written to is no failure of the
 * execution: its operations stay unsettled and are offered again.
 *
 * @returns what became of each operation, by id; none for test items
 * @throws SyncError POLICY_UNPUBLISHED, STORE_UNREACHABLE
 */
export async function writeAll(job: WriteJob): Promise<ReadonlyMap<string, WriteResult>> {
	const { store, database, policy, writes } = job;
	const ops = [...new Map(writes.items.map(({ op }) => [op.id, op])).values()];
	if (ops.length === 0 || writes.isTest) return new Map();
	const published = requirePublished(await store.load({ policy }), policy);
	const results =
		published.mode === 'live'
			? await withDatabase(database, async (pool) => await tryWriting(pool, ops, published))
			: allFailed(ops, notLive(published));
	const unsettled = results.flatMap((result, at) =>
		result.outcome === 'none' || result.recorded ? (ops[at]?.link ?? []) : [],
	);
	// Or the sweep would take a target that is down, or whose stream stands still, for an output that leads nowhere.
	if (unsettled.length > 0) await store.noteAttempts(policy, unsettled);
	return new Map(results.map((result) => [result.op, result]));
}

async function tryWriting(
	pool: PgPool,
	ops: readonly Operation[],
	published: PublishedPolicy,
): Promise<readonly WriteResult[]> {
	const { storeId, macKey, epoch } = published;
	const { policy } = policyInForce(published);
	const missing = await ledgerFault(pool);
	if (missing) return allFailed(ops, missing);
	return await writeOperations(pool, { ops, policy, storeId, macKey, epoch });
}

const ledgers = new WeakMap<PgPool, Promise<void>>();

/** Makes the ledger in the target, once per pool; why that is not possible, or null. */
async function ledgerFault(pool: PgPool): Promise<SyncError | null> {
	const ensured = ledgers.get(pool) ?? ensureLedger(pool);
	ledgers.set(pool, ensured);
	try {
		await ensured;
		return null;
	} catch (error) {
		ledgers.delete(pool); // The next execution tries again.
		if (error instanceof SyncError) return error;
		return new SyncError('LEDGER_MISSING', 'The ledger of the target cannot be made', {
			cause: error,
		});
	}
}

function allFailed(ops: readonly Operation[], error: SyncError): WriteResult[] {
	return ops.map(({ id }) => ({ op: id, outcome: 'none', error }));
}

function notLive({ name, mode }: PublishedPolicy): SyncError {
	const state: Record<PolicyMode, string> = {
		live: 'is live',
		stopped: 'is stopped',
		shadow: 'is in shadow mode, which observes and writes nothing',
		'first-contact': 'waits for the approval of its first contact',
	};
	return new SyncError(
		'POLICY_NOT_LIVE',
		`Nothing was written: the policy "${name}" ${state[mode]}`,
	);
}
