import type pg from 'pg';

import { SyncError } from '../core/errors';
import { connect, connectForReplication, type PgSettings } from './connect';
import type { ReplicaIdentity } from './pgoutput';
import { type PublicationState, type PublishedOperation, readPublication, type TableName, type TableToPublish } from './publication';
import { readSlot, type SlotState } from './slot';
import { query, type Queryable } from './sql';

/** What is to be read, and how. */
export interface PreflightRequest {
	readonly connection: PgSettings;
	readonly publication: string;
	readonly slot: string;
	readonly tables: readonly WantedTable[];
	/** Asks for whole old rows (`replica identity full`), not just their keys. */
	readonly requireFull?: boolean | undefined;
	/** Which changes are wanted. Absent: all. */
	readonly operations?: readonly PublishedOperation[] | undefined;
	/** Whether standbys are to keep the slot. */
	readonly failover?: boolean | undefined;
}

export interface WantedTable extends TableToPublish {
	readonly key: readonly string[];
	readonly columns: readonly string[];
	/** Its rows have not been read yet, so no change of it is missed that was made before. */
	readonly isUnread?: boolean;
	/** Columns that `rowFilter` looks at. Absent: none. */
	readonly filterColumns?: readonly string[] | undefined;
}

/** What the server said, before any judgement. */
export interface PreflightFacts {
	readonly server: ServerFacts;
	/** Null when a replication session could be opened, else why not. */
	readonly replicationError: SyncError | null;
	readonly publication: PublicationState | null;
	readonly slot: SlotState | null;
	/** One for each wanted table, in the same order; null when there is none of that name. */
	readonly tables: readonly (TableFacts | null)[];
}

export interface ServerFacts {
	/** 150004 for 15.4. */
	readonly versionNum: number;
	readonly database: string;
	readonly role: string;
	readonly encoding: string;
	readonly walLevel: string;
	readonly isStandby: boolean;
	readonly maxReplicationSlots: number;
	readonly usedReplicationSlots: number;
	readonly maxWalSenders: number;
	readonly usedWalSenders: number;
	/** -1: a slot nobody reads keeps log until the disk is full. */
	readonly maxSlotWalKeepMb: number;
	/** Physical slots of standbys that must have what the stream hands out; null before Postgres 17. */
	readonly synchronizedStandbySlots: string | null;
	/** Whether the role may create publications in the database (of tables that it owns). */
	readonly mayCreate: boolean;
	/** The function with its arguments when the role may not execute it, else null. */
	readonly deniedMessageFunction: string | null;
}

export interface TableFacts {
	/** pg_class.relkind: `r` table, `p` partitioned, `v` view, `m` materialized view, `f` foreign. */
	readonly kind: string;
	/** pg_class.relpersistence: `p` permanent, `u` unlogged, `t` temporary. */
	readonly persistence: string;
	readonly mayUseSchema: boolean;
	/** Whether the role is the owner or a member of it. */
	readonly isOwner: boolean;
	/** Whether row level security hides rows from the role. */
	readonly hidesRows: boolean;
	readonly columns: readonly ColumnFacts[];
	/** Columns of each unique index that covers all rows. */
	readonly uniqueKeys: readonly (readonly string[])[];
	/** Where the rows are: the table itself, or each partition; every one has an identity of its own. */
	readonly storage: readonly StorageFacts[];
	/** A partitioned table itself: it has no rows, but its identity is the one that the log names old rows by. Absent or null: it is none. */
	readonly root?: StorageFacts | null;
}

export interface ColumnFacts {
	readonly name: string;
	readonly isNullable: boolean;
	readonly isGenerated: boolean;
	/** Computed when it is read (Postgres 18 on), instead of stored. */
	readonly isVirtual?: boolean;
	readonly maySelect: boolean;
}

export interface StorageFacts extends TableName {
	readonly replicaIdentity: ReplicaIdentity;
	/** The columns of old rows; empty when there are no old rows, and then updates and deletes fail once published. */
	readonly identityColumns: readonly string[];
}

/**
 * Asks the server all the preflight needs: four queries, and one attempt at a replication session,
 * because managed databases grant that in ways which the role's attributes do not show.
 *
 * @throws SyncError when an ordinary session cannot be opened either
 */
export async function gatherFacts(request: PreflightRequest): Promise<PreflightFacts> {
	const client = await connect(request.connection);
	try {
		return {
			server: await readServer(client),
			publication: await readPublication(client, request.publication),
			slot: await readSlot(client, request.slot),
			tables: await readTables(client, request.tables),
			replicationError: await tryReplication(request.connection),
		};
	} finally {
		await client.end();
	}
}

async function tryReplication(connection: PgSettings): Promise<SyncError | null> {
	try {
		const client = await connectForReplication(connection);
		await client.end();
		return null;
	} catch (error) {
		if (error instanceof SyncError) return error;
		throw error;
	}
}

