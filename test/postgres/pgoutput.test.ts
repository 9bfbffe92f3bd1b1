import fc from 'fast-check';

import { SyncError } from '../../src/core/errors';
import { decodePgoutput, type PgoutputMessage, type WantedColumns } from '../../src/postgres/pgoutput';
import { type Tuple, UNCHANGED } from '../../src/postgres/pgoutput-reader';
import recordings from '../fixtures/pgoutput-messages.json';
import { pgoutputMessage } from '../support/pgoutput-arbitraries';
import { encodePgoutput } from '../support/pgoutput-encoder';

/** What a server of each version sent for one short session that has every kind of message. */
const recorded = [...recordings[15], ...recordings[18]].map((text) => Buffer.from(text, 'base64'));

const roundTrip = (message: PgoutputMessage) => decodePgoutput(encodePgoutput(message));

/** Decodes, or gives back the code of what was thrown. */
function outcomeOf(bytes: Buffer, wanted?: WantedColumns): PgoutputMessage | string {
	try {
		return decodePgoutput(bytes, 0, wanted);
	} catch (error) {
		if (error instanceof SyncError) return error.code;
		throw error;
	}
}

test('every message decodes to what the server meant', () => {
	fc.assert(
		fc.property(pgoutputMessage, (message) => expect(roundTrip(message)).toEqual(message)),
		{ numRuns: 1_000 },
	);
});

test('of rows some columns alone can be asked for, and bytes that are no message are none then either', () => {
	const places = fc.uniqueArray(fc.nat({ max: 6 }), { maxLength: 4 }).map((list) => list.sort((a, b) => a - b));
	fc.assert(
		fc.property(pgoutputMessage, places, fc.nat(), fc.nat({ max: 255 }), (message, wanted, at, byte) => {
			const bytes = encodePgoutput(message);
			const narrow = (tuple: Tuple | null) => tuple && wanted.map((place) => tuple[place]!);
			const isRow = 'old' in message;
			const isTooShort = isRow && [message.old, message.new].some((tuple) => tuple && wanted.some((place) => place >= tuple.length));
			const expected = isRow ? { ...message, old: narrow(message.old), new: narrow(message.new) } : message;
			expect(outcomeOf(bytes, () => wanted)).toEqual(isTooShort ? 'DECODE_FAILED' : expected);
			bytes[at % bytes.length] = byte;
			outcomeOf(bytes, () => wanted); // Throws nothing else.
			outcomeOf(bytes.subarray(0, at % bytes.length), () => wanted);
		}),
		{ numRuns: 1_000 },
	);
});

test('messages that were recorded from servers decode, and mean what our own would', () => {
	const tags = recorded.map((bytes) => {
		const message = decodePgoutput(bytes);
		expect(roundTrip(message)).toEqual(message);
		// Commit times have microseconds, of which we keep milliseconds.
		const hasTime = message.tag === 'begin' || message.tag === 'commit';
		if (!hasTime) expect(encodePgoutput(message).equals(bytes)).toBe(true);
		return message.tag;
	});
	expect(new Set(tags).size).toBe(10);
});

test('a message may stand anywhere in a buffer that is used again', () => {
	const message: PgoutputMessage = {
		tag: 'insert',
		relationOid: 1,
		old: null,
		oldIsKeyOnly: false,
		new: ['plain', 'größer', null, UNCHANGED],
	};
	const bytes = Buffer.concat([Buffer.from('header'), encodePgoutput(message)]);
	const decoded = decodePgoutput(bytes, 6);
	bytes.fill(0x78);
	expect(decoded).toEqual(message);
});

test('transaction numbers beyond 2^31 stay positive', () => {
	const begin = {
		tag: 'begin',
		commitLsn: 1n,
		commitTsMs: 946_684_800_000,
		xid: 0xffff_fff0,
	} as const;
	expect(roundTrip(begin)).toEqual(begin);
});

