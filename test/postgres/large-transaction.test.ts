import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';

import { canonicalJson } from '../../src/core/canonical-json';
import type { ChangeEvent } from '../../src/core/change-event';
import { foldEvents } from '../../src/core/fold-events';
import { formatMarker } from '../../src/core/marker';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { plainTables } from '../../src/postgres/event-tables';
import { largeTransactionEvents } from '../../src/postgres/large-transaction';
import type { PgoutputMessage } from '../../src/postgres/pgoutput';
import { RecordGroups } from '../../src/postgres/record-groups';
import type { SourceTransaction } from '../../src/postgres/source-transaction';
import { transactionEvents } from '../support/transaction-events';
import { TransactionReader } from '../../src/postgres/transaction-reader';
import { encodePgoutput } from '../support/pgoutput-encoder';

const MAC_KEY = 'secret';
const ORIGIN: EventOrigin = {
	system: 'crm',
	database: 'crmdb',
	systemId: '1',
	tables: plainTables([
		{ schema: 'public', table: 'a', key: ['id'] },
		{ schema: 'public', table: 'b', key: ['region', 'id'] },
	]),
	isMarker: (prefix) => prefix === 'ours',
	markerSystem: 'crm',
};

let directory = '';
beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), 'bisync-spool-'));
});
afterAll(async () => await rm(directory, { recursive: true }));

const TABLES = ['a', 'b', 'unmapped'];

/** Of table b the log names old rows by their key alone, which has two columns, one of them a number. */
const relation = (oid: number, hasNote: boolean): PgoutputMessage => ({
	tag: 'relation',
	oid,
	schema: 'public',
	name: TABLES[oid]!,
	replicaIdentity: oid === 1 ? 'default' : 'full',
	columns: [...(oid === 1 ? ['region', 'text', 'id'] : ['id', 'text']), ...(hasNote ? ['note'] : [])].map((name) => ({
		name,
		typeOid: name === 'id' && oid === 1 ? 23 : 25,
		typeModifier: -1,
		isIdentity: oid !== 1 || name === 'id' || name === 'region',
	})),
});

const regionOf = (id: string): string => `region ${Number(id) % 2}`;

type Act = { readonly do: 'put' | 'move' | 'delete' | 'mark' | 'truncate' | 'reshape' | 'foreign message'; readonly table: number; readonly key: string; readonly to: string };

/** Few keys, so that records are changed several times, deleted and made again, and come to each other's keys. */
const act: fc.Arbitrary<Act> = fc.record({
	do: fc.constantFrom('put', 'put', 'put', 'put', 'move', 'move', 'move', 'delete', 'mark', 'mark', 'truncate', 'reshape', 'foreign message'),
	table: fc.nat({ max: 2 }),
	key: fc.nat({ max: 6 }).map(String),
	to: fc.nat({ max: 6 }).map(String),
});

const keyOf = (table: number, id: string) => (table === 1 ? { id, region: regionOf(id) } : { id });

function tuplesOf(table: number, hasNote: boolean) {
	const note = hasNote ? ['note'] : [];
	const tuple = (id: string, text: string) => [...(table === 1 ? [regionOf(id), text, id] : [id, text]), ...note];
	const byKey = (id: string) => [regionOf(id), null, id, ...note.map(() => null)];
	return { tuple, asOld: table === 1 ? byKey : tuple };
}