async function readServer(client: pg.Client): Promise<ServerFacts> {
	const [row] = await query<ServerFacts & pg.QueryResultRow>(
		client,
		`select current_setting('server_version_num')::int as "versionNum",
		        current_database() as database, current_user as role,
		        current_setting('server_encoding') as encoding,
		        current_setting('wal_level') as "walLevel", pg_is_in_recovery() as "isStandby",
		        current_setting('max_replication_slots')::int as "maxReplicationSlots",
		        (select count(*)::int from pg_replication_slots) as "usedReplicationSlots",
		        current_setting('max_wal_senders')::int as "maxWalSenders",
		        (select count(*)::int from pg_stat_replication) as "usedWalSenders",
		        (select setting::int from pg_settings where name = 'max_slot_wal_keep_size') as "maxSlotWalKeepMb",
		        current_setting('synchronized_standby_slots', true) as "synchronizedStandbySlots",
		        has_database_privilege(current_database(), 'create') as "mayCreate",
		        (select oid::regprocedure::text from pg_proc
		         where proname = 'pg_logical_emit_message' and proargtypes[2] = 'text'::regtype
		           and not has_function_privilege(oid, 'execute')) as "deniedMessageFunction"`,
	);
	if (!row)
		throw new SyncError('STREAM_FAILED', 'The server does not answer questions about itself');
	return row;
}

const TABLE_FACTS = `
	select c.relkind as kind, c.relpersistence as persistence,
	       has_schema_privilege(n.oid, 'usage') as "mayUseSchema",
	       pg_has_role(c.relowner, 'usage') as "isOwner",
	       coalesce(c.relkind in ('r', 'p') and row_security_active(c.oid), false) as "hidesRows",
	       (select jsonb_agg(jsonb_build_object(
	                 'name', a.attname, 'isNullable', not a.attnotnull, 'isGenerated', a.attgenerated <> '', 'isVirtual', a.attgenerated = 'v',
	                 'maySelect', has_column_privilege(c.oid, a.attnum, 'select')) order by a.attnum)
	        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
	       (select jsonb_agg((select jsonb_agg(a.attname) from pg_attribute a
	                          where a.attrelid = i.indrelid and a.attnum = any (i.indkey[0:i.indnkeyatts - 1])))
	        from pg_index i
	        where i.indrelid = c.oid and i.indisunique and i.indisvalid
	          and i.indpred is null and i.indexprs is null) as "uniqueKeys",
	       (select jsonb_agg(jsonb_build_object(
	                 'schema', sn.nspname, 'table', s.relname, 'identity', s.relreplident, 'isRoot', s.relkind = 'p',
	                 'columns', (select jsonb_agg(a.attname) from pg_attribute a
	                             where a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped
	                               and (s.relreplident = 'f' or a.attnum = any (i.indkey))))
	                 order by sn.nspname, s.relname)
	        from pg_class s
	        join pg_namespace sn on sn.oid = s.relnamespace
	        left join pg_index i on i.indrelid = s.oid and i.indisvalid
	          and (s.relreplident = 'd' and i.indisprimary or s.relreplident = 'i' and i.indisreplident)
	        where s.oid = c.oid
	           or s.oid in (select relid from pg_partition_tree(c.oid) where isleaf and c.relkind = 'p')) as storage
	from unnest($1::text[], $2::text[]) with ordinality as w (schema, name, place)
	left join pg_namespace n on n.nspname = w.schema
	left join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p', 'v', 'm', 'f')
	order by w.place`;

interface TableRow {
	readonly kind: string | null;
	readonly persistence: string;
	readonly mayUseSchema: boolean;
	readonly isOwner: boolean;
	readonly hidesRows: boolean;
	readonly columns: readonly ColumnFacts[] | null;
	readonly uniqueKeys: readonly (readonly string[])[] | null;
	readonly storage:
		| readonly (TableName & {
				identity: 'd' | 'n' | 'f' | 'i';
				isRoot: boolean;
				columns: readonly string[] | null;
		  })[]
		| null;
}

const IDENTITIES = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const;

/** What the server says about tables, in their order; null for one that it does not have. */
export async function readTables(
	client: Queryable,
	tables: readonly TableName[],
): Promise<(TableFacts | null)[]> {
	const schemas = tables.map(({ schema }) => schema);
	const names = tables.map(({ table }) => table);
	const rows = await query<TableRow>(client, TABLE_FACTS, [schemas, names]);
	return rows.map(({ kind, columns, uniqueKeys, storage, ...row }) => {
		if (kind === null) return null;
		const places = (storage ?? []).map((place) => ({
			isRoot: place.isRoot,
			facts: { schema: place.schema, table: place.table, replicaIdentity: IDENTITIES[place.identity], identityColumns: place.columns ?? [] },
		}));
		return {
			...row,
			kind,
			columns: columns ?? [],
			uniqueKeys: uniqueKeys ?? [],
			storage: places.flatMap(({ isRoot, facts }) => (isRoot ? [] : [facts])),
			root: places.find(({ isRoot }) => isRoot)?.facts ?? null,
		};
	});
}
