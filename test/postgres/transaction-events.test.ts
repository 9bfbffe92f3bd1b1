import fc from 'fast-check';

import { parseChangeEvent } from '../../src/core/change-event';
import { foldEvents } from '../../src/core/fold-events';
import { formatMarker, markerPrefix, type Outcome } from '../../src/core/marker';
import { chain, type EventOrigin } from '../../src/postgres/event-envelope';
import { plainTables, policyTables } from '../../src/postgres/event-tables';
import type { Tuple } from '../../src/postgres/pgoutput-reader';
import { UNCHANGED } from '../../src/postgres/pgoutput-reader';
import { snapshotEvents, snapshotLsn } from '../../src/postgres/snapshot-events';
import type {
	Relation,
	SourceChange,
	SourceTransaction,
} from '../../src/postgres/source-transaction';
import { transactionEvents } from '../support/transaction-events';
import { sampleCustomer } from '../support/sample-policy';

const MAC_KEY = 'the store’s secret';
const PREFIX = markerPrefix('store1', 'crm-billing');
const { policy } = sampleCustomer();
const ORIGIN: EventOrigin = {
	system: 'crm',
	database: 'crmdb',
	systemId: '7312',
	tables: policyTables(policy, 'crm'),
	isMarker: (prefix) => prefix === PREFIX,
	markerSystem: 'crm',
};

const TEXT = 25;
const INT8 = 20;

function relation(
	name: string,
	identity: readonly string[],
	replicaIdentity: Relation['replicaIdentity'] = 'full',
): Relation {
	const columns = [
		{ name: 'id', typeOid: INT8 },
		{ name: 'full_name', typeOid: TEXT },
		{ name: 'note', typeOid: TEXT },
	];
	return {
		oid: 1,
		schema: 'public',
		name,
		replicaIdentity,
		columns: columns.map((column) => ({
			...column,
			typeModifier: -1,
			isIdentity: identity.includes(column.name),
		})),
	};
}

const CUSTOMERS = relation('customers', ['id', 'full_name', 'note']);
const BY_KEY = relation('customers', ['id'], 'default');
const UNMAPPED = relation('invoices', ['id']);

let lsn = 0x1a2b380n;

function row(
	op: 'i' | 'u' | 'd' | 't',
	old: Tuple | null,
	next: Tuple | null,
	of = CUSTOMERS,
): SourceChange {
	lsn += 8n;
	return {
		kind: 'row',
		op,
		relation: of,
		lsn,
		old,
		oldIsKeyOnly: of.replicaIdentity !== 'full',
		new: next,
	};
}

function marker(id: string | null, outcome: Outcome = 'applied', prefix = PREFIX): SourceChange {
	lsn += 8n;
	const key = id === null ? null : { id };
	const content = formatMarker(
		{ op: `link${id}:crm:1`, link: `link${id}`, system: 'crm', entity: 'customer', outcome, key },
		MAC_KEY,
	);
	return { kind: 'message', lsn, prefix, content };
}

function transaction(...changes: SourceChange[]): SourceTransaction {
	const commit = { commitLsn: 0x1a2b3c4n, endLsn: 0x1a2b400n, commitTsMs: 1_760_000_000_000 };
	return { xid: 4_000_000_000, origin: null, ...commit, changes };
}

const insert = (id: string, note: string | null = null) => row('i', null, [id, 'Ann', note]);
const update = (id: string, note: string) => row('u', [id, 'Ann', 'before'], [id, 'Ann', note]);
const remove = (id: string) => row('d', [id, 'Ann', 'gone'], null);

const eventsOf = (...changes: SourceChange[]) => transactionEvents(transaction(...changes), ORIGIN);

test('an update becomes one event with both images, the key as text, and where it stands', () => {
	const [event] = eventsOf(update('42', 'new'));
	expect(parseChangeEvent(event)).toMatchObject({
		changeId: expect.stringMatching(/^crm:7312:0\/1A2B3C4:0\/[0-9A-F]+:0$/),
		system: 'crm',
		entity: 'customer',
		op: 'u',
		key: { id: '42' },
		before: { id: '42', full_name: 'Ann', note: 'before' },
		after: { id: '42', full_name: 'Ann', note: 'new' },
		unchanged: [],
		marker: null,
		bisync: {},
		source: {
			db: 'crmdb',
			schema: 'public',
			table: 'customers',
			commitLsn: '0/1A2B3C4',
			position: '00000000/01A2B3C4:00000000',
			prev: null,
			txId: '4000000000',
			snapshot: false,
		},
	});
});

