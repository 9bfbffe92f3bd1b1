/**
 * Every way this pack can fail, and what the person running the workflow does about it. The
 * nodes show an error's `message` as the headline and the `remedy` below it.
 *
 * - `retry`: transient; running the same item again can succeed.
 * - `dead-letter`: this item will fail again until a person changes something.
 * - `stop`: nothing will work until the configuration changes.
 */
export const ERROR_POLICY = {
	POLICY_INVALID: {
		action: 'stop',
		remedy: 'Correct each listed place in the policy, then publish it again.',
	},
	NOT_JSON: {
		action: 'dead-letter',
		remedy:
			'Only null, true, false, finite numbers, texts, lists and objects can be synced. Send large ' +
			'integers and decimals as text, and leave a field out instead of setting it to undefined.',
	},
	KEY_INCOMPLETE: {
		action: 'dead-letter',
		remedy:
			'Let the source send every column that the policy names under "key" (for Postgres: alter table … ' +
			'replica identity full), or choose a key whose columns are never null.',
	},
	NOT_A_CHANGE_EVENT: {
		action: 'dead-letter',
		remedy:
			'Connect this node to a trigger of this pack, and leave the change event unedited on the way.',
	},
	NOT_AN_LSN: {
		action: 'stop',
		remedy:
			'Give a log position as Postgres prints it, such as the answer of select pg_current_wal_lsn().',
	},

	// Connections to Postgres.
	DATABASE_UNREACHABLE: {
		action: 'retry',
		remedy:
			'Check host, port and firewall, and that the server runs and has connections left ' +
			'(max_connections, max_wal_senders).',
	},
	DATABASE_MISSING: {
		action: 'stop',
		remedy: 'Correct the database name in the credential.',
	},
	AUTH_FAILED: {
		action: 'stop',
		remedy:
			'Check user and password in the credential, and that pg_hba.conf on the server has a line for ' +
			'this user, database and address.',
	},
	TLS_FAILED: {
		action: 'stop',
		remedy:
			'Give the certificate of the authority that signed the server certificate, or choose another ' +
			'SSL mode in the credential.',
	},
	PRIVILEGE_MISSING: {
		action: 'stop',
		remedy:
			'Grant the role of the credential what the message names; the preflight prints the SQL.',
	},

	// Reading changes from Postgres.
	CONNECTION_LOST: {
		action: 'retry',
		remedy:
			'Nothing is lost: the server keeps all changes that were not acknowledged and sends them again. ' +
			'If it happens often, raise wal_sender_timeout and read the server log.',
	},
	SLOT_BUSY: {
		action: 'retry',
		remedy:
			'One reader at a time can use a replication slot. Deactivate the other workflow, or end its session ' +
			'with select pg_terminate_backend(pid).',
	},
	SLOT_MISSING: {
		action: 'stop',
		remedy:
			'Changes since the last acknowledgement may be gone, so no new slot is made silently. Make one with ' +
			'a new first read of the tables, then activate the workflow again.',
	},
	SLOT_LOST: {
		action: 'stop',
		remedy:
			'Postgres removed write-ahead log that this slot still needed. Drop the slot, make a new one with a ' +
			'new first read of the tables, then activate the workflow again. Raise max_slot_wal_keep_size ' +
			'(and idle_replication_slot_timeout, from Postgres 18 on) to keep it from recurring.',
	},
	SLOT_UNUSABLE: {
		action: 'stop',
		remedy:
			'Choose another slot name, or drop the slot that has it: select pg_drop_replication_slot(name).',
	},
	SLOT_EXISTS: {
		action: 'stop',
		remedy: 'Use the slot that is there, or drop it first: select pg_drop_replication_slot(name).',
	},
	SLOT_LIMIT: {
		action: 'stop',
		remedy: 'Drop slots that nobody reads, or raise max_replication_slots and restart the server.',
	},
	SLOT_BLOCKED: {
		action: 'retry',
		remedy:
			'A slot can be made once every transaction that is open at that moment has ended. End the one named, ' +
			'with select pg_terminate_backend(pid) if need be.',
	},
	PUBLICATION_MISSING: {
		action: 'stop',
		remedy:
			'The publication must have existed before the changes that are to be read. Create it, then make a new ' +
			'slot with a new first read of the tables.',
	},
	STREAM_FAILED: {
		action: 'retry',
		remedy:
			'Read the message and the server log; the stream goes on where it stopped once the cause is gone.',
	},
	DECODE_FAILED: {
		action: 'stop',
		remedy:
			'The server sent what this version cannot read. No change was acknowledged. Check that nothing between ' +
			'this machine and the server alters the traffic, and report the message.',
	},
	TRANSACTION_TOO_LARGE: {
		action: 'stop',
		remedy:
			'A transaction is handed on as a whole, so it must fit into memory. Raise the limit on the size of a ' +
			'transaction, and the memory of the process with it.',
	},
	ACK_OUT_OF_RANGE: {
		action: 'stop',
		remedy: 'Acknowledge only positions that this stream has handed out.',
	},
	PREFLIGHT_FAILED: {
		action: 'stop',
		remedy: 'Run the SQL given with each problem, as the owner of the tables or a superuser, then try again.',
	},
	CHANGES_MISSING: {
		action: 'stop',
		remedy:
			'Nothing is read until a person agrees. Resolve the review item that the message names (Dead Letter ' +
			'Queue, operation Resolve or Retry), then activate the workflow again: it makes a new slot and reads ' +
			'all rows of the tables anew, so that nothing that happened meanwhile goes unnoticed.',
	},
	LOG_REWOUND: {
		action: 'stop',
		remedy:
			'This is another server, or one restored to an earlier time. Give the address of the right one; or ' +
			'publish the policy under another name, which starts with a first read of all tables.',
	},
	NO_SAMPLE: {
		action: 'stop',
		remedy: 'Insert or change a row in one of the tables, then run the test again.',
	},
	SNAPSHOT_GONE: {
		action: 'stop',
		remedy:
			'The session that held the snapshot open has ended. Drop the slot, and make a new one with a new first ' +
			'read of the tables.',
	},
	// Writing to Postgres.
	LEDGER_MISSING: {
		action: 'stop',
		remedy:
			'Let the owner of the target database run the SQL in the message once. Without the ledger a repeated ' +
			'write could not be told from a new one.',
	},
	TARGET_BUSY: {
		action: 'retry',
		remedy:
			'Nothing was written; it is tried again. If it happens often, look for transactions that stay open: ' +
			"select pid, xact_start, query from pg_stat_activity where state like 'idle in transaction%'.",
	},
	TARGET_FAILED: {
		action: 'retry',
		remedy:
			'Nothing was written; it is tried again. The message is the target server’s own; its log may say more.',
	},
	OPERATION_INVALID: {
		action: 'dead-letter',
		remedy:
			'Give Sync Write the policy by which the operation was decided, and leave the item unedited on the way from ' +
			'Field Authority Merge.',
	},
	TABLE_MISSING: {
		action: 'stop',
		remedy: 'Correct the table or column name in the policy, or create the table.',
	},
	RECORD_UNKNOWN: {
		action: 'dead-letter',
		remedy: 'Give the key of a row that the sync has seen, with the name of its system and entity.',
	},
	FIELD_UNKNOWN: {
		action: 'dead-letter',
		remedy: 'Name a field of the policy, not a column of a table.',
	},
	REVIEW_CLOSED: {
		action: 'dead-letter',
		remedy: 'Nothing need be done: somebody else, or a newer change, has closed the item.',
	},
	REVIEW_CHANGED: {
		action: 'dead-letter',
		remedy: 'Get the item again, look at the values as they are now, and decide on those.',
	},
	INVALID_RESOLUTION: {
		action: 'dead-letter',
		remedy: 'Choose a system that holds a value of the field, or give the value itself.',
	},
	STREAM_GAP: {
		action: 'stop',
		remedy:
			'Something between the trigger and this node dropped or reordered changes (an IF, Sort, Split, ' +
			'Limit or Execute Once). Connect the trigger directly to Echo Filter and filter in the trigger ' +
			'instead. The changes are emitted again; nothing is lost.',
	},
	STREAM_UNKNOWN: {
		action: 'stop',
		remedy:
			'Give the trigger and this node the same sync store credential and the same policy, and give the ' +
			'trigger a sync store at all: without one it cannot say which changes came before.',
	},
	STORE_UNREACHABLE: {
		action: 'retry',
		remedy:
			'Check host, port and firewall in the sync store credential, and that its server runs and has ' +
			'connections left (max_connections). Nothing is lost: what was not committed is emitted again.',
	},
	STORE_TOO_NEW: {
		action: 'stop',
		remedy:
			'A newer version of this pack has upgraded the sync store. Install that version on this n8n too, ' +
			'then restart it.',
	},
	POLICY_UNPUBLISHED: {
		action: 'stop',
		remedy:
			'Run the Sync Policy node with the operation Publish once, with this name and this sync store.',
	},
	JOURNAL_INCOMPLETE: {
		action: 'stop',
		remedy:
			'Read the journal of one link, oldest entry first and from its first entry on, and keep every published version of the policy.',
	},
	COMMIT_CONTENDED: {
		action: 'retry',
		remedy:
			'Nothing need be done: the changes are emitted again. If it persists, look for a second workflow that syncs the same records.',
	},
	INVALID_SETTING: {
		action: 'stop',
		remedy: 'Correct the field of that name in the node or in its credential.',
	},
	NOT_AN_OPERATION: {
		action: 'dead-letter',
		remedy:
			'Connect an output "Write to …" of Field Authority Merge to Sync Write, and leave the items unedited on the way.',
	},
	SYSTEMS_MISMATCH: {
		action: 'stop',
		remedy: 'Set "Systems" to the names that the policy lists, separated by commas, and connect each output.',
	},
	WRONG_SYSTEM: {
		action: 'stop',
		remedy:
			'Correct the connection, or the field "System" of this node. Nothing is lost: the write is offered again.',
	},
	POLICY_NOT_LIVE: {
		action: 'retry',
		remedy:
			'Approve the first contact, or set the mode to Live, with the Sync Policy node. What is to be written is kept until then.',
	},
	REVIEW_UNKNOWN: {
		action: 'dead-letter',
		remedy: 'Take the ID from the operation List, with the same sync store and policy.',
	},
	FIRST_CONTACT_OPEN: {
		action: 'stop',
		remedy:
			'Look at the operation First Contact Report of Sync Policy, then run Approve First Contact. The mode can be set from then on.',
	},
	FIRST_CONTACT_INCOMPLETE: {
		action: 'retry',
		remedy:
			'Activate the workflow with the triggers of all systems, wait until each has read its tables (Sync Policy, Show tells), then approve again.',
	},
} as const satisfies Record<string, { action: 'retry' | 'dead-letter' | 'stop'; remedy: string }>;

export type ErrorCode = keyof typeof ERROR_POLICY;

export interface SyncErrorOptions {
	/** The lower-level error, kept whole rather than pasted into the message. */
	readonly cause?: unknown;
	/** Facts for a program (paths, names, counts). No row values: they end in logs. */
	readonly details?: Readonly<Record<string, unknown>>;
}

/** The only error class thrown on purpose by `src/`. */
export class SyncError extends Error {
	override readonly name = 'SyncError';
	readonly details: Readonly<Record<string, unknown>>;

	/** @param message - What happened, naming the record, field or slot. No row values: they end in logs. */
	constructor(
		readonly code: ErrorCode,
		message: string,
		{ cause, details = {} }: SyncErrorOptions = {},
	) {
		super(message, cause === undefined ? undefined : { cause });
		this.details = details;
	}

	/** Whether to run the same item again, park it, or stop. */
	get action(): 'retry' | 'dead-letter' | 'stop' {
		return ERROR_POLICY[this.code].action;
	}

	/** What the person does about it. */
	get remedy(): string {
		return ERROR_POLICY[this.code].remedy;
	}
}
