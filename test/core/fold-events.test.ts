import fc from 'fast-check';
import type { ChangeEvent } from '../../src/core/change-event';
import type { Json } from '../../src/core/canonical-json';
import { emptyLink, type Operation } from '../../src/core/link';
import { foldEvents } from '../../src/core/fold-events';
import type { RecordChange } from '../../src/core/record-change';
import { EventFeed } from '../support/event-feed';
import { inOneTransaction, MAC_KEY } from '../support/link-story';
import { wakeItem } from '../../src/core/wake-item';

const OP: Operation = {
	id: 'a1b2:billing:1',
	link: 'a1b2',
	system: 'billing',
	entity: 'customer',
	number: 1,
	kind: 'update',
	key: { id: '501' },
	fields: { name: { expected: 'Ann', next: 'Anna', canon: 'Anna', vector: { crm: 2 } } },
	guards: {},
	existence: null,
};

function feed(): EventFeed {
	return new EventFeed('billing', 'id');
}

function fold(...events: ChangeEvent[]): RecordChange[] {
	return foldEvents(events, MAC_KEY);
}

/** The changes of one transaction; fails unless they are all of one record. */
function foldOne(...events: ChangeEvent[]): RecordChange {
	const [change, ...others] = fold(...inOneTransaction(...events));
	if (change === undefined || others.length > 0) throw new Error('not one change');
	return change;
}

/** An update as a source sends it that keeps the whole old row in its log. */
function keyChange(
	stream: EventFeed,
	before: Record<string, Json>,
	after: Record<string, Json>,
): ChangeEvent {
	return { ...stream.update(after), before };
}

describe('folding a transaction', () => {
	test('keeps single edits of different transactions apart, in stream order', () => {
		const stream = feed();
		const changes = fold(
			stream.update({ id: '501', name: 'Ann' }),
			stream.update({ id: '501', name: 'Anna' }),
		);
		expect(changes.map(({ columns }) => columns['name'])).toEqual(['Ann', 'Anna']);
	});

	test('makes one update of a delete and an insert of the same key', () => {
		const stream = feed();
		const change = foldOne(
			stream.delete({ id: '501', name: 'Ann' }),
			stream.insert({ id: '501', name: 'Anna' }),
		);
		expect(change).toMatchObject({ exists: true, columns: { id: '501', name: 'Anna' } });
	});

	test('takes the last of several images of a row, and keeps both ends of the transaction', () => {
		const stream = feed();
		const events = inOneTransaction(
			stream.insert({ id: '501', name: '', balance: '0.00' }),
			stream.update({ id: '501', name: 'Ann', balance: '-1.00' }),
			stream.update({ id: '501', name: 'Ann', balance: '12.50' }),
		);
		const [change] = fold(...events);
		expect(change).toMatchObject({
			exists: true,
			columns: { id: '501', name: 'Ann', balance: '12.50' },
			firstPosition: events[0]?.source.position,
			position: events[2]?.source.position,
		});
	});

	test('makes nothing that lasts of a row that is inserted and deleted', () => {
		const stream = feed();
		const change = foldOne(stream.insert({ id: '501' }), stream.delete({ id: '501' }));
		expect(change).toMatchObject({ exists: false, columns: {} });
	});

	test('takes a TOAST column that was not sent from an earlier image of the transaction', () => {
		const stream = feed();
		const change = foldOne(
			stream.update({ id: '501', memo: 'twenty thousand letters', name: 'Ann' }),
			{ ...stream.update({ id: '501', name: 'Anna' }), unchanged: ['memo'] },
		);
		expect(change.columns).toEqual({ id: '501', memo: 'twenty thousand letters', name: 'Anna' });
		expect(change.unchanged).toEqual([]);
	});

	test('leaves a TOAST column that no image holds unchanged, neither null nor absent', () => {
		const stream = feed();
		const change = foldOne(
			{ ...stream.update({ id: '501', name: 'Ann' }), unchanged: ['memo'] },
			{ ...stream.update({ id: '501', name: 'Anna' }), unchanged: ['memo'] },
		);
		expect(change.unchanged).toEqual(['memo']);
		expect(change.columns).not.toHaveProperty('memo');
	});

	test('keeps two rows apart', () => {
		const stream = feed();
		const changes = fold(
			...inOneTransaction(
				stream.update({ id: '501', name: 'Ann' }),
				stream.update({ id: '502', name: 'Bob' }),
				stream.update({ id: '501', name: 'Anna' }),
			),
		);
		expect(changes.map(({ key, columns }) => [key, columns['name']])).toEqual([
			[{ id: '502' }, 'Bob'],
			[{ id: '501' }, 'Anna'],
		]);
	});
});

