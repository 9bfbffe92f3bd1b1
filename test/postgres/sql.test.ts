import { SyncError } from '../../src/core/errors';
import { codeOf, ident, literal, messageOf, tableName, toSyncError } from '../../src/postgres/sql';

const withCode = (code: string, message = 'what it says') =>
	Object.assign(new Error(message), { code });

test.each([
	['08006', 'DATABASE_UNREACHABLE'],
	['57P01', 'DATABASE_UNREACHABLE'],
	['53300', 'DATABASE_UNREACHABLE'],
	['ECONNREFUSED', 'DATABASE_UNREACHABLE'],
	['ENOTFOUND', 'DATABASE_UNREACHABLE'],
	['28P01', 'AUTH_FAILED'],
	['28000', 'AUTH_FAILED'],
	['3D000', 'DATABASE_MISSING'],
	['42501', 'PRIVILEGE_MISSING'],
	['SELF_SIGNED_CERT_IN_CHAIN', 'TLS_FAILED'],
	['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS_FAILED'],
])('%s is the error %s', (code, expected) => {
	const cause = withCode(code);
	const error = toSyncError(cause, 'table a.b');
	expect(error).toMatchObject({ code: expected, cause, details: { sqlState: code } });
	expect(error.message).toMatch(/ table a\.b: what it says$/);
});

test.each(['42601', '23505', '40001', '57014', '22P02'])(
	'%s stays the error of the server',
	(code) => {
		const cause = withCode(code);
		expect(toSyncError(cause, 'the database')).toBe(cause);
	},
);

test('what the driver throws without a code is understood by its text', () => {
	expect(toSyncError(new Error('Connection terminated unexpectedly'), 'x')).toMatchObject({
		code: 'DATABASE_UNREACHABLE',
	});
	expect(toSyncError(new Error('SASL: no password'), 'x')).toMatchObject({ code: 'AUTH_FAILED' });
	const unknown = new Error('something else');
	expect(toSyncError(unknown, 'x')).toBe(unknown);
});

test('what is no error becomes one, and a SyncError stays itself', () => {
	expect(toSyncError('text', 'x')).toMatchObject({ message: 'text' });
	expect(toSyncError(null, 'x')).toBeInstanceOf(Error);
	const error = new SyncError('SLOT_BUSY', 'busy');
	expect(toSyncError(error, 'x')).toBe(error);
	expect([codeOf(undefined), messageOf(undefined)]).toEqual([undefined, 'undefined']);
});

test('names and texts are quoted', () => {
	expect(ident('a"b')).toBe('"a""b"');
	expect(literal("it's")).toBe("'it''s'");
	expect(tableName({ schema: 'S', table: 't;' })).toBe('"S"."t;"');
});
