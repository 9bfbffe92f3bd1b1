import { SyncError } from '../core/errors';
import { askServer, type PgSettings } from './connect';
import { codeOf, ident, query, type Queryable, tableName } from './sql';

/** A table by name. */
export interface TableName {
	readonly schema: string;
	readonly table: string;
}

/** What a publication can be told to publish. */
export type PublishedOperation = 'insert' | 'update' | 'delete' | 'truncate';

const ALL_OPERATIONS: readonly PublishedOperation[] = ['insert', 'update', 'delete', 'truncate'];

/** A table as it is to be published. */
export interface TableToPublish extends TableName {
	/** The columns alone that are published (Postgres 15 on). Absent or null: all. */
	readonly publishedColumns?: readonly string[] | null | undefined;
	/** A condition on rows, as the server prints it (see `probeRowFilter`). Absent or null: all rows. */
	readonly rowFilter?: string | null | undefined;
}

/** A publication as the server has it. */
export interface PublicationState {
	readonly name: string;
	readonly allTables: boolean;
	/** Operations that are left out of what it publishes. */
	readonly missingOperations: readonly PublishedOperation[];
	/** Whether a partitioned table is published as one table. */
	readonly viaRoot: boolean;
	readonly mayAlter: boolean;
	readonly tables: readonly PublishedTable[];
}

export interface PublishedTable extends TableName {
	/** The published columns; null before Postgres 15, where it is always all of them. */
	readonly columns: readonly string[] | null;
	/** Rows for which this is false are left out (Postgres 15 on). */
	readonly rowFilter: string | null;
}

interface PublicationRow {
	readonly allTables: boolean;
	readonly operations: Readonly<Record<PublishedOperation, boolean>>;
	readonly viaRoot: boolean;
	readonly mayAlter: boolean;
	readonly tables: readonly {
		readonly schemaname: string;
		readonly tablename: string;
		readonly attnames?: readonly string[] | null;
		readonly rowfilter?: string | null;
	}[];
}

/** @returns null when there is no publication of that name */
export async function readPublication(
	db: Queryable,
	name: string,
): Promise<PublicationState | null> {
	const [row] = await query<PublicationRow>(
		db,
		`select puballtables as "allTables", pubviaroot as "viaRoot",
		        pg_has_role(pubowner, 'usage') as "mayAlter",
		        jsonb_build_object('insert', pubinsert, 'update', pubupdate,
		                           'delete', pubdelete, 'truncate', pubtruncate) as operations,
		        (select coalesce(jsonb_agg(to_jsonb(t)), '[]') from pg_publication_tables t
		         where t.pubname = p.pubname) as tables
		 from pg_publication p where pubname = $1`,
		[name],
	);
	if (!row) return null;
	return {
		name,
		allTables: row.allTables,
		viaRoot: row.viaRoot,
		mayAlter: row.mayAlter,
		missingOperations: ALL_OPERATIONS.filter((operation) => !row.operations[operation]),
		tables: row.tables.map((table) => ({
			schema: table.schemaname,
			table: table.tablename,
			columns: table.attnames ?? null,
			rowFilter: table.rowfilter ?? null,
		})),
	};
}

/** What the log has of the tables of a publication; null of a table that is not in it, and of all before Postgres 15. @throws SyncError as `connect` */
export async function publishedColumns({ connection, publication }: { readonly connection: PgSettings; readonly publication: string }): Promise<(table: TableName) => readonly string[] | null> {
	const state = await askServer(connection, async (client) => await readPublication(client, publication));
	return ({ schema, table }) => state?.tables.find((one) => one.schema === schema && one.table === table)?.columns ?? null;
}

/**
 * The statements that make a publication cover these tables, as one table each even when they are
 * partitioned; none when it does. Pure: the preflight shows them, `ensurePublication` runs them.
 */
export function publicationSql(
	name: string,
	state: PublicationState | null,
	tables: readonly TableToPublish[],
	operations: readonly PublishedOperation[] = ALL_OPERATIONS,
): string[] {
	const publication = `publication ${ident(name)}`;
	if (!state) {
		const list = tables.map(publishedTable).join(', ');
		const isPartial = operations.length < ALL_OPERATIONS.length;
		const publish = isPartial ? `, publish = '${operations.join(', ')}'` : '';
		return [`create ${publication} for table ${list} with (publish_via_partition_root = true${publish})`];
	}
	const statements: string[] = [];
	if (!state.viaRoot)
		statements.push(`alter ${publication} set (publish_via_partition_root = true)`);
	if (operations.some((operation) => state.missingOperations.includes(operation))) {
		statements.push(`alter ${publication} set (publish = 'insert, update, delete, truncate')`);
	}
	const missing = tables.filter((table) => !isPublished(state, table));
	if (missing.length > 0 && !state.allTables) {
		statements.push(`alter ${publication} add table ${missing.map(publishedTable).join(', ')}`);
	}
	return statements;
}

/** A table in a statement about a publication, with its columns and its condition. */
export function publishedTable(table: TableToPublish): string {
	const { publishedColumns = null, rowFilter = null } = table;
	const columns = publishedColumns === null ? '' : ` (${publishedColumns.map(ident).join(', ')})`;
	return `${tableName(table)}${columns}${rowFilter === null ? '' : ` where (${rowFilter})`}`;
}

export function isPublished(state: PublicationState, { schema, table }: TableName): boolean {
	return state.tables.some((published) => published.schema === schema && published.table === table);
}

const INSUFFICIENT_PRIVILEGE = '42501';
const UNDEFINED_TABLE = '42P01';

/**
 * Creates the publication, or extends it; never takes a table away. Must be done before the slot is
 * made: a change is looked up in the publications as they were when it was written.
 *
 * @returns the statements that were run
 * @throws SyncError PRIVILEGE_MISSING (creating one takes CREATE on the database and ownership of the tables), TABLE_MISSING
 */
export async function ensurePublication(
	db: Queryable,
	name: string,
	tables: readonly TableToPublish[],
	operations?: readonly PublishedOperation[],
): Promise<readonly string[]> {
	const statements = publicationSql(name, await readPublication(db, name), tables, operations);
	for (const statement of statements) {
		try {
			await query(db, statement);
		} catch (cause) {
			throw ensureError(cause, name, statement);
		}
	}
	return statements;
}

function ensureError(cause: unknown, name: string, statement: string): unknown {
	const state = codeOf(cause instanceof SyncError ? cause.cause : cause);
	if (state === INSUFFICIENT_PRIVILEGE) {
		const message = `The role may not change publication "${name}"; an owner of the tables can run: ${statement}`;
		return new SyncError('PRIVILEGE_MISSING', message, { cause });
	}
	if (state === UNDEFINED_TABLE) {
		return new SyncError('TABLE_MISSING', `Publication "${name}" names a table that is not there`, {
			cause,
		});
	}
	return cause;
}
