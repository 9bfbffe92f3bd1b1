import pg from 'pg';

import type { Json } from '../core/canonical-json';
import { type ErrorCode, SyncError } from '../core/errors';
import type { Operation } from '../core/link';
import { toSyncError } from './sql';

/**
 * What an error of a write means for the operation.
 *
 * - `refused`: the database rejects this value or this row, and will again: an outcome.
 * - `blocked`: the statement cannot run as things are (a lock, a missing privilege or column, a full
 *   disk). It says nothing about the value, and goes away without a new decision: no outcome.
 * - `contended`: the server undid the transaction to let another one pass; it can be run again at once.
 * - `lost`: the connection is gone, and with it the knowledge of what became of the transaction.
 * - `defect`: not an error of the database at all.
 */
export type WriteFault = 'refused' | 'blocked' | 'contended' | 'lost' | 'defect';

/** Classes of "PostgreSQL Error Codes" (appendix A of the manual) that are about the state of the server or the schema. */
const BLOCKING_CLASSES: ReadonlySet<string> = new Set([
	'08', // connection exception: of a foreign table's server, as ours still answers
	'0A', // feature not supported
	'25', // invalid transaction state: a read-only server
	'26', // invalid statement name: a pooler between us and the server
	'28', // invalid authorization
	'3D', // invalid catalog name
	'3F', // invalid schema name
	'42', // syntax error or access rule violation: missing tables, columns, types, privileges
	'53', // insufficient resources
	'55', // object not in prerequisite state, and lock_timeout
	'57', // operator intervention: statement_timeout
	'58', // system error
	'F0', // configuration file error
	'HV', // foreign data wrapper
	'XX', // internal error
]);

/** In class 42, yet an answer to what we write: the column is generated, and takes no value from anybody. */
const REFUSING_STATES: ReadonlySet<string> = new Set(['428C9']);

/** Row security reports its violation with the state of a missing privilege; only the routine tells them apart. */
const ROW_SECURITY_ROUTINE = 'ExecWithCheckOptions';

/** Shutdown, crash, start-up, database dropped, idle session; idle in a transaction, transaction timeout. */
const LOST_STATE = /^(57P0[1-5]|25P0[34])$/;

/** Refusals that another row causes, and another operation of the batch may take away. */
const DEPENDENT_STATES: ReadonlySet<string> = new Set(['23503', '23505', '23P01']);

/** A row with the same unique value is there. */
const CONFLICT_STATES: ReadonlySet<string> = new Set(['23505', '23P01']);

/** Every state that is not named above is a refusal, above all those that triggers choose for themselves. */
export function faultOf(error: unknown): WriteFault {
	if (!(error instanceof pg.DatabaseError)) {
		return toSyncError(error, 'the target') instanceof SyncError ? 'lost' : 'defect';
	}
	const { code = '', routine } = error;
	if (LOST_STATE.test(code)) return 'lost';
	if (code.startsWith('40')) return 'contended';
	if (REFUSING_STATES.has(code)) return 'refused';
	if (code === '42501' && routine === ROW_SECURITY_ROUTINE) return 'refused';
	return BLOCKING_CLASSES.has(code.slice(0, 2)) ? 'blocked' : 'refused';
}

/** Whether the refusal may be over once other operations of the batch have been written. */
export const dependsOnOtherRows = (error: unknown): boolean => hasState(error, DEPENDENT_STATES);

/** Whether a row with the same unique value is in the way. */
export const isUniqueConflict = (error: unknown): boolean => hasState(error, CONFLICT_STATES);

/** Whether a lock could not be had within lock_timeout. */
export const isLockTimeout = (error: unknown): boolean => hasState(error, new Set(['55P03']));

function hasState(error: unknown, states: ReadonlySet<string>): boolean {
	return error instanceof pg.DatabaseError && states.has(error.code ?? '');
}

const BLOCKED_CODES: Readonly<Record<string, ErrorCode>> = {
	'55P03': 'TARGET_BUSY',
	'57014': 'TARGET_BUSY',
	'42501': 'PRIVILEGE_MISSING',
	'42P01': 'TABLE_MISSING',
	'42703': 'TABLE_MISSING',
	'42704': 'TABLE_MISSING',
	'3F000': 'TABLE_MISSING',
};

/**
 * Why operations have no outcome.
 *
 * @param doing - completes "Cannot ..."
 */
export function blockedError(error: unknown, doing: string): SyncError {
	if (error instanceof SyncError) return error;
	if (!(error instanceof pg.DatabaseError)) {
		const translated = toSyncError(error, 'the target');
		if (translated instanceof SyncError) return translated;
		throw translated;
	}
	const state = error.code ?? '';
	const code = faultOf(error) === 'lost' ? 'DATABASE_UNREACHABLE' : BLOCKED_CODES[state];
	const isContended = faultOf(error) === 'contended';
	return new SyncError(
		code ?? (isContended ? 'TARGET_BUSY' : 'TARGET_FAILED'),
		`Cannot ${doing}: ${maskQuoted(error)} (SQLSTATE ${state})`,
		{ cause: error, details: { sqlState: state } },
	);
}

const MASK = '…';
const MAX_REFUSAL_LENGTH = 300;

/**
 * The database's words, for the marker and the review, without row values: the message alone (the
 * detail quotes the row), in which the operation's own values and what class 22 quotes are masked.
 * What a trigger's own message says about other rows cannot be known, and stays.
 */
export function refusalText(error: unknown, op: Operation): string {
	if (!(error instanceof pg.DatabaseError)) throw error;
	let text = maskQuoted(error);
	const values = new Set(
		[op.key, ...Object.values(op.fields).flatMap(valuesOfField)].flatMap(leafTexts),
	);
	for (const value of [...values].sort((a, b) => b.length - a.length)) {
		if (!text.includes(value)) continue;
		// Whole words, or a value of "a" would make the message unreadable; `_` keeps constraint names.
		const word = `(?<![\\p{L}\\p{N}_])${escapeRegExp(value)}(?![\\p{L}\\p{N}_])`;
		text = text.replaceAll(new RegExp(word, 'gu'), MASK);
	}
	const shown = text.length > MAX_REFUSAL_LENGTH ? `${text.slice(0, MAX_REFUSAL_LENGTH)}…` : text;
	return `${shown} (SQLSTATE ${error.code ?? 'unknown'})`;
}

/** Class 22 (data exception) quotes the value; the other classes quote names. */
function maskQuoted({ code = '', message }: pg.DatabaseError): string {
	return code.startsWith('22') ? message.replace(/"[^]*"/, `"${MASK}"`) : message;
}

function valuesOfField({ expected, next }: Operation['fields'][string]): Json[] {
	return [expected, next].filter((value) => value !== undefined);
}

function leafTexts(value: Json | Operation['key']): string[] {
	if (value === null || typeof value === 'boolean' || value === '') return [];
	if (typeof value === 'object') return Object.values(value).flatMap(leafTexts);
	return [String(value)];
}

function escapeRegExp(text: string): string {
	return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