test('absent, null and the empty text stay three things', () => {
	const [event] = eventsOf(row('u', ['1', null, 'x'], ['1', '', UNCHANGED], BY_KEY));
	expect(event).toMatchObject({ after: { id: '1', full_name: '' }, unchanged: ['note'] });
	expect(event?.after).not.toHaveProperty('note');
	// Of a key-only old row nothing but the key is known.
	expect(event?.before).toEqual({ id: '1' });
});

test('tables that are not mapped and messages of others give no events and take no index', () => {
	const events = eventsOf(
		row('i', null, ['1', 'a', 'b'], UNMAPPED),
		marker('1', 'applied', 'bisync:store1:other-policy'),
		marker('1', 'applied', 'bisync:store2:crm-billing'),
		{ kind: 'message', lsn, prefix: PREFIX, content: 'not ours' },
		{ kind: 'relation', lsn, relation: CUSTOMERS, previous: null },
		insert('1'),
	);
	expect(events.map(({ op, source }) => [op, source.position])).toEqual([
		['c', '00000000/01A2B3C4:00000000'],
	]);
	expect(events[0]?.marker).toBeNull();
});

test.each([
	['after', [update('1', 'a'), marker('1')]],
	['before', [marker('1'), update('1', 'a')]],
	['far from', [marker('1'), insert('2'), insert('3'), update('1', 'a')]],
])('a marker %s its row is found', (_, changes) => {
	const events = eventsOf(...changes);
	expect(events.filter(({ op }) => op === 'm')).toEqual([]);
	expect(events.filter(({ marker: found }) => found !== null).map(({ key }) => key)).toEqual([
		{ id: '1' },
	]);
});

test('of several images of a row the last one carries the marker', () => {
	const events = eventsOf(update('1', 'a'), marker('1'), update('2', 'x'), update('1', 'A'));
	expect(events.map(({ key, marker: found }) => [key['id'], found?.op ?? null])).toEqual([
		['1', null],
		['2', null],
		['1', 'link1:crm:1'],
	]);
});

test('a marker for the old key of a row whose key changed goes with that row', () => {
	const events = eventsOf(row('u', ['1', 'Ann', 'a'], ['7', 'Ann', 'a']), marker('1'));
	expect(events).toHaveLength(1);
	expect(events[0]).toMatchObject({
		op: 'u',
		key: { id: '7' },
		before: { id: '1' },
		marker: { op: 'link1:crm:1' },
	});
});

test('a stale write, which changed no row, is an event of its own', () => {
	const events = eventsOf(update('2', 'b'), marker('1', 'stale'), marker(null, 'exists'));
	expect(events.map(({ op, key, marker: found }) => [op, key, found?.outcome])).toEqual([
		['u', { id: '2' }, undefined],
		['m', { id: '1' }, 'stale'],
		['m', {}, 'exists'],
	]);
	expect(() => events.forEach(parseChangeEvent)).not.toThrow();
});

test('a stale write is not paired with a row that has come to its key', () => {
	const events = eventsOf(marker('1', 'stale'), insert('1'), marker('1'));
	expect(events.map(({ op, marker: found }) => [op, found?.outcome])).toEqual([
		['m', 'stale'],
		['c', 'applied'],
	]);
});

test('where we deleted a record and made another under its key, each write goes with its own row', () => {
	const events = eventsOf(remove('1'), insert('1'), marker('1'), marker('1'));
	expect(events.map(({ op, marker: found }) => [op, found?.outcome])).toEqual([
		['d', 'applied'],
		['c', 'applied'],
	]);
	const replaced = eventsOf(remove('1'), insert('1'), marker('1'));
	expect(replaced.map(({ op, marker: found }) => [op, found?.outcome])).toEqual([
		['d', undefined],
		['c', 'applied'],
	]);
});

test('a marker of a write to another system in the same database is left out', () => {
	const other = transactionEvents(transaction(marker('1', 'stale'), insert('1')), {
		...ORIGIN,
		markerSystem: 'billing',
	});
	expect(other.map(({ op, marker: found }) => [op, found])).toEqual([['c', null]]);
	const any = transactionEvents(transaction(marker('1', 'stale')), {
		...ORIGIN,
		markerSystem: null,
	});
	expect(any.map(({ op }) => op)).toEqual(['m']);
});

test('a second marker for a record does not replace the first one', () => {
	const events = eventsOf(update('1', 'a'), marker('1'), marker('1', 'stale'));
	expect(events.map(({ op, marker: found }) => [op, found?.outcome])).toEqual([
		['u', 'applied'],
		['m', 'stale'],
	]);
});