/** The messages of a transaction in which rows really are there when they are changed. */
function messagesOf(acts: readonly Act[]): PgoutputMessage[] {
	const rows = new Map<string, string>();
	const shapes = [false, false, false];
	const messages = TABLES.map((_, oid) => relation(oid, false));
	acts.forEach(({ do: what, table, key, to }, at) => {
		const { tuple, asOld } = tuplesOf(table, shapes[table] ?? false);
		const place = `${table}/${key}`;
		const text = rows.get(place);
		const row = { relationOid: table, oldIsKeyOnly: table === 1 };
		if (what === 'put') {
			const old = text === undefined || table === 1 ? null : tuple(key, text);
			messages.push({ ...row, tag: text === undefined ? 'insert' : 'update', old, oldIsKeyOnly: false, new: tuple(key, `text ${at}`) });
			rows.set(place, `text ${at}`);
		} else if (what === 'delete' && text !== undefined) {
			messages.push({ ...row, tag: 'delete', old: asOld(key, text), new: null });
			rows.delete(place);
		} else if (what === 'move' && text !== undefined && !rows.has(`${table}/${to}`)) {
			messages.push({ ...row, tag: 'update', old: asOld(key, text), new: tuple(to, text) });
			rows.delete(place);
			rows.set(`${table}/${to}`, text);
		} else if (what === 'mark') {
			const marker = { op: `l${at}:crm:1`, link: `l${at}`, system: 'crm', entity: `public.${TABLES[table]!}`, outcome: 'applied', key: keyOf(table, key) } as const;
			messages.push({ tag: 'message', transactional: true, lsn: 0n, prefix: 'ours', content: formatMarker(marker, MAC_KEY) });
		} else if (what === 'truncate') {
			messages.push({ tag: 'truncate', cascade: false, restartIdentity: false, relationOids: [table] });
			rows.clear();
		} else if (what === 'reshape') {
			shapes[table] = !shapes[table];
			messages.push(relation(table, shapes[table]));
		} else if (what === 'foreign message') {
			messages.push({ tag: 'message', transactional: at % 2 === 0, lsn: 0n, prefix: 'another', content: 'x' });
		}
	});
	return messages;
}

/** Reads a transaction with a limit on what is kept in memory. */
function read(messages: readonly PgoutputMessage[], spoolAboveBytes: number): { transaction: SourceTransaction; close: () => void } {
	const reader = new TransactionReader({ spool: { directory, aboveBytes: spoolAboveBytes, origin: ORIGIN } });
	const all: PgoutputMessage[] = [
		{ tag: 'begin', commitLsn: 9_000n, commitTsMs: 1_760_000_000_000, xid: 7 },
		...messages,
		{ tag: 'commit', commitLsn: 9_000n, endLsn: 9_100n, commitTsMs: 1_760_000_000_000 },
	];
	let completed: ReturnType<TransactionReader['push']> = null;
	all.forEach((message, at) => (completed = reader.push(encodePgoutput(message), 0, BigInt(at))));
	return { transaction: completed!.transaction, close: () => reader.close() };
}

async function partsOf(transaction: SourceTransaction, maxEvents: number): Promise<ChangeEvent[][]> {
	const { spool } = transaction;
	if (!spool) return [transactionEvents(transaction, ORIGIN)];
	const parts: ChangeEvent[][] = [];
	for await (const part of largeTransactionEvents({ ...transaction, spool }, maxEvents)) parts.push([...part]);
	return parts;
}

/** What the events do to records, whatever their places. */
function foldedTexts(parts: readonly (readonly ChangeEvent[])[]): string[] {
	const changes = parts.flatMap((events) => foldEvents(events, MAC_KEY));
	return changes.map(({ position: _position, firstPosition: _first, ...change }) => canonicalJson(change as never)).sort();
}

test('in parts a large transaction says the same of each record as it would whole, with each marker at its row', async () => {
	let spooled = 0;
	await fc.assert(
		fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 60, size: 'max' }), fc.nat({ max: 400 }), fc.integer({ min: 1, max: 6 }), async (acts, limit, maxEvents) => {
			const messages = messagesOf(acts);
			const whole = read(messages, Number.POSITIVE_INFINITY);
			const large = read(messages, limit);
			const events = transactionEvents(whole.transaction, ORIGIN);
			const parts = await partsOf(large.transaction, maxEvents);
			if (large.transaction.spool) spooled++;
			expect(foldedTexts(parts)).toEqual(foldedTexts([events]));
			const count = parts.reduce((sum, part) => sum + part.length, 0);
			expect(count).toBe(events.length);
			const positions = parts.flat().map(({ source }) => source.position);
			expect([...positions].sort()).toEqual(positions);
			// A part that is over the limit is one record's.
			for (const part of parts) if (part.length > maxEvents && large.transaction.spool) expect(foldEvents(part, MAC_KEY).length).toBeLessThanOrEqual(part.length);
			large.close();
			whole.close();
		}),
		{ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 300) },
	);
	expect(spooled).toBeGreaterThan(100);
	expect(readdirSync(directory)).toEqual([]);
});

