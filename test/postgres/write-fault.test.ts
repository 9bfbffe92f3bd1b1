import pg from 'pg';

import type { Json } from '../../src/core/canonical-json';
import { SyncError } from '../../src/core/errors';
import { blockedError, faultOf, refusalText } from '../../src/postgres/write-fault';
import { updateOf } from '../support/write-target';

function databaseError(code: string, message = 'a message', routine?: string): pg.DatabaseError {
	return Object.assign(new pg.DatabaseError(message, 0, 'error'), { code, routine });
}

test.each([
	['22P02', 'refused'], // invalid text representation
	['22001', 'refused'], // too long
	['23505', 'refused'], // unique violation
	['23514', 'refused'], // check violation
	['44000', 'refused'], // with check option
	['P0001', 'refused'], // raise exception
	['54000', 'refused'], // program limit: an index row too large
	['38000', 'refused'], // external routine
	['ZZ999', 'refused'], // a state that a trigger made up
	['428C9', 'refused'], // generated column
	['42501', 'blocked'],
	['42P01', 'blocked'],
	['42703', 'blocked'],
	['42804', 'blocked'],
	['55P03', 'blocked'],
	['57014', 'blocked'],
	['53100', 'blocked'], // disk full
	['25006', 'blocked'], // read-only
	['40P01', 'contended'],
	['40001', 'contended'],
	['57P01', 'lost'],
	['25P03', 'lost'],
])('%s is %s', (code, fault) => {
	expect(faultOf(databaseError(code))).toBe(fault);
});

test('row security is told from a missing privilege', () => {
	expect(faultOf(databaseError('42501', 'x', 'aclcheck_error'))).toBe('blocked');
	expect(faultOf(databaseError('42501', 'x', 'ExecWithCheckOptions'))).toBe('refused');
});

test('a broken connection is a loss, and a mistake of ours is nothing of the database', () => {
	expect(faultOf(new Error('Connection terminated unexpectedly'))).toBe('lost');
	expect(faultOf(Object.assign(new Error('read'), { code: 'ECONNRESET' }))).toBe('lost');
	expect(faultOf(new TypeError('x is undefined'))).toBe('defect');
	expect(() => blockedError(new TypeError('x is undefined'), 'write')).toThrow(TypeError);
});

test('a refusal shows none of the operation’s values, but the names', () => {
	const textOf = (code: string, message: string, value: Json): string =>
		refusalText(databaseError(code, message), updateOf('4711', { name: [null, value] }));
	expect(textOf('22P02', 'invalid input syntax for type integer: "a "b" c"', 'a "b" c')).toBe(
		'invalid input syntax for type integer: "…" (SQLSTATE 22P02)',
	);
	expect(textOf('P0001', 'customer 4711 (Ann Lee) owes 12.50', 'Ann Lee')).toBe(
		'customer … (…) owes 12.50 (SQLSTATE P0001)',
	);
	expect(textOf('P0001', 'tag x.* of a.b.c', ['x.*', { deep: 'a.b.c' }])).toBe(
		'tag … of … (SQLSTATE P0001)',
	);
	expect(textOf('23514', 'violates check constraint "a_name_check"', 'name')).toBe(
		'violates check constraint "a_name_check" (SQLSTATE 23514)',
	);
	expect(textOf('P0001', 'x'.repeat(1_000), 'y')).toHaveLength(300 + '… (SQLSTATE P0001)'.length);
});

test('what blocks says what to do', () => {
	const codes = ['55P03', '42501', '42P01', '53100', '57P01', '40P01'].map(
		(code) => blockedError(databaseError(code), 'write').code,
	);
	expect(codes).toEqual([
		'TARGET_BUSY',
		'PRIVILEGE_MISSING',
		'TABLE_MISSING',
		'TARGET_FAILED',
		'DATABASE_UNREACHABLE',
		'TARGET_BUSY',
	]);
	const known = new SyncError('LEDGER_MISSING', 'x');
	expect(blockedError(known, 'write')).toBe(known);
});
