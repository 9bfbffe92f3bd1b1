import type pg from 'pg';

import { SyncError } from '../core/errors';
import { codeOf, ident, query, type Queryable } from './sql';
import { blockedError } from './write-fault';

/** Beside the tables of each target, in a schema of its own. */
export const LEDGER_SCHEMA = 'n8n_bisync';
export const LEDGER_TABLE = 'ledger';

/** Schema and table as they stand in a statement. */
export const LEDGER = `${LEDGER_SCHEMA}.${LEDGER_TABLE}`;

/**
 * One row per link and system, with the last operation written and its outcome. It is what makes an
 * operation single-use: whoever raises the number under the row's lock writes, everybody else learns
 * what became of it. The number never goes back, so rows must not be deleted while their links live.
 *
 * `outcome` is null when an attempt ended without one: the same number may be claimed again.
 */
const DEFINITION = [
	`create schema if not exists ${LEDGER_SCHEMA};`,
	`create table if not exists ${LEDGER} (
	store_id text not null, link text not null, system text not null,
	epoch int not null, number bigint not null,
	outcome text, error text, key jsonb,
	primary key (store_id, link, system)
) with (fillfactor = 70);`,
];

/** The SQL that an owner runs so that `role` can write with a ledger. */
export function ledgerSql(role: string): string {
	return [
		...DEFINITION,
		`grant usage on schema ${LEDGER_SCHEMA} to ${ident(role)};`,
		`grant select, insert, update on ${LEDGER} to ${ident(role)};`,
	].join('\n');
}

/**
 * Makes the ledger if it is missing, and checks that the role may use it.
 *
 * @throws SyncError LEDGER_MISSING, with the SQL for the owner, when it is missing and the role may not
 * make it, or may not write it
 */
export async function ensureLedger(pool: pg.Pool): Promise<void> {
	const before = await readState(pool);
	if (before.usable) return;
	if (before.exists) throw ledgerMissing(before, `The role "${before.role}" may not write`);
	try {
		await createLedger(pool);
	} catch (error) {
		const code = error instanceof SyncError ? error.details.sqlState : codeOf(error);
		if (code !== '42501') throw blockedError(error, `create the table ${LEDGER}`);
		throw ledgerMissing(before, `The role "${before.role}" may not create`, error);
	}
}

/** Of two sessions that create a thing at once, one fails, even with "if not exists": then it is there. */
const COLLISIONS: ReadonlySet<string> = new Set(['23505', '42P06', '42P07']);
/** One collision for the schema, one for the table, and one to spare. */
const MAX_COLLISIONS = 3;

async function createLedger(pool: pg.Pool): Promise<void> {
	for (let collisions = 0; ; collisions++) {
		try {
			await query(pool, DEFINITION.join('\n'));
			return;
		} catch (error) {
			if (!COLLISIONS.has(codeOf(error) ?? '') || collisions === MAX_COLLISIONS) throw error;
		}
	}
}

interface LedgerState {
	readonly exists: boolean;
	readonly usable: boolean;
	readonly role: string;
	readonly database: string;
}

async function readState(db: Queryable): Promise<LedgerState> {
	const rows = await query<LedgerState>(db, STATE_QUERY, [LEDGER_SCHEMA, LEDGER_TABLE]);
	if (!rows[0]) throw new Error('the state of the ledger is always one row');
	return rows[0];
}

/** By oid: asking by name would fail for want of the very privileges that are asked about. */
const STATE_QUERY = `
select c.oid is not null as exists, current_user as role, current_database() as database,
	coalesce(has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
		and has_table_privilege(c.oid, 'insert') and has_table_privilege(c.oid, 'update'), false) as usable
from (select) as one
left join pg_catalog.pg_namespace n on n.nspname = $1
left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = $2`;

function ledgerMissing({ role, database }: LedgerState, who: string, cause?: unknown): SyncError {
	const sql = ledgerSql(role);
	const message = `${who} the table ${LEDGER} in the database "${database}". As its owner, run:\n${sql}`;
	return new SyncError('LEDGER_MISSING', message, { cause, details: { role, database, sql } });
}
