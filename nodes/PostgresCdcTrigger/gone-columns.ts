import { canonicalJson, sha256Hex } from '../../src/core/canonical-json';
import { columnLabel, type GoneColumn, goneColumns, scopesOf, typedLabel } from '../../src/core/table-drift';
import type { Policy } from '../../src/core/policy';
import { type NamedTypes, readColumnNames } from '../../src/postgres/column-names';
import type { PgSettings } from '../../src/postgres/connect';
import type { EventTables } from '../../src/postgres/event-tables';
import type { TableName } from '../../src/postgres/publication';
import { tableName } from '../../src/postgres/sql';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { StreamId } from '../../src/store/stream-record';
import type { Log } from './deliver';

/** The columns of a system's tables, held against the policy. */
export interface ColumnLook {
	/** Those that fields need and that are not there. */
	readonly gone: readonly GoneColumn[];
	/** All that are there, as typed labels, sorted. */
	readonly present: readonly string[];
}

/** Asks the server for the columns that are there now. @throws SyncError as `connect` */
export async function lookAtColumns(
	connection: PgSettings,
	{ policy, system, tables }: { readonly policy: Policy; readonly system: string; readonly tables: EventTables },
): Promise<ColumnLook> {
	const found = await readColumnNames(connection, tables.published);
	const columnsOf = (table: TableName): NamedTypes | null => found.get(tableName(table)) ?? null;
	return {
		gone: goneColumns(policy, system, columnsOf),
		present: tables.published.flatMap((table) => [...(columnsOf(table) ?? [])].map(([column, type]) => typedLabel(columnLabel(table, column), type))).sort(),
	};
}

/** The item about the columns of a system that are gone. */
const goneReviewId = ({ policy, system }: StreamId): string => `columns-${policy}-${system}`;

type PausingStore = Pick<SyncStore, 'suspend' | 'listReviews' | 'changeReviews'>;

/**
 * Lets the fields whose columns are gone wait for a first contact of their own, and tells a person, once.
 * When the columns are back the item closes; their rows are read then, as those of a new field are.
 */
export async function pauseGone(
	store: PausingStore,
	stream: StreamId,
	{ gone, published, log }: { gone: readonly GoneColumn[]; published: PublishedPolicy; log: Log },
): Promise<void> {
	const id = goneReviewId(stream);
	const { policy } = stream;
	const [item] = await store.listReviews({ ids: [id], limit: 1 });
	if (gone.length === 0) {
		if (item?.state === 'open') await store.changeReviews(policy, [{ action: 'close', id, how: 'superseded', by: 'sync' }]);
		return;
	}
	const scopes = scopesOf(gone);
	const token = sha256Hex(canonicalJson(scopes)).slice(0, 16);
	if (item?.state !== 'open' || item.token !== token) {
		const reason = `${inWords(gone)}. Nothing is read from or written to ${gone.length === 1 ? 'it' : 'them'}, and nothing is cleared; all other fields flow. Put back what was there, or take it out of the policy`;
		log.warn(reason);
		const about = { kind: 'failure', policy, link: null, entity: null, fields: [], reason, token, detail: { scopes } } as const;
		await store.changeReviews(policy, [{ action: 'open', item: { id, ...about } }]);
	}
	// After the item: whoever starts in between would ask for the approval of what has no column.
	if (!scopes.every((scope) => published.pending.includes(scope))) await store.suspend(policy, published.hash, scopes);
}

function inWords(gone: readonly GoneColumn[]): string {
	const places = gone.map(({ field, entity, schema, table, column }) => `column ${column} of ${schema}.${table} (field ${field} of ${entity})`);
	return `${gone[0]?.system ?? ''} has no ${places.join(', no ')}`;
}

/** Of all systems of a policy, the scopes that wait for their columns. */
export async function scopesWithoutColumns(
	store: Pick<SyncStore, 'listReviews'>,
	{ name, systems }: Policy,
): Promise<ReadonlySet<string>> {
	const ids = systems.map((system) => goneReviewId({ policy: name, system }));
	const items = await store.listReviews({ policy: name, ids, state: 'open', limit: ids.length });
	return new Set(items.flatMap(({ detail }) => (detail as { readonly scopes?: readonly string[] } | null)?.scopes ?? []));
}