test('commit times are milliseconds since 1970', () => {
	const bytes = encodePgoutput({ tag: 'begin', commitLsn: 1n, commitTsMs: 0, xid: 1 });
	bytes.writeBigInt64BE(759_924_245_123_456n, 9);
	expect(decodePgoutput(bytes)).toMatchObject({ commitTsMs: Date.UTC(2024, 0, 30, 10, 4, 5, 123) });
});

test('null, the empty text and an unchanged large value are three things', () => {
	const decoded = roundTrip({
		tag: 'update',
		relationOid: 1,
		old: null,
		oldIsKeyOnly: false,
		new: [null, '', UNCHANGED],
	});
	expect(decoded).toMatchObject({ new: [null, '', UNCHANGED] });
});

test('a schema without a name is the catalogue', () => {
	const relation = {
		tag: 'relation',
		oid: 1,
		schema: '',
		name: 'r',
		replicaIdentity: 'default',
		columns: [],
	} as const;
	expect(roundTrip(relation)).toMatchObject({ schema: 'pg_catalog' });
});

describe('malformed bytes throw DECODE_FAILED and nothing else', () => {
	test('when they are random', () => {
		const tag = fc.constantFrom(...'BCORYIUDTMSEcAbPKrpx').map((letter) => Buffer.from(letter));
		fc.assert(
			fc.property(tag, fc.uint8Array({ maxLength: 200 }), (first, rest) => {
				const outcome = outcomeOf(Buffer.concat([first, rest]));
				if (typeof outcome === 'string') expect(outcome).toBe('DECODE_FAILED');
			}),
			{ numRuns: 5_000 },
		);
	});

	test('when bytes of a real message are changed', () => {
		const change = fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) });
		fc.assert(
			fc.property(
				fc.oneof(pgoutputMessage.map(encodePgoutput), fc.constantFrom(...recorded)),
				fc.array(change, { minLength: 1, maxLength: 4 }),
				(original, changes) => {
					const bytes = Buffer.from(original);
					for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
					const outcome = outcomeOf(bytes);
					if (typeof outcome === 'string') expect(outcome).toBe('DECODE_FAILED');
				},
			),
			{ numRuns: 5_000 },
		);
	});

	test('when a real message is cut short or has more behind it', () => {
		fc.assert(
			fc.property(
				pgoutputMessage,
				fc.nat(),
				fc.uint8Array({ minLength: 1 }),
				(message, at, tail) => {
					const bytes = encodePgoutput(message);
					expect(outcomeOf(bytes.subarray(0, at % bytes.length))).toBe('DECODE_FAILED');
					expect(outcomeOf(Buffer.concat([bytes, tail]))).toBe('DECODE_FAILED');
				},
			),
			{ numRuns: 2_000 },
		);
	});

	test.each([
		['a row of 65,535 columns', 'I\0\0\0\x01N\xff\xff'],
		['a text of 4 GB', 'I\0\0\0\x01N\0\x01t\xff\xff\xff\xff'],
		['a truncate of 4 billion tables', 'T\xff\xff\xff\xff\0'],
		['a relation of 65,535 columns', 'R\0\0\0\x01s\0r\0d\xff\xff'],
		['a message of 4 GB', 'M\x01\0\0\0\0\0\0\0\0p\0\xff\xff\xff\xff'],
		['a binary column', 'I\0\0\0\x01N\0\x01b\0\0\0\x01x'],
		['an update without a new row', 'U\0\0\0\x01K\0\0X'],
		['a delete with a new row', 'D\0\0\0\x01N\0\0'],
		['a block of a streamed transaction', 'S\0\0\0\x01\x01'],
		['nothing at all', ''],
	])('when they announce %s', (_, bytes) => {
		const before = process.memoryUsage().heapTotal;
		expect(outcomeOf(Buffer.from(bytes, 'latin1'))).toBe('DECODE_FAILED');
		expect(process.memoryUsage().heapTotal - before).toBeLessThan(100_000_000);
	});
});
