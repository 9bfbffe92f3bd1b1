import type pg from 'pg';

import { SyncError } from '../core/errors';
import type { Operation } from '../core/link';
import { parseLsn } from '../core/lsn';
import { parseBounds, readSince, rowNumber, type TransactionBounds } from '../core/poll-horizon';
import { connect, type PgSettings } from './connect';
import { LEDGER, LEDGER_SCHEMA, LEDGER_TABLE } from './ledger';
import type { LedgerEntry } from './ledger-claims';
import type { SystemIdentity } from './slot';
import { beginSnapshot, SnapshotSession } from './snapshot';
import { ident, query } from './sql';

/** What a server says of itself at the instant of a poll. */
export interface PollMoment extends TransactionBounds {
	readonly server: SystemIdentity;
	/** By the server's clock, milliseconds since 1970; shown, never compared. */
	readonly tsMs: number;
}

/** An entry of the ledger, with the transaction that wrote it. */
export interface WrittenEntry extends LedgerEntry {
	readonly link: string;
	/** As the server prints it: equal to a row's `writtenBy` where nobody has changed the row since our write. */
	readonly writtenBy: string;
}

interface MomentRow {
	readonly snapshot: string;
	readonly systemId: string;
	readonly timeline: number;
	readonly walLsn: string;
	readonly tsMs: string;
	readonly ledger: 'missing' | 'readable' | 'closed';
	readonly role: string;
}

/** Needs no replication: the functions are for every role, and on a standby, too. */
const MOMENT = `
select pg_current_snapshot()::text as snapshot,
	(select system_identifier::text from pg_control_system()) as "systemId",
	case when pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint())
	     else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int end as timeline,
	(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end)::text as "walLsn",
	floor(extract(epoch from clock_timestamp()) * 1000)::text as "tsMs",
	current_user as role,
	coalesce((select case when has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') then 'readable' else 'closed' end
	          from pg_class c join pg_namespace n on n.oid = c.relnamespace
	          where n.nspname = '${LEDGER_SCHEMA}' and c.relname = '${LEDGER_TABLE}'), 'missing') as ledger`;

/** Tables, and the ledger, as they were at one instant of a database whose log cannot be read. */
export class PollSnapshot extends SnapshotSession {
	private constructor(
		client: pg.Client,
		readonly moment: PollMoment,
		private readonly hasLedger: boolean,
	) {
		super(client);
	}

	/** @throws SyncError those of `connect`; PRIVILEGE_MISSING where the ledger may not be read */
	static async open(settings: PgSettings): Promise<PollSnapshot> {
		const client = await connect(settings);
		try {
			await beginSnapshot(client);
			const [row] = await query<MomentRow>(client, MOMENT);
			if (!row) throw new SyncError('STREAM_FAILED', 'The server does not say who it is');
			if (row.ledger === 'closed') throw ledgerClosed(row.role);
			const { systemId, timeline, walLsn, tsMs } = row;
			const server = { systemId, timeline, walLsn: parseLsn(walLsn) };
			return new PollSnapshot(client, { ...parseBounds(row.snapshot), server, tsMs: Number(tsMs) }, row.ledger === 'readable');
		} catch (error) {
			await client.end();
			throw error;
		}
	}

	/** A ledger that is not there has heard of nothing. */
	override async ledger(storeId: string, ops: readonly Operation[]): Promise<ReadonlyMap<string, LedgerEntry> | null> {
		return this.hasLedger ? await super.ledger(storeId, ops) : new Map();
	}

	/** What the ledger has heard since a horizon of writes to one system. */
	async ledgerSince(storeId: string, system: string, horizon: bigint | null): Promise<readonly WrittenEntry[]> {
		if (!this.hasLedger) return [];
		const condition = this.writtenSince(horizon);
		const rows = await query<WrittenEntry & { readonly number: number | string }>(
			this.client,
			`select t.link, t.epoch, t.number, t.outcome, t.error, t.key, t.xmin::text as "writtenBy"
			 from ${LEDGER} as t where t.store_id = $1 and t.system = $2${condition === null ? '' : ` and ${condition}`}`,
			[storeId, system],
		);
		return rows.map((row) => ({ ...row, number: Number(row.number) }));
	}

	/** The condition on rows, called `t`, that may have been written since a horizon; null: all may. */
	writtenSince(horizon: bigint | null): string | null {
		const since = readSince(horizon, this.moment);
		// Frozen rows keep their number, and one that is long past may look as if it were yet to come: below 0.
		return since === null ? null : `age(t.xmin) between 0 and age('${rowNumber(since)}'::xid)`;
	}
}

function ledgerClosed(role: string): SyncError {
	const name = ident(role);
	return new SyncError(
		'PRIVILEGE_MISSING',
		`The role ${name} may not read the ledger of our own writes, by which they are told from those of users. As its owner, run: grant usage on schema ${LEDGER_SCHEMA} to ${name}; grant select on ${LEDGER} to ${name};`,
	);
}
