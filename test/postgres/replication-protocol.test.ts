import fc from 'fast-check';

import { SyncError } from '../../src/core/errors';
import {
	decodeReplicationMessage,
	encodeStatusUpdate,
} from '../../src/postgres/replication-protocol';

test('a keepalive says where the server is and whether it waits for an answer', () => {
	const bytes = Buffer.alloc(18);
	bytes.write('k');
	bytes.writeBigUInt64BE(0x1_6b37_4848n, 1);
	expect(decodeReplicationMessage(bytes)).toEqual({
		tag: 'keepalive',
		walEnd: 0x1_6b37_4848n,
		replyRequested: false,
	});
	bytes[17] = 1;
	expect(decodeReplicationMessage(bytes)).toMatchObject({ replyRequested: true });
});

test('data starts after a header of 25 bytes', () => {
	const bytes = Buffer.concat([Buffer.from('w'), Buffer.alloc(24), Buffer.from('B')]);
	bytes.writeBigUInt64BE(7n, 1);
	expect(decodeReplicationMessage(bytes)).toEqual({ tag: 'data', lsn: 7n, payloadStart: 25 });
});

test('a status update reports one position, exactly, as written, flushed and applied', () => {
	const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
	fc.assert(
		fc.property(lsn, fc.boolean(), (acknowledged, wantsReply) => {
			const bytes = encodeStatusUpdate(acknowledged, 1_700_000_000_000, wantsReply);
			expect(bytes.toString('latin1', 0, 1)).toBe('r');
			expect([1, 9, 17].map((offset) => bytes.readBigUInt64BE(offset))).toEqual(
				Array(3).fill(acknowledged),
			);
			expect(bytes[33]).toBe(wantsReply ? 1 : 0);
		}),
	);
});

test('other bytes are refused', () => {
	fc.assert(
		fc.property(
			fc.constantFrom('w', 'k', 'x', ''),
			fc.uint8Array({ maxLength: 16 }),
			(tag, rest) => {
				const bytes = Buffer.concat([Buffer.from(tag), rest]);
				expect(() => decodeReplicationMessage(bytes)).toThrow(SyncError);
			},
		),
	);
});
