import fc from 'fast-check';

import { SyncError } from '../../src/core/errors';
import { readerOfType } from '../../src/postgres/column-values';
import { decodePgoutput } from '../../src/postgres/pgoutput';
import { decodeReplicationMessage } from '../../src/postgres/replication-protocol';
import { TransactionAssembler } from '../../src/postgres/transaction-assembler';
import recordings from '../fixtures/pgoutput-messages.json';
import { pgoutputMessage } from '../support/pgoutput-arbitraries';
import { encodePgoutput } from '../support/pgoutput-encoder';

/**
 * What a broken or hostile server could send, beyond single messages (see the decoder's own tests). More with
 * PROPERTY_RUNS=100000; a failure prints its seed, and PROPERTY_SEED gives the same bytes again.
 */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 2_000);
const SETTINGS = { numRuns: RUNS, ...(process.env['PROPERTY_SEED'] === undefined ? {} : { seed: Number(process.env['PROPERTY_SEED']) }) };

const recorded = [...recordings[15], ...recordings[18]].map((text) => Buffer.from(text, 'base64'));

/** One message of a session that the servers had, as it was, or with bytes that are others. */
const message = fc.oneof(
	{ weight: 6, arbitrary: fc.constantFrom(...recorded) },
	{ weight: 2, arbitrary: pgoutputMessage.map(encodePgoutput) },
	{
		weight: 2,
		arbitrary: fc.tuple(fc.constantFrom(...recorded), fc.nat(), fc.nat({ max: 255 })).map(([bytes, at, byte]) => {
			const changed = Buffer.from(bytes);
			changed[at % changed.length] = byte;
			return changed;
		}),
	},
	{ weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
);

/** @returns how many bytes of rows the transactions had that came out, and why no more did */
function assemble(messages: readonly Buffer[]): { changes: number; end: string } {
	const assembler = new TransactionAssembler();
	let changes = 0;
	try {
		for (const bytes of messages) changes += assembler.push(decodePgoutput(bytes), 1n)?.changes.length ?? 0;
	} catch (error) {
		if (!(error instanceof SyncError)) throw error;
		return { changes, end: error.code };
	}
	return { changes, end: 'end' };
}

test('a session of messages that are mixed up, changed or made up gives transactions or DECODE_FAILED', () => {
	const ends = new Map<string, number>();
	fc.assert(
		fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
			const { changes, end } = assemble(messages);
			ends.set(end, (ends.get(end) ?? 0) + 1);
			expect(['end', 'DECODE_FAILED']).toContain(end);
			// A truncate is one change for each table that it names; nothing else is more than one.
			expect(changes).toBeLessThanOrEqual(messages.reduce((sum, bytes) => sum + Math.max(1, bytes.length / 4), 0));
		}),
		SETTINGS,
	);
	expect([...ends.keys()].sort()).toEqual(['DECODE_FAILED', 'end']);
});

test('the recorded sessions hold together, so that it is the changes which are refused', () => {
	for (const session of [recordings[15], recordings[18]]) {
		const { changes, end } = assemble(session.map((text) => Buffer.from(text, 'base64')));
		expect(end).toBe('end');
		expect(changes).toBeGreaterThan(5);
	}
});

test('an envelope of random bytes is one or is refused as such', () => {
	const first = fc.constantFrom(0x77, 0x6b, 0x64, 0);
	fc.assert(
		fc.property(first, fc.uint8Array({ maxLength: 40 }), (tag, rest) => {
			try {
				decodeReplicationMessage(Buffer.from([tag, ...rest]));
			} catch (error) {
				expect(error).toMatchObject({ name: 'SyncError', code: 'DECODE_FAILED' });
			}
		}),
		SETTINGS,
	);
	expect(() => decodeReplicationMessage(Buffer.alloc(0))).toThrow('no message');
});

/** All types that have a reader of their own, and one that has not. */
const OIDS = [16, 17, 20, 21, 23, 114, 199, 700, 701, 1000, 1007, 1009, 1016, 1022, 1082, 1114, 1115, 1184, 1185, 1700, 2951, 3802, 3807, 99_999];

test('a text that no server prints for its type becomes some JSON value all the same', () => {
	const syntax = fc.string({ unit: fc.constantFrom(...'{}[]",\\:-+0123456789eETZ .ntf\u0000ü'), maxLength: 40 });
	fc.assert(
		fc.property(fc.constantFrom(...OIDS), fc.oneof(syntax, fc.string({ unit: 'binary' })), (oid, text) => {
			const value = readerOfType(oid)(text);
			expect(value).not.toBeUndefined();
			if (typeof value === 'number' && !Number.isFinite(value)) expect([21, 23]).toContain(oid);
		}),
		SETTINGS,
	);
});

test.each(['{', '"', '\\', ',', '[', '{"', '{"\\"', '\\"', '[1,', '"\\\\', '1', '9e', 'NULL,', '{{'])(
	'a megabyte of %j is read in no time by every type',
	(part) => {
		const text = `{"${part.repeat(1_000_000 / part.length)}`;
		const startedMs = performance.now();
		for (const oid of OIDS) {
			readerOfType(oid)(text);
			readerOfType(oid)(text.slice(2));
		}
		expect(performance.now() - startedMs).toBeLessThan(5_000);
	},
);
