import type pg from 'pg';

import type { Json } from '../core/canonical-json';
import { SyncError } from '../core/errors';
import { FIRST_EPOCH, type Key, type Operation } from '../core/link';
import type { Outcome } from '../core/marker';
import { LEDGER } from './ledger';
import { codeOf } from './sql';
import { blockedError, faultOf } from './write-fault';

/** What the ledger holds of an operation's link and system. */
export interface LedgerEntry {
	readonly epoch: number;
	readonly number: number;
	readonly outcome: Outcome | null;
	readonly error: string | null;
	readonly key: Key | null;
}

/** An outcome to be stored, and the marker that says so in the log. */
export interface DecidedOperation {
	readonly op: Operation;
	readonly outcome: Outcome;
	readonly error: string | null;
	readonly key: Key | null;
	/** The message of `formatMarker`. */
	readonly marker: string;
}

/**
 * Claims operations, in a transaction: those whose (epoch, number) is higher than the stored one, or
 * equal to one without an outcome. Until the transaction ends nobody else can claim them; a second
 * executor waits here, and then finds them taken. The epoch is that of the decision: taken from the store as
 * it is now, what was written before an epoch began could be written a second time.
 *
 * @param storeId - ledgers are shared by all stores that write to a database
 * @param ops - at most one per link and system
 * @returns the ids of the operations that are ours to write
 * @throws SyncError LEDGER_MISSING when it is not there or not writable; TARGET_BUSY
 */
export async function claimOperations(
	client: pg.ClientBase,
	storeId: string,
	ops: readonly Operation[],
): Promise<ReadonlySet<string>> {
	const columns = [
		ops.map(({ link }) => link),
		ops.map(({ system }) => system),
		ops.map(epochOf),
		ops.map(({ number }) => number),
	];
	const rows = await ask<{ link: string; system: string }>(client, CLAIM, [storeId, ...columns]);
	const claimed = new Set(rows.map(placeOf));
	return new Set(ops.filter((op) => claimed.has(placeOf(op))).map(({ id }) => id));
}

/** In one order, so that two executors with the same operations wait for each other instead of deadlocking. */
const CLAIM = `
insert into ${LEDGER} as l (store_id, link, system, epoch, number)
select $1, asked.link, asked.system, asked.epoch, asked.number
from unnest($2::text[], $3::text[], $4::int[], $5::bigint[]) as asked(link, system, epoch, number)
order by asked.link, asked.system
on conflict (store_id, link, system) do update
set epoch = excluded.epoch, number = excluded.number, outcome = null, error = null, key = null
where (l.epoch, l.number) < (excluded.epoch, excluded.number)
	or ((l.epoch, l.number) = (excluded.epoch, excluded.number) and l.outcome is null)
returning l.link, l.system`;

/** What became of operations that could not be claimed, by operation id. */
export async function readEntries(
	client: pg.ClientBase,
	storeId: string,
	ops: readonly Pick<Operation, 'id' | 'link' | 'system'>[],
): Promise<ReadonlyMap<string, LedgerEntry>> {
	if (ops.length === 0) return new Map();
	const columns = [ops.map(({ link }) => link), ops.map(({ system }) => system)];
	const rows = await ask<EntryRow>(client, ENTRIES, [storeId, ...columns]);
	const entries = new Map(
		rows.map((row) => [placeOf(row), { ...row, number: Number(row.number) } satisfies LedgerEntry]),
	);
	return new Map(
		ops.flatMap((op) => {
			const entry = entries.get(placeOf(op));
			return entry ? [[op.id, entry] as const] : [];
		}),
	);
}

/** undefined_table and invalid_schema_name, in appendix A of the Postgres manual. */
const NO_SUCH_TABLE: ReadonlySet<string> = new Set(['42P01', '3F000']);

