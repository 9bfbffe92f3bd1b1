import pg from 'pg';

import { type ErrorCode, SyncError } from '../core/errors';

/** A pool, or one session of it. */
export type Queryable = Pick<pg.ClientBase, 'query'> | Pick<pg.Pool, 'query'>;

/** Quotes a name as a Postgres identifier. Values never go through here: they are `$1` parameters. */
export const ident = (name: string): string => pg.escapeIdentifier(name);

/** Quotes a text as a literal, for replication sessions alone: they take no parameters. */
export const literal = (text: string): string => pg.escapeLiteral(text);

/** For `types` of a query: the values as the server prints them, touched by no parser of the driver. */
export const AS_TEXT = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

/** A table with its schema, quoted. */
export const tableName = ({ schema, table }: { schema: string; table: string }): string =>
	`${ident(schema)}.${ident(table)}`;

/**
 * Runs one statement and returns its rows.
 *
 * @throws SyncError when the database cannot be reached or refuses the role; every other error as it
 * is: a mistake in the SQL should look like one
 */
export async function query<Row extends pg.QueryResultRow>(
	db: Queryable,
	text: string,
	values?: readonly unknown[],
): Promise<Row[]> {
	try {
		const { rows } = await db.query<Row>(text, values ? [...values] : undefined);
		return rows;
	} catch (error) {
		throw toSyncError(error, 'the database');
	}
}

/**
 * Translates what the driver and the server throw about the connection or the role.
 *
 * @param where - what could not be reached, for the message; completes "Cannot reach ..."
 * @returns a SyncError with `error` as its cause, or `error` itself when it is about something else
 */
export function toSyncError(error: unknown, where: string): Error {
	if (error instanceof SyncError) return error;
	const code = codeOf(error);
	const message = messageOf(error);
	const found = syncCodeOf(code, message);
	if (!found) return error instanceof Error ? error : new Error(message, { cause: error });
	return new SyncError(found, `${HEADLINES[found]} ${where}: ${message || code}`, {
		cause: error,
		details: { sqlState: code ?? null },
	});
}

/** The SQLSTATE of a server's error, the code of a socket's or TLS error, or undefined. */
export function codeOf(error: unknown): string | undefined {
	// Not `instanceof Error`: errors of the runtime itself may come from another realm.
	const code = (error as { code?: unknown } | null | undefined)?.code;
	return typeof code === 'string' ? code : undefined;
}

/** What the thrower said. */
export function messageOf(error: unknown): string {
	const message = (error as { message?: unknown } | null | undefined)?.message;
	return typeof message === 'string' ? message : String(error);
}

const HEADLINES = {
	DATABASE_UNREACHABLE: 'Cannot reach',
	DATABASE_MISSING: 'There is no',
	AUTH_FAILED: 'No access to',
	PRIVILEGE_MISSING: 'The role lacks a privilege on',
	TLS_FAILED: 'No encrypted connection to',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** SQLSTATE 08* connection, 57P* shutdown or crash, 53300 too many connections. */
const UNREACHABLE_STATE = /^(08...|57P..|53300)$/;
const UNREACHABLE_SOCKET =
	/^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|ENOENT)$/;
const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** What the driver throws without a code. */
const UNREACHABLE_MESSAGE =
	/^(Connection terminated|timeout expired|Client has encountered|timeout exceeded|Query read timeout)/;

function syncCodeOf(code: string | undefined, message: string): keyof typeof HEADLINES | null {
	if (code === undefined) {
		if (UNREACHABLE_MESSAGE.test(message)) return 'DATABASE_UNREACHABLE';
		if (/SSL connection/.test(message)) return 'TLS_FAILED';
		return message.startsWith('SASL') ? 'AUTH_FAILED' : null;
	}
	if (UNREACHABLE_STATE.test(code) || UNREACHABLE_SOCKET.test(code)) return 'DATABASE_UNREACHABLE';
	if (TLS_CODE.test(code)) return 'TLS_FAILED';
	if (code.startsWith('28')) return 'AUTH_FAILED';
	if (code === '3D000') return 'DATABASE_MISSING';
	return code === '42501' ? 'PRIVILEGE_MISSING' : null;
}
