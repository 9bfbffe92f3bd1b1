import fc from 'fast-check';
import { headerOf, outcomeOfReply, retryAfter, type HttpReply } from '../../src/core/http-outcome';
import type { Operation } from '../../src/core/link';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const KINDS: readonly Operation['kind'][] = ['insert', 'update', 'delete'];

const answer = (status: number, headers: HttpReply['headers'] = {}): HttpReply => ({ status, headers });
const outcome = (reply: HttpReply, kind: Operation['kind'] = 'update') => outcomeOfReply(reply, kind, NOW);

test.each([
	[200, 'update', 'applied'],
	[201, 'insert', 'applied'],
	[204, 'delete', 'applied'],
	[412, 'update', 'stale'],
	[409, 'update', 'stale'],
	[409, 'insert', 'exists'],
	[412, 'insert', 'exists'],
	[404, 'update', 'gone'],
	[410, 'update', 'gone'],
	[404, 'delete', 'applied'],
	[404, 'insert', 'refused'],
	[400, 'update', 'refused'],
	[403, 'update', 'refused'],
	[422, 'insert', 'refused'],
	[428, 'update', 'refused'],
	[501, 'update', 'refused'],
	[401, 'update', 'forbidden'],
] as const)('%i to an %s means %s', (status, kind, expected) => {
	expect(outcome(answer(status), kind).kind).toBe(expected);
});

test.each([
	[429, true],
	[423, true],
	[408, false],
	[500, false],
	[502, false],
	[503, false],
	[504, false],
])('%i is tried again, and whether nothing was written is known for certain: %s', (status, isSure) => {
	expect(outcome(answer(status))).toMatchObject({ kind: 'later', isSure });
});

test('a server that says when to come back has not worked on the request', () => {
	const headers = { 'Retry-After': '7' };
	expect(outcome(answer(503, headers))).toMatchObject({ kind: 'later', isSure: true, retryAfterMs: 7000 });
	expect(outcome(answer(403, headers))).toMatchObject({ kind: 'later', isSure: true, retryAfterMs: 7000 });
	expect(outcome(answer(500, headers))).toMatchObject({ kind: 'later', isSure: false, retryAfterMs: 7000 });
});

test.each([
	['ECONNREFUSED', true],
	['ENOTFOUND', true],
	['CERT_HAS_EXPIRED', true],
	['ECONNRESET', false],
	['ETIMEDOUT', false],
	['ECONNABORTED', false],
	[undefined, false],
])('without an answer (%s) whether nothing was written is known for certain: %s', (errorCode, isSure) => {
	expect(outcome({ status: null, headers: {}, errorCode })).toMatchObject({ kind: 'later', isSure });
});

test('every answer has a meaning, and only one of the 200s means that it was written', () => {
	const reply = fc.record({
		status: fc.option(fc.integer({ min: 100, max: 599 })),
		headers: fc.dictionary(fc.constantFrom('retry-after', 'Retry-After', 'etag'), fc.string()),
	});
	fc.assert(
		fc.property(reply, fc.constantFrom(...KINDS), (given, kind) => {
			const found = outcomeOfReply(given, kind, NOW);
			const isWritten = given.status !== null && given.status >= 200 && given.status < 300;
			const isGoneAlready = kind === 'delete' && (given.status === 404 || given.status === 410);
			expect(found.kind === 'applied').toBe(isWritten || isGoneAlready);
			if (found.kind === 'later') expect(found.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
		}),
	);
});

test('the words of the server are in no outcome', () => {
	const found = outcome(answer(422, { warning: 'secret' }));
	expect(JSON.stringify(found)).not.toContain('secret');
});

test.each([
	['7', 7000],
	['0', 0],
	[' 120 ', 120_000],
	['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
	['Sunday, 01-Mar-26 12:00:30 GMT', 30_000],
	['Sun, 01 Mar 2026 11:00:00 GMT', 0],
	['99999999', 24 * 3_600_000],
	['soon', null],
	['-1', null],
	['1.5', null],
	['', null],
	[undefined, null],
])('Retry-After %p is a wait of %p ms', (value, expected) => {
	expect(retryAfter(value, NOW)).toBe(expected);
});

test('a header is found whatever its case', () => {
	expect(headerOf({ ETag: '"1"' }, 'etag')).toBe('"1"');
	expect(headerOf({}, 'etag')).toBeUndefined();
});