describe('a change of key', () => {
	test('names the key before it', () => {
		const [change] = fold(
			keyChange(feed(), { id: '501', name: 'Ann' }, { id: '601', name: 'Ann' }),
		);
		expect(change).toMatchObject({ key: { id: '601' }, previousKey: { id: '501' } });
	});

	test('is followed through several steps of one transaction, back to the first key', () => {
		const stream = feed();
		const change = foldOne(
			keyChange(stream, { id: '501' }, { id: '601' }),
			keyChange(stream, { id: '601' }, { id: '701' }),
		);
		expect(change).toMatchObject({ key: { id: '701' }, previousKey: { id: '501' } });
	});

	test('to that of a row deleted in the same transaction leaves the delete a change of its own', () => {
		const stream = feed();
		const changes = fold(
			...inOneTransaction(
				stream.delete({ id: '501', name: 'Ann' }),
				keyChange(stream, { id: '601', name: 'Bob' }, { id: '501', name: 'Bob' }),
			),
		);
		expect(changes).toMatchObject([
			{ exists: false, key: { id: '501' }, previousKey: null },
			{ exists: true, key: { id: '501' }, previousKey: { id: '601' } },
		]);
	});

	test('of two rows that swap keys, as a deferrable key allows, keeps each row’s values with it', () => {
		const stream = feed();
		const [ann, bob] = [{ id: '1', name: 'Ann' }, { id: '2', name: 'Bob' }];
		const swap = [
			keyChange(stream, ann, { ...ann, id: '2' }),
			keyChange(stream, bob, { ...bob, id: '1' }),
		];
		expect(fold(...inOneTransaction(...swap))).toMatchObject([
			{ key: { id: '2' }, previousKey: { id: '1' }, columns: { name: 'Ann' } },
			{ key: { id: '1' }, previousKey: { id: '2' }, columns: { name: 'Bob' } },
		]);
	});

	test('that is taken back, or of a record made in the transaction, is none', () => {
		const stream = feed();
		const there = keyChange(stream, { id: '1', name: 'Ann' }, { id: '2', name: 'Ann' });
		const back = keyChange(stream, { id: '2', name: 'Ann' }, { id: '1', name: 'Ann' });
		expect(fold(...inOneTransaction(there, back))).toMatchObject([{ key: { id: '1' }, previousKey: null }]);
		const made = stream.insert({ id: '5', name: 'Bob' });
		const moved = keyChange(stream, { id: '5', name: 'Bob' }, { id: '6', name: 'Bob' });
		expect(fold(...inOneTransaction(made, moved))).toMatchObject([{ key: { id: '6' }, previousKey: null }]);
	});

	test('is none when the source sends the same key as a number', () => {
		const [change] = fold(keyChange(feed(), { id: 501, name: 'Ann' }, { id: '501', name: 'Anna' }));
		expect(change?.previousKey).toBeNull();
	});

	test('is none when the source did not send the old key', () => {
		const [change] = fold(keyChange(feed(), { name: 'Ann' }, { id: '501', name: 'Anna' }));
		expect(change?.previousKey).toBeNull();
	});
});

