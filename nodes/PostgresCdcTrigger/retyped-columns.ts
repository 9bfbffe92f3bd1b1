import { canonicalJson, sha256Hex } from '../../src/core/canonical-json';
import { type RetypedColumn, scopesOf } from '../../src/core/table-drift';
import type { StreamId } from '../../src/store/stream-record';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { Log } from './deliver';

/**
 * Lets the fields whose columns have another type now wait for a first contact of their own, and tells a person, once:
 * their rows are read anew, and what was read before counts for nothing.
 *
 * Done before the new types are registered, so that a crash in between only does it again.
 */
export async function pauseRetyped(
	store: Pick<SyncStore, 'suspend' | 'changeReviews'>,
	{ policy, system }: StreamId,
	{ retyped, published, log }: { retyped: readonly RetypedColumn[]; published: PublishedPolicy; log: Log },
): Promise<void> {
	if (retyped.length === 0) return;
	const scopes = scopesOf(retyped);
	const reason = `${system} has changed ${inWords(retyped)}. What was read before is of no use: all rows are read anew, and until the first contact of what has changed is approved, nothing is written to or from it. All other fields flow`;
	log.warn(reason);
	const token = sha256Hex(canonicalJson(retyped.map(({ schema, table, column, from, to }) => [schema, table, column, from, to]))).slice(0, 16);
	const about = { kind: 'failure', policy, link: null, entity: null, fields: [], reason, token, detail: { scopes, retyped: retyped.map((column) => ({ ...column })) } } as const;
	await store.changeReviews(policy, [{ action: 'open', item: { id: `retyped-columns-${policy}-${system}`, ...about } }]);
	if (!scopes.every((scope) => published.pending.includes(scope))) await store.suspend(policy, published.hash, scopes);
}

function inWords(retyped: readonly RetypedColumn[]): string {
	const columns = retyped.map(({ schema, table, column, from, to, field, entity }) => `column ${column} of ${schema}.${table} from ${from} to ${to} (field ${field} of ${entity})`);
	return columns.join(', ');
}
