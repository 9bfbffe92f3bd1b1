import { connect, type PgSettings } from './connect';
import { FAILOVER_SINCE } from './failover-slot';
import { gatherFacts, type PreflightFacts, type PreflightRequest, readTables, type WantedTable } from './preflight-facts';
import { judgePublication } from './preflight-publication';
import { judgePolledTable, judgeTable } from './preflight-tables';
import { slotProblem } from './slot';
import { ident, literal, query } from './sql';

/** Something that stands in the way, or that is better known before it matters. */
export interface Problem {
	/** With an `error` changes cannot be read, or would be read wrongly. */
	readonly severity: 'error' | 'warning';
	readonly code: ProblemCode;
	readonly message: string;
	/** SQL to run, or what else to do. */
	readonly fix: string;
}

export type ProblemCode =
	| 'SERVER_TOO_OLD'
	| 'SERVER_IS_STANDBY'
	| 'WAL_LEVEL'
	| 'REPLICATION_DENIED'
	| 'SLOTS_EXHAUSTED'
	| 'WAL_SENDERS_EXHAUSTED'
	| 'WAL_KEPT_WITHOUT_LIMIT'
	| 'ENCODING_UNKNOWN'
	| 'MESSAGE_DENIED'
	| 'FAILOVER_UNSUPPORTED'
	| 'FAILOVER_UNGUARDED'
	| 'SLOT_UNUSABLE'
	| 'SLOT_AT_RISK'
	| 'TABLE_MISSING'
	| 'TABLE_NOT_LOGGED'
	| 'COLUMN_MISSING'
	| 'COLUMN_GENERATED'
	| 'SELECT_DENIED'
	| 'ROWS_HIDDEN'
	| 'KEY_NOT_UNIQUE'
	| 'KEY_NULLABLE'
	| 'IDENTITY_NOTHING'
	| 'IDENTITY_LACKS_KEY'
	| 'IDENTITY_LACKS_FILTER'
	| 'IDENTITY_KEY_ONLY'
	| 'IDENTITY_UNPUBLISHED'
	| 'PUBLICATION_MISSING'
	| 'PUBLICATION_INCOMPLETE'
	| 'PUBLICATION_FILTERS';

/**
 * Looks for everything that keeps the changes of these tables from being read completely, and
 * reports all of it at once, errors first.
 *
 * @throws SyncError when the database cannot be reached at all
 */
export async function preflight(request: PreflightRequest): Promise<readonly Problem[]> {
	return judge(await gatherFacts(request), request);
}

/**
 * The same for tables that are polled, which takes no more of a server than to be asked.
 *
 * @throws SyncError when the database cannot be reached
 */
export async function preflightPolled(connection: PgSettings, tables: readonly WantedTable[]): Promise<readonly Problem[]> {
	const client = await connect(connection);
	try {
		const [server] = await query<{ database: string; role: string }>(client, 'select current_database() as database, current_user as role');
		const facts = await readTables(client, tables);
		const named = server ?? { database: connection.database, role: connection.user };
		const problems = tables.flatMap((table, at) => judgePolledTable(table, facts[at] ?? null, named));
		return problems.sort((a, b) => RANK[a.severity] - RANK[b.severity]);
	} finally {
		await client.end();
	}
}

/** The judgement alone. Pure. */
export function judge(facts: PreflightFacts, request: PreflightRequest): readonly Problem[] {
	const problems = [
		...judgeServer(facts),
		...judgeFailover(facts, request),
		...judgeSlot(facts, request),
		...request.tables.flatMap((table, index) =>
			judgeTable(table, facts.tables[index] ?? null, facts, request),
		),
		...judgePublication(facts, request),
	];
	return problems.sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}

const RANK = { error: 0, warning: 1 } as const;

/** Logical messages reach pgoutput from here on. */
const OLDEST_VERSION = 140_000;

function judgeServer(facts: PreflightFacts): Problem[] {
	const problems = [...settingProblems(facts), ...limitProblems(facts), ...roleProblems(facts)];
	return problems.filter((problem) => problem !== false);
}

function settingProblems({ server }: PreflightFacts): (Problem | false)[] {
	const major = Math.floor(server.versionNum / 10_000);
	return [
		server.versionNum < OLDEST_VERSION && {
			severity: 'error',
			code: 'SERVER_TOO_OLD',
			message: `The server is Postgres ${major}; only from 14 on can our own writes be marked in its log`,
			fix: 'Upgrade the server to Postgres 14 or later.',
		},
		server.isStandby && {
			severity: 'error',
			code: 'SERVER_IS_STANDBY',
			message: 'The server is a standby: nothing can be written to it',
			fix: 'Give the address of the primary server in the credential.',
		},
		server.walLevel !== 'logical' && {
			severity: 'error',
			code: 'WAL_LEVEL',
			message: `The log holds too little to read changes from it (wal_level is ${server.walLevel})`,
			fix: "alter system set wal_level = 'logical'; -- then restart the server; managed databases have a parameter for it",
		},
		server.encoding === 'SQL_ASCII' && {
			severity: 'warning',
			code: 'ENCODING_UNKNOWN',
			message:
				'The database does not know the encoding of its texts (SQL_ASCII); what is not UTF-8 arrives damaged',
			fix: 'Copy the data into a database with the encoding UTF8.',
		},
	];
}