describe('a marker', () => {
	const row = { id: '501', name: 'Anna' };

	test.each(['before', 'after'])('counts when it stands %s its row', (where) => {
		const stream = feed();
		const marker = {
			...stream.echo(OP, MAC_KEY),
			marker: stream.echo(OP, MAC_KEY, { row }).marker,
		};
		const update = stream.update(row);
		const change = foldOne(...(where === 'before' ? [marker, update] : [update, marker]));
		expect(change).toMatchObject({ marker: { op: OP.id }, exists: true, columns: row });
	});

	test('without a row stands for its link, and says nothing about a row', () => {
		const [change] = fold(feed().echo({ ...OP, key: null }, MAC_KEY, { outcome: 'stale' }));
		expect(change).toMatchObject({
			key: null,
			exists: null,
			columns: {},
			marker: { link: 'a1b2' },
		});
	});

	test('of a write that changed no row stays with its link when another row has come to the key', () => {
		const stream = feed();
		const other = { ...OP, id: 'c3d4:billing:1', link: 'c3d4', kind: 'insert', key: null } as const;
		const changes = fold(
			...inOneTransaction(
				{ ...stream.echo(OP, MAC_KEY, { outcome: 'stale' }), key: { id: '501' } },
				stream.echo(other, MAC_KEY, { row }),
			),
		);
		expect(changes.map(({ exists, marker }) => [exists, marker?.link])).toEqual([
			[null, 'a1b2'],
			[true, 'c3d4'],
		]);
	});

	test('that was found in the ledger stays apart from the row that is read after it', () => {
		const stream = feed();
		const read = (event: ChangeEvent): ChangeEvent => ({
			...event,
			source: { ...event.source, snapshot: true },
		});
		const found = stream.echo(OP, MAC_KEY);
		const changes = fold(...inOneTransaction(read(found), read(stream.update(row))));
		expect(changes.map(({ exists, marker }) => [exists, marker?.op ?? null])).toEqual([
			[null, OP.id],
			[true, null],
		]);
	});

	test('of another link’s write under the same key begins a change of its own', () => {
		const stream = feed();
		const other = { ...OP, id: 'c3d4:billing:1', link: 'c3d4', kind: 'insert', key: null } as const;
		const gone = { ...stream.delete(row), marker: stream.echo(OP, MAC_KEY, { row }).marker };
		const changes = fold(...inOneTransaction(gone, stream.echo(other, MAC_KEY, { row })));
		expect(changes.map(({ exists, marker }) => [exists, marker?.link])).toEqual([
			[false, 'a1b2'],
			[true, 'c3d4'],
		]);
	});

	test('with a wrong signature is dropped, and the change is known for it', () => {
		const [change] = fold(feed().echo(OP, 'the key of somebody else', { row }));
		expect(change).toMatchObject({ marker: null, forged: true, columns: row });
	});

	test('leaves a transaction without one neither ours nor forged', () => {
		const [change] = fold(feed().update(row));
		expect(change).toMatchObject({ marker: null, forged: false });
	});
});

test('a wake item stands in no stream and cannot be folded', () => {
	expect(() => fold(wakeItem(emptyLink('a1b2', 'customer', 1), 'crm'))).toThrow(TypeError);
});

/** Rows of one transaction: which of two records, and what happens to it. */
const statements = fc.array(
	fc.record({ id: fc.constantFrom('1', '2'), name: fc.constantFrom('a', 'b', null) }),
	{ minLength: 1, maxLength: 6 },
);

test('the fold of a transaction is, per record, its last image', () => {
	fc.assert(
		fc.property(statements, (rows) => {
			const stream = feed();
			const changes = fold(...inOneTransaction(...rows.map((row) => stream.update(row))));
			const last = new Map(rows.map((row) => [row.id, row.name]));
			expect(new Map(changes.map(({ key, columns }) => [key?.['id'], columns['name']]))).toEqual(
				last,
			);
			const positions = changes.map(({ position }) => position);
			expect(positions).toEqual([...positions].sort());
		}),
	);
});

test('folding transactions one by one is folding them together', () => {
	fc.assert(
		fc.property(fc.array(statements, { maxLength: 4 }), (transactions) => {
			const stream = feed();
			const events = transactions.map((rows) =>
				inOneTransaction(...rows.map((row) => stream.update(row))),
			);
			expect(fold(...events.flat())).toEqual(events.flatMap((one) => fold(...one)));
		}),
	);
});
