import type { ErrorAdvice } from './error-advice';

/** What goes wrong between us and the sync store. */
export const STORE_ERRORS = {
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
	NOT_COMPARABLE: {
		action: 'retry',
		remedy:
			'Let the workflow with the triggers of both systems be active, approve the first contact, and wait until all rows have been ' +
			'read (Sync Policy, Show tells). Then run the comparison again, with the databases that the triggers read.',
	},
	STREAM_BEHIND: {
		action: 'retry',
		remedy:
			'See that the workflow with the trigger of this system is active and that its executions succeed, or give the node more time ' +
			'(Options, Wait for Streams). Nothing was compared.',
	},
	READ_TOO_EARLY: {
		action: 'retry',
		remedy:
			'Run Reconcile Diff again while the workflow with the triggers of both systems is active. Its items must go to the Echo ' +
			'Filter with the same policy and sync store. Nothing was written.',
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
	STORE_FULL: {
		action: 'retry',
		remedy:
			'Give the Redis of the sync store more memory (CONFIG SET maxmemory), or room on its disk (its log names the ' +
			'reason). Nothing is lost: what was not committed is emitted again.',
	},
	STORE_READ_ONLY: {
		action: 'retry',
		remedy:
			'Give the address of the primary in the sync store credential; after a failover, that of the new one. ' +
			'Nothing is lost: what was not committed is emitted again.',
	},
	STORE_UNSUITABLE: {
		action: 'stop',
		remedy:
			'Change the server as the message says, and in its configuration file too; or use another one. ' +
			'A sync store must never forget on its own account.',
	},
	STORE_WENT_BACK: {
		action: 'stop',
		remedy:
			'Its server was put back to a copy, or was started anew without its last writes. The trigger starts again by itself: ' +
			'what was not acknowledged to the source is read once more, and if changes may be missing, a review item asks first.',
	},
	STORE_LOST: {
		action: 'stop',
		remedy:
			'If there is a copy of the sync store, put it back. Otherwise publish the policy again: Sync Policy, ' +
			'operation Publish, begins a first contact, which reads all rows anew and writes nothing before somebody approves it.',
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
} as const satisfies Record<string, ErrorAdvice>;