/** The same of a ledger that need not be there, or not for us to read. Not in a transaction, which would be over. */
export async function tryReadEntries(
	...request: Parameters<typeof readEntries>
): Promise<ReadonlyMap<string, LedgerEntry> | 'missing' | 'unreadable'> {
	try {
		return await readEntries(...request);
	} catch (error) {
		if (!(error instanceof SyncError) || error.code !== 'LEDGER_MISSING') throw error;
		return NO_SUCH_TABLE.has(codeOf(error.cause) ?? '') ? 'missing' : 'unreadable';
	}
}

/** What the ledger's entry says of an operation: its own outcome, null when there is none yet; or that a later one came. */
export function fateOf(op: Operation, { epoch, number, outcome }: LedgerEntry): Outcome | 'later' | null {
	const order = compareNumbers({ epoch, number }, op);
	if (order > 0) return 'later';
	return order === 0 ? outcome : null;
}

/** Orders what concerns one link and system: below 0 when `one` came first, 0 when both are the same. As `CLAIM` does. */
export function compareNumbers(one: Numbered, other: Numbered): number {
	return epochOf(one) - epochOf(other) || one.number - other.number;
}

type Numbered = Pick<Operation, 'epoch' | 'number'>;

export const epochOf = ({ epoch = FIRST_EPOCH }: Pick<Operation, 'epoch'>): number => epoch;

interface EntryRow extends Omit<LedgerEntry, 'number'> {
	readonly link: string;
	readonly system: string;
	readonly number: string;
}

const ENTRIES = `
select l.link, l.system, l.epoch, l.number, l.outcome, l.error, l.key
from unnest($2::text[], $3::text[]) as asked(link, system)
join ${LEDGER} as l on l.store_id = $1 and l.link = asked.link and l.system = asked.system`;

/**
 * Stores the outcomes of claimed operations and emits one marker for each, in one statement: there is
 * no outcome without its marker. Last in the transaction, because only then the outcomes are known;
 * the reader of the log judges a transaction as a whole.
 */
export async function storeOutcomes(
	client: pg.ClientBase,
	{ storeId, prefix }: { storeId: string; prefix: string },
	decided: readonly DecidedOperation[],
): Promise<void> {
	if (decided.length === 0) return;
	const column = (of: (one: DecidedOperation) => Json) => decided.map(of);
	await ask(client, STORE, [
		storeId,
		prefix,
		column(({ op }) => op.link),
		column(({ op }) => op.system),
		column(({ outcome }) => outcome),
		column(({ error }) => error),
		column(({ key }) => (key === null ? null : JSON.stringify(key))),
		column(({ marker }) => marker),
	]);
}

const STORE = `
with decided as (
	select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
		with ordinality as d(link, system, outcome, error, key, marker, i)
), stored as (
	update ${LEDGER} as l set outcome = d.outcome, error = d.error, key = d.key::jsonb
	from decided d where l.store_id = $1 and l.link = d.link and l.system = d.system
)
select count(pg_logical_emit_message(true, $2, marker)) from (select marker from decided order by i) as ordered`;

function placeOf({ link, system }: { link: string; system: string }): string {
	return JSON.stringify([link, system]);
}

/** Not a table, not a schema, no privilege, not a column of ours. */
const NO_LEDGER: ReadonlySet<string> = new Set(['42P01', '3F000', '42501', '42703']);

async function ask<Row extends pg.QueryResultRow>(
	client: pg.ClientBase,
	text: string,
	values: unknown[],
): Promise<Row[]> {
	try {
		return (await client.query<Row>(text, values)).rows;
	} catch (error) {
		if (NO_LEDGER.has(codeOf(error) ?? '')) {
			throw new SyncError('LEDGER_MISSING', `The table ${LEDGER} cannot be used`, { cause: error });
		}
		// A deadlock is for whoever can begin the transaction again.
		throw faultOf(error) === 'contended' ? error : blockedError(error, `use the table ${LEDGER}`);
	}
}
