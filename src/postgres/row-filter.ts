import type pg from 'pg';

import { SyncError } from '../core/errors';
import type { Problem } from './preflight';
import type { PreflightRequest, TableFacts, WantedTable } from './preflight-facts';
import type { PublicationState, PublishedOperation, TableName } from './publication';
import { codeOf, ident, messageOf, query, tableName, toSyncError } from './sql';

/** From this version on a publication can leave out rows and columns. */
export const FILTER_VERSION = 150_000;

/** A condition on the rows of a table, as the server understands it. */
export interface RowFilter {
	/** As the server prints it. */
	readonly text: string;
	/** The columns that it looks at. */
	readonly columns: readonly string[];
}

/** Rolled back, so that nobody ever sees a publication of this name. */
const PROBE = 'n8n_bisync_probe';

const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Lets the server read a condition, by a publication that is never committed: one that is no condition, or more than
 * one, is found out before anything is made of it.
 *
 * @param where - as a person typed it
 * @returns null where the role may not make publications of the table, so that its owner has to
 * @throws SyncError INVALID_SETTING, with what the server says of it
 */
export async function probeRowFilter(client: pg.Client, table: TableName, where: string): Promise<RowFilter | null> {
	await query(client, 'begin');
	try {
		// One statement alone: with the simple protocol the text could end it and begin another.
		const text = `create publication ${PROBE} for table ${tableName(table)} where (${where}\n)`;
		await client.query({ text, queryMode: 'extended' } as pg.QueryConfig);
		return await readProbe(client, table, where);
	} catch (error) {
		if (error instanceof SyncError) throw error;
		if (codeOf(error) === INSUFFICIENT_PRIVILEGE) return null;
		if (!(codeOf(error) ?? '').match(/^(0A|22|42)/)) throw toSyncError(error, 'the database');
		throw notACondition(table, messageOf(error));
	} finally {
		await query(client, 'rollback');
	}
}

async function readProbe(client: pg.Client, table: TableName, where: string): Promise<RowFilter> {
	const rows = await query<{ readonly text: string | null; readonly columns: string[] | null }>(
		client,
		`select pg_get_expr(r.prqual, r.prrelid) as text,
		        (select jsonb_agg(distinct a.attname) from pg_depend d
		         join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
		         where d.classid = 'pg_publication_rel'::regclass and d.objid = r.oid
		           and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0) as columns
		 from pg_publication p join pg_publication_rel r on r.prpubid = p.oid where p.pubname = $1`,
		[PROBE],
	);
	const [row] = rows;
	if (rows.length === 1 && row?.text) return { text: row.text, columns: row.columns ?? [] };
	throw notACondition(table, `"${where}" says more than a condition`);
}

function notACondition({ schema, table }: TableName, why: string): SyncError {
	return new SyncError(
		'INVALID_SETTING',
		`"Only Rows Where" of ${schema}.${table} is no condition that a publication can have: ${why}. It may compare columns of the row with constants, such as amount > 100 and status = 'open', and use built-in functions whose result never changes`,
	);
}

/** What the publication publishes, or will when it is made. */
export function publishedOperations({ operations = ALL }: PreflightRequest, publication: PublicationState | null): readonly PublishedOperation[] {
	return publication ? ALL.filter((one) => !publication.missingOperations.includes(one) || operations.includes(one)) : operations;
}

const ALL: readonly PublishedOperation[] = ['insert', 'update', 'delete', 'truncate'];

/**
 * Where a condition looks at columns that the log has not of old rows, Postgres refuses every update and delete of the
 * table, those of the applications too. Looked for before there is such a publication. Pure.
 */
export function judgeFilteredIdentity(
	{ filterColumns = [], ...table }: WantedTable,
	facts: TableFacts | null,
	operations: readonly PublishedOperation[],
): Problem[] {
	if (!operations.includes('update') && !operations.includes('delete')) return [];
	const lacking = (facts?.storage ?? []).flatMap(({ schema, table: name, replicaIdentity, identityColumns }) => {
		const columns = replicaIdentity === 'full' ? [] : filterColumns.filter((column) => !identityColumns.includes(column));
		return columns.length > 0 ? [{ schema, table: name, columns }] : [];
	});
	if (lacking.length === 0) return [];
	const columns = [...new Set(lacking.flatMap((one) => one.columns))].map(ident).join(', ');
	const message = `"Only Rows Where" of ${tableName(table)} looks at ${columns}, which the log has not of old rows: with such a publication Postgres refuses all updates and deletes of the table, for every user`;
	const fix = lacking.map((place) => `alter table ${tableName(place)} replica identity full;`).join(' ');
	return [{ severity: 'error', code: 'IDENTITY_LACKS_FILTER', message, fix }];
}

/**
 * The columns to be published of a table of which only some are wanted, with those that name old rows; null: all, because
 * the server cannot leave any out, or refuses updates then.
 */
export function columnsToPublish(wanted: readonly string[] | null, facts: TableFacts | null, versionNum: number): readonly string[] | null {
	if (wanted === null || facts === null || versionNum < FILTER_VERSION) return null;
	if (facts.storage.some(({ replicaIdentity }) => replicaIdentity === 'full')) return null;
	return [...new Set([...wanted, ...facts.storage.flatMap(({ identityColumns }) => identityColumns)])];
}
