import { DATABASE_ERRORS } from './database-errors';
import type { ErrorAdvice } from './error-advice';
import { STORE_ERRORS } from './store-errors';

/** Every way this pack can fail. The nodes show an error's `message` as the headline and the `remedy` below it. */
export const ERROR_POLICY = {
	...DATABASE_ERRORS,
	...STORE_ERRORS,
	POLICY_INVALID: {
		action: 'stop',
		remedy: 'Correct each listed place in the policy, then publish it again.',
	},
	SHEET_INVALID: {
		action: 'stop',
		remedy: 'Correct the listed cells in the spreadsheet, save it as CSV and import it again. Sync Policy: Sign-Off Sheet makes a new one.',
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
	API_WITHOUT_CONDITION: {
		action: 'dead-letter',
		remedy:
			'Read the whole record, and give the node its ETag or its version. If the API has neither, set api: verified ' +
			'(it can be read before and after a write) or api: blind in the policy.',
	},
	NOT_A_READING: {
		action: 'dead-letter',
		remedy:
			'Let "Record" be the object that the API sent, with the properties that the policy names under "key", and "Version" a whole ' +
			'number or a time such as 2026-01-31T12:00:00Z.',
	},
	NOT_BEGUN: {
		action: 'dead-letter',
		remedy:
			'Let "Begun Request" be the bisync.begin of the item that Sync Write (Begin) gave out, such as ' +
			"{{ $('Begin').item.json.bisync.begin }}.",
	},
	WRONG_KIND_OF_SYSTEM: {
		action: 'stop',
		remedy:
			'Systems that the policy binds with "api:" are read with Echo Filter (Observe Records of an API) and written with Sync Write ' +
			'(Begin, Report Outcome); those with "table:" with the Postgres CDC Trigger and Sync Write (Write to Postgres).',
	},
	NOT_AN_LSN: {
		action: 'stop',
		remedy:
			'Give a log position as Postgres prints it, such as the answer of select pg_current_wal_lsn().',
	},

	RECORD_UNKNOWN: {
		action: 'dead-letter',
		remedy: 'Give the key of a row that the sync has seen, with the name of its system and entity.',
	},
	CANNOT_LINK: {
		action: 'dead-letter',
		remedy: 'Two links can become one where each system has a row of one of them at most, and one of them has a single row with no write under way. Delete or part the row that is too many first.',
	},
	CANNOT_PART: {
		action: 'dead-letter',
		remedy: 'Look at the record with the Sync Record node (Explain): a row can be taken out of a link that has rows of two or more systems, while no write of it is under way.',
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
} as const satisfies Record<string, ErrorAdvice>;

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
	get action(): ErrorAdvice['action'] {
		return ERROR_POLICY[this.code].action;
	}

	/** What the person does about it. */
	get remedy(): string {
		return ERROR_POLICY[this.code].remedy;
	}
}
