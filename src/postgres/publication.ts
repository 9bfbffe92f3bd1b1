import { SyncError } from '../core/errors';
import { codeOf, ident, query, type Queryable, tableName } from './sql';

/** A table by name. */
export interface TableName {
	readonly schema: string;
	readonly table: string;
}

/** A publication as the server has it. */
export interface PublicationState {
	readonly name: string;
	readonly allTables: boolean;
	/** Operations that are left out of what it publishes. */
	readonly missingOperations: readonly string[];
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
	readonly operations: Readonly<Record<'insert' | 'update' | 'delete' | 'truncate', boolean>>;
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
		missingOperations: Object.entries(row.operations)
			.filter(([, isPublished]) => !isPublished)
			.map(([operation]) => operation),
		tables: row.tables.map((table) => ({
			schema: table.schemaname,
			table: table.tablename,
			columns: table.attnames ?? null,
			rowFilter: table.rowfilter ?? null,
		})),
	};
}

/**
 * The statements that make a publication cover these tables, as one table each even when they are
 * partitioned; none when it does. Pure: the preflight shows them, `ensurePublication` runs them.
 */
export function publicationSql(
	name: string,
	state: PublicationState | null,
	tables: readonly TableName[],
): string[] {
	const publication = `publication ${ident(name)}`;
	if (!state) {
		const list = tables.map(tableName).join(', ');
		return [`create ${publication} for table ${list} with (publish_via_partition_root = true)`];
	}
	const statements: string[] = [];
	if (!state.viaRoot)
		statements.push(`alter ${publication} set (publish_via_partition_root = true)`);
	if (state.missingOperations.length > 0) {
		statements.push(`alter ${publication} set (publish = 'insert, update, delete, truncate')`);
	}
	const missing = tables.filter((table) => !isPublished(state, table));
	if (missing.length > 0 && !state.allTables) {
		statements.push(`alter ${publication} add table ${missing.map(tableName).join(', ')}`);
	}
	return statements;
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
	tables: readonly TableName[],
): Promise<readonly string[]> {
	const statements = publicationSql(name, await readPublication(db, name), tables);
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
