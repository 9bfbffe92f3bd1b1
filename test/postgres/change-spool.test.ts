import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';

import { ChangeSpool } from '../../src/postgres/change-spool';
import { encodePgoutput } from '../support/pgoutput-encoder';

let directory = '';
beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'bisync-spool-'));
});
afterAll(async () => await rm(directory, { recursive: true }));

const insert = (text: string) => ({ tag: 'insert', relationOid: 7, old: null, oldIsKeyOnly: false, new: [text] }) as const;

/** Small ones, and some around and beyond the blocks in which the file is written and read. */
const length = fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 60_000 }) }, { weight: 1, arbitrary: fc.integer({ min: 262_000, max: 600_000 }) });

test('what was put in is read in any order, whatever its size, also from several places in turn', () => {
	fc.assert(
		fc.property(fc.array(length, { minLength: 1, maxLength: 30 }), fc.array(fc.nat(), { maxLength: 40 }), (lengths, jumps) => {
			const spool = new ChangeSpool(directory);
			const header = Buffer.from('header');
			const messages = lengths.map((count, at) => insert(String.fromCharCode(97 + (at % 26)).repeat(count)));
			const places = messages.map((message, at) => spool.append(Buffer.concat([header, encodePgoutput(message)]), header.length, BigInt(at) << 33n));
			const forward = messages.map((_, at) => at);
			const inTurn = forward.flatMap((at) => [at, messages.length - 1 - at]);
			for (const at of [...forward, ...inTurn, ...jumps.map((jump) => jump % messages.length)]) {
				expect(spool.read(places[at]!)).toEqual({ message: messages[at], lsn: BigInt(at) << 33n });
			}
			spool.close();
		}),
		{ numRuns: 40 },
	);
	expect(readdirSync(directory)).toEqual([]);
});