test('however large the parts and what is kept in memory, the places of the events are the same', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 60, size: 'max' }), fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 200 })), async (acts, limits) => {
			const [one, other] = await Promise.all(
				limits.map(async (limit, at) => {
					const { transaction, close } = read(messagesOf(acts), limit);
					const parts = await partsOf(transaction, at === 0 ? 1 : 7);
					close();
					return transaction.spool ? parts.flat() : null;
				}),
			);
			if (one && other) expect(one).toEqual(other);
		}),
		{ numRuns: 60 },
	);
});

test('every event of a transaction in parts says how many rows of its entity the transaction has', async () => {
	const acts = Array.from({ length: 9 }, (_, at): Act => ({ do: 'put', table: at % 3 === 0 ? 1 : 0, key: String(at), to: '' }));
	const { transaction, close } = read(messagesOf(acts), 0);
	const events = (await partsOf(transaction, 2)).flat();
	close();
	expect(events.map(({ entity, source }) => [entity, source.txRows])).toEqual(
		acts.map(({ table }) => [table === 0 ? 'public.a' : 'public.b', table === 0 ? 6 : 3]),
	);
});

test('a file that was closed is not read any more, and one that cannot be made says so', async () => {
	const acts = Array.from({ length: 9 }, (_, at): Act => ({ do: 'put', table: 0, key: String(at), to: '' }));
	const { transaction, close } = read(messagesOf(acts), 0);
	close();
	await expect(partsOf(transaction, 2)).rejects.toMatchObject({ code: 'SPOOL_FAILED' });
	const nowhere = new TransactionReader({ spool: { directory: join(directory, 'nowhere'), aboveBytes: 0, origin: ORIGIN } });
	nowhere.push(encodePgoutput({ tag: 'begin', commitLsn: 1n, commitTsMs: 0, xid: 7 }), 0, 0n);
	nowhere.push(encodePgoutput(relation(0, false)), 0, 0n);
	const insert = encodePgoutput({ tag: 'insert', relationOid: 0, old: null, oldIsKeyOnly: false, new: ['1', 'x'] });
	expect(() => nowhere.push(insert, 0, 0n)).toThrow(expect.objectContaining({ code: 'SPOOL_FAILED', message: expect.stringContaining('ENOENT') as string }));
});

test('items that share a key, directly or through others, are one group, and no others are', () => {
	const key = fc.nat({ max: 40 }).map((n) => `key ${n}`);
	fc.assert(
		fc.property(fc.array(fc.array(key, { maxLength: 3 }), { maxLength: 80 }), (items) => {
			const groups = new RecordGroups();
			for (const keys of items) groups.add(keys);
			const found: number[][] = [[]];
			for (const { item, isLastOfGroup } of groups.inOrder()) {
				found.at(-1)!.push(item);
				if (isLastOfGroup) found.push([]);
			}
			expect(found.filter((group) => group.length > 0)).toEqual(expectedGroups(items));
		}),
		{ numRuns: 500 },
	);
});

function expectedGroups(items: readonly (readonly string[])[]): number[][] {
	let groups: { items: number[]; keys: Set<string> }[] = [];
	items.forEach((keys, item) => {
		const met = groups.filter((group) => keys.some((one) => group.keys.has(one)));
		const joined = { items: [...met.flatMap((group) => group.items), item].sort((a, b) => a - b), keys: new Set([...met.flatMap((group) => [...group.keys]), ...keys]) };
		groups = [...groups.filter((group) => !met.includes(group)), joined];
	});
	return groups.map((group) => group.items).sort((a, b) => a[0]! - b[0]!);
}