function limitProblems({ server, slot }: PreflightFacts): (Problem | false)[] {
	return [
		slot === null &&
			server.usedReplicationSlots >= server.maxReplicationSlots && {
				severity: 'error',
				code: 'SLOTS_EXHAUSTED',
				message: `All ${server.maxReplicationSlots} replication slots are taken`,
				fix: `alter system set max_replication_slots = ${server.maxReplicationSlots + 10}; -- then restart the server, or drop a slot nobody reads`,
			},
		server.usedWalSenders >= server.maxWalSenders && {
			severity: 'error',
			code: 'WAL_SENDERS_EXHAUSTED',
			message: `All ${server.maxWalSenders} replication sessions are taken`,
			fix: `alter system set max_wal_senders = ${server.maxWalSenders + 10}; -- then restart the server`,
		},
		server.maxSlotWalKeepMb === -1 && {
			severity: 'warning',
			code: 'WAL_KEPT_WITHOUT_LIMIT',
			message:
				'While the workflow is inactive the server keeps all log for it, until the disk is full',
			fix: "alter system set max_slot_wal_keep_size = '50GB'; select pg_reload_conf(); -- less than the free disk space; beyond it the slot is lost",
		},
	];
}

function judgeFailover({ server }: PreflightFacts, { failover = false }: PreflightRequest): Problem[] {
	if (!failover) return [];
	const { versionNum, synchronizedStandbySlots } = server;
	if (versionNum < FAILOVER_SINCE) {
		return [
			{
				severity: 'error',
				code: 'FAILOVER_UNSUPPORTED',
				message: `"Failover Slot" is on, but the server is Postgres ${Math.floor(versionNum / 10_000)}: a standby keeps slots from Postgres 17 on`,
				fix: 'Take the option "Failover Slot" away, or upgrade the server to Postgres 17 or later.',
			},
		];
	}
	if (synchronizedStandbySlots !== '') return [];
	return [
		{
			severity: 'warning',
			code: 'FAILOVER_UNGUARDED',
			message: 'Changes may be handed on before the standby has them: synchronized_standby_slots names no standby',
			fix: "alter system set synchronized_standby_slots = '…'; select pg_reload_conf(); -- the physical slot that the standby has as primary_slot_name",
		},
	];
}

function roleProblems({ server, replicationError }: PreflightFacts): (Problem | false)[] {
	const role = ident(server.role);
	return [
		replicationError !== null && {
			severity: 'error',
			code: 'REPLICATION_DENIED',
			message: `The role ${role} cannot open a replication session. ${replicationError.message}`,
			fix:
				replicationError.code === 'PRIVILEGE_MISSING'
					? `alter role ${role} with replication; -- on Amazon RDS: grant rds_replication to ${role};`
					: replicationError.remedy,
		},
		server.deniedMessageFunction !== null && {
			severity: 'warning',
			code: 'MESSAGE_DENIED',
			message: `The role ${role} cannot mark its writes, so it can read changes here but not apply any`,
			fix: `grant execute on function ${server.deniedMessageFunction} to ${role};`,
		},
	];
}

function judgeSlot({ slot, server }: PreflightFacts, request: PreflightRequest): Problem[] {
	if (!slot) return []; // It is made when the workflow is activated.
	const drop = `select pg_drop_replication_slot(${literal(slot.name)});`;
	const problem = slotProblem(slot, request.slot, server.database);
	if (problem) {
		const fix = `${drop} -- then activate the workflow: it makes a new slot and reads the tables anew`;
		return [{ severity: 'error', code: 'SLOT_UNUSABLE', message: problem.message, fix }];
	}
	if (slot.walStatus !== 'unreserved') return [];
	return [
		{
			severity: 'warning',
			code: 'SLOT_AT_RISK',
			message: `Slot ${ident(slot.name)} is behind by more than max_slot_wal_keep_size and may be lost at any time`,
			fix: `alter system set max_slot_wal_keep_size = '${Math.ceil((server.maxSlotWalKeepMb * 2) / 1024) || 1}GB'; select pg_reload_conf(); -- and activate the workflow`,
		},
	];
}