test('a delete names its row by the old key', () => {
	expect(eventsOf(remove('5'))[0]).toMatchObject({ op: 'd', key: { id: '5' }, after: null });
});

test('a truncate is one event for each mapped table', () => {
	const events = eventsOf(row('t', null, null), row('t', null, null, UNMAPPED));
	expect(events).toMatchObject([
		{ op: 't', entity: 'customer', key: {}, before: null, after: null },
	]);
});

test('a replica identity without the key is refused with the statement that mends it', () => {
	const weak = relation('customers', ['full_name'], 'index');
	expect(() => eventsOf(row('u', null, ['1', 'Ann', 'x'], weak))).toThrow(
		/alter table "public"\."customers" replica identity full/,
	);
	expect(eventsOf(row('i', null, ['1', 'Ann', 'x'], weak))).toHaveLength(1);
});

test('a null key is refused without showing the row', () => {
	expect(() => eventsOf(row('i', null, [null, 'secret', 'x']))).toThrow(
		expect.objectContaining({
			code: 'KEY_INCOMPLETE',
			message: expect.not.stringContaining('secret'),
		}),
	);
});

test('chaining names predecessors from the given position on', () => {
	const events = chain(eventsOf(insert('1'), insert('2')), '00000000/00000001:00000000');
	expect(events.map(({ source }) => source.prev)).toEqual([
		'00000000/00000001:00000000',
		'00000000/01A2B3C4:00000000',
	]);
	expect(chain(events, null).map(({ source }) => source.prev)).toEqual([null, null]);
});

test('without a policy each table is an entity of its own', () => {
	const tables = plainTables([{ schema: 'public', table: 'customers', key: ['id'] }]);
	const [event] = transactionEvents(transaction(insert('3')), { ...ORIGIN, tables });
	expect(event).toMatchObject({ entity: 'public.customers', key: { id: '3' } });
});

test('snapshot events count through from 1, after all commits in it and before the first one that is not', () => {
	const table = ORIGIN.tables.all[0]!;
	const place = { lsn: snapshotLsn(0x1a2b3c4n), tsMs: 5, index: 1 };
	const events = snapshotEvents(
		[
			{ kind: 'row', table, values: { id: '1', full_name: 'Ann' } },
			{ kind: 'gone', entity: 'customer', key: { id: '2' } },
		],
		ORIGIN,
		place,
	);
	expect(events.map(({ op, key, source }) => [op, key, source.position, source.snapshot])).toEqual([
		['r', { id: '1' }, '00000000/01A2B3C3:00000001', true],
		['d', { id: '2' }, '00000000/01A2B3C3:00000002', true],
	]);
	const [first] = eventsOf(insert('9'));
	expect(events.at(-1)!.source.position! < first!.source.position!).toBe(true);
});

// Few records, so that several changes and markers often meet in one.
const anyChange = fc.oneof(
	fc
		.tuple(fc.constantFrom('i', 'u', 'd'), fc.constantFrom('1', '2', '3'))
		.map(([op, id]) => ({ op, id })),
	fc.constantFrom('1', '2', '3', '4').map((id) => ({ op: 'marker', id })),
	fc.constant({ op: 'unmapped', id: '1' }),
);

function changeOf({ op, id }: { op: string; id: string }): SourceChange {
	switch (op) {
		case 'i':
			return insert(id);
		case 'u':
			return update(id, 'x');
		case 'd':
			return remove(id);
		case 'marker':
			return marker(id);
		default:
			return row('i', null, [id, 'a', 'b'], UNMAPPED);
	}
}

test('every mapped row and every marker of ours is in exactly one event, in order, without gaps', () => {
	fc.assert(
		fc.property(fc.array(anyChange, { maxLength: 12 }), (plan) => {
			const source = transaction(...plan.map(changeOf));
			const events = transactionEvents(source, ORIGIN);
			const count = (op: string) => plan.filter((change) => change.op === op).length;
			expect(events.filter(({ op }) => op !== 'm')).toHaveLength(
				count('i') + count('u') + count('d'),
			);
			expect(events.filter(({ marker: found }) => found !== null)).toHaveLength(count('marker'));
			expect(events.map(({ source: { position } }) => Number(position?.slice(18)))).toEqual(
				events.map((_, i) => i),
			);
			expect(transactionEvents(source, ORIGIN)).toEqual(events);
			expect(new Set(events.map(({ changeId }) => changeId)).size).toBe(events.length);
			expect(() => foldEvents(events, MAC_KEY)).not.toThrow();
		}),
	);
});
