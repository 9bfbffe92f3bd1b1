import { SyncError } from '../../src/core/errors';
import type { PolicyMode } from '../../src/core/journal';
import type { Operation } from '../../src/core/link';
import type { PgSettings } from '../../src/postgres/connect';
import { ensureLedger } from '../../src/postgres/ledger';
import type { PgPool } from '../../src/postgres/open-pool';
import { writeOperations, type WriteResult } from '../../src/postgres/row-writer';
import { heldBack } from '../../src/store/held-back';
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

export interface Written {
	/** What became of each operation, by id; none for test items. */
	readonly results: ReadonlyMap<string, WriteResult>;
	/** The policy's mode: nothing is written unless it is live. */
	readonly mode: PolicyMode;
}

/**
 * Writes all operations of a batch. A target that cannot be written to is no failure of the
 * execution: its operations stay unsettled and are offered again. The switch is looked at here once more, so that
 * what was handed out before it was turned is not written either.
 *
 * @throws SyncError POLICY_UNPUBLISHED, STORE_UNREACHABLE
 */
export async function writeAll(job: WriteJob): Promise<Written> {
	const { store, database, policy, writes } = job;
	const ops = [...new Map(writes.items.map(({ op }) => [op.id, op])).values()];
	if (ops.length === 0 || writes.isTest) return { results: new Map(), mode: 'live' };
	const published = requirePublished(await store.load({ policy }), policy);
	refuseApis(ops, published);
	const held = ops.flatMap((op) => {
		const reason = heldBack(op, published);
		return reason === null ? [] : [notWritten(op, reason, published)];
	});
	const ready = ops.filter((op) => heldBack(op, published) === null);
	const results = [
		...(ready.length > 0
			? await withDatabase(database, async (pool) => await tryWriting(pool, ready, published))
			: []),
		...held,
	];
	const linkOf = new Map(ops.map(({ id, link }) => [id, link]));
	const unsettled = results.flatMap((result) =>
		result.outcome === 'none' || result.recorded ? (linkOf.get(result.op) ?? []) : [],
	);
	// Or the sweep would take a target that is down, or whose stream stands still, for an output that leads nowhere.
	if (unsettled.length > 0) await store.noteAttempts(policy, unsettled);
	return { results: new Map(results.map((result) => [result.op, result])), mode: published.mode };
}

async function tryWriting(
	pool: PgPool,
	ops: readonly Operation[],
	published: PublishedPolicy,
): Promise<readonly WriteResult[]> {
	const { storeId, macKey } = published;
	const { policy } = policyInForce(published);
	const missing = await ledgerFault(pool);
	if (missing) return allFailed(ops, missing);
	return await writeOperations(pool, { ops, policy, storeId, macKey });
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

function notWritten({ id }: Operation, reason: string, { name }: PublishedPolicy): WriteResult {
	const error = new SyncError('POLICY_NOT_LIVE', `Nothing was written: the policy "${name}" ${reason}`);
	return { op: id, outcome: 'none', error };
}

/** An API has no ledger and no tables: nothing here could be compared and set. */
function refuseApis(ops: readonly Operation[], published: PublishedPolicy): void {
	const { entities } = policyInForce(published).policy;
	const ofApi = ops.find(({ entity, system }) => entities.get(entity)?.tables.get(system)?.api !== undefined);
	if (ofApi === undefined) return;
	throw new SyncError('WRONG_KIND_OF_SYSTEM', `The policy "${published.name}" reaches ${ofApi.entity} of ${ofApi.system} through an API, and this node writes to Postgres`);
}
