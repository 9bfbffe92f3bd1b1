import type { ErrorAdvice } from './error-advice';

/** What goes wrong between us and a Postgres system. */
export const DATABASE_ERRORS = {
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
			'this user, database and address (Redis: ACL LIST, or requirepass).',
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

	SERVER_IS_STANDBY: {
		action: 'retry',
		remedy:
			'Nothing is lost, and a standby that is about to take over needs a moment. If it stays one, let the address in ' +
			'the credential lead to the primary server.',
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
			'Changes since the last acknowledgement may be gone, so no new slot is made silently. Set "Existing Rows" of the trigger to ' +
			'When Needed, and all rows are read again through a new slot; or give another name as "Replication Slot", and only what ' +
			'changes from now on is read. Then activate the workflow again.',
	},
	SLOT_LOST: {
		action: 'stop',
		remedy:
			'Postgres removed write-ahead log that this slot still needed. Set "Existing Rows" of the trigger to When Needed, and all rows ' +
			'are read again through a new slot; or drop the slot (select pg_drop_replication_slot(name)) and give another name as ' +
			'"Replication Slot". Then activate the workflow again. Raise max_slot_wal_keep_size ' +
			'(and idle_replication_slot_timeout, from Postgres 18 on) to keep it from recurring.',
	},
	SLOT_IN_DANGER: {
		action: 'retry',
		remedy:
			'Nothing is lost yet. See why changes are not observed: executions of this workflow that fail or do not end, or a transaction ' +
			'that has been open for long. Where the disk has room, raise max_slot_wal_keep_size.',
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
	SCHEMA_CHANGED: {
		action: 'retry',
		remedy:
			'Nothing need be done for the trigger: it starts anew at this change. The fields of these columns wait, and a review item says for what.',
	},
	SPOOL_FAILED: {
		action: 'retry',
		remedy:
			'A large transaction is kept in the folder for temporary files while it is handed on. Make room there, or let the ' +
			'environment variable TMPDIR of n8n name another folder. Nothing is lost: the transaction is read again.',
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
		remedy: 'Publish the policy under another name, which starts with a first read of all tables.',
	},
	NO_SAMPLE: {
		action: 'stop',
		remedy: 'Insert or change a row in one of the tables, then run the test again.',
	},
	READ_REFUSED: {
		action: 'dead-letter',
		remedy:
			'Everything else goes on. Correct the table or the keys, see that the role of the credential may read the table, and ask again ' +
			'with the Sync Record node.',
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
} as const satisfies Record<string, ErrorAdvice>;
