import fc from 'fast-check';

import type { ChangeEvent } from '../../src/core/change-event';
import { foldEvents } from '../../src/core/fold-events';
import { formatMarker, parseMarker } from '../../src/core/marker';
import { positionOf } from '../../src/core/position';
import type { RecordChange } from '../../src/core/record-change';
import { MAC_KEY } from '../support/link-story';

type Row = Readonly<Record<string, string>>;
type Said = Pick<ChangeEvent, 'op' | 'before' | 'after'> & Partial<ChangeEvent> & { readonly id: string };

/** The events of one transaction; `city` is a column of the part `address`. */
function fold(...said: readonly Said[]): RecordChange[] {
	const events = said.map(({ id, ...event }, index): ChangeEvent => ({
		changeId: String(index),
		system: 'crm',
		entity: 'customer',
		key: { id },
		unchanged: [],
		source: { connector: 'postgresql', position: positionOf(16n, index), prev: null, tsMs: 0, txId: null, snapshot: false },
		marker: null,
		bisync: {},
		...event,
	}));
	return foldEvents(events, MAC_KEY);
}

const made = (id: string, name = 'n'): Said => ({ id, op: 'c', before: null, after: { id, name } });
const edited = (id: string, name: string, from = id): Said => ({ id, op: 'u', before: { id: from, name: 'n' }, after: { id, name } });
const gone = (id: string): Said => ({ id, op: 'd', before: { id }, after: null });
const addressed = (id: string, city: string): Said => ({ id, op: 'c', part: 'address', before: null, after: { 'address.city': city } });
const moved = (id: string, city: string, was = 'old'): Said => ({ ...addressed(id, city), op: 'u', before: { 'address.city': was } });
const unaddressed = (id: string, was = 'old'): Said => ({ id, op: 'd', part: 'address', before: { 'address.city': was }, after: null });

describe('a transaction of several rows of a record', () => {
	test('is one change, in whatever order its rows were written', () => {
		for (const events of [[made('1'), addressed('1', 'Ulm')], [addressed('1', 'Ulm'), made('1')]]) {
			const [change, ...others] = fold(...events);
			expect(others).toEqual([]);
			expect(change).toMatchObject({ exists: true, columns: { id: '1', name: 'n', 'address.city': 'Ulm' } });
			expect(change).not.toHaveProperty('rowStays');
			expect([change?.firstPosition, change?.position]).toEqual([positionOf(16n, 0), positionOf(16n, 1)]);
		}
	});

	test('says nothing of the record’s being there when only a part changed', () => {
		expect(fold(moved('1', 'Ulm'))).toMatchObject([{ exists: true, rowStays: true, columns: { 'address.city': 'Ulm' } }]);
	});

	test('never ends a record by the delete of a part', () => {
		expect(fold(edited('1', 'm'), unaddressed('1'))).toMatchObject([{ exists: true, columns: { name: 'm' }, missing: ['address'] }]);
		const [only] = fold(unaddressed('1'));
		expect(only).toMatchObject({ exists: true, rowStays: true, columns: {}, missing: ['address'] });
	});

	test('takes a part that is deleted and made again as edited', () => {
		const [change] = fold(unaddressed('1'), addressed('1', 'Ulm'));
		expect(change?.columns).toEqual({ 'address.city': 'Ulm' });
		expect(change).not.toHaveProperty('missing');
	});

	test('ends the record with the delete of its main row, whatever its parts do', () => {
		for (const events of [[gone('1'), unaddressed('1')], [unaddressed('1'), gone('1')]]) {
			expect(fold(...events)).toMatchObject([{ exists: false, columns: {} }]);
		}
	});

	test('follows a record to its new key with its parts, whichever goes first', () => {
		const main = edited('2', 'n', '1');
		const parts = [unaddressed('1'), addressed('2', 'old')];
		for (const events of [[main, ...parts], [...parts, main]]) {
			const changes = fold(...events);
			expect(changes).toMatchObject([{ key: { id: '2' }, previousKey: { id: '1' }, columns: { 'address.city': 'old' } }]);
			expect(changes[0]).not.toHaveProperty('missing');
		}
	});

	test('leaves a part that goes over to another record to that one', () => {
		expect(fold(unaddressed('1'), addressed('2', 'old'))).toMatchObject([
			{ key: { id: '1' }, rowStays: true, missing: ['address'] },
			{ key: { id: '2' }, rowStays: true, columns: { 'address.city': 'old' } },
		]);
	});

	test('keeps the part’s column of an earlier image that a later one leaves out', () => {
		const [change] = fold(addressed('1', 'Ulm'), { ...moved('1', ''), after: { 'address.zip': '9' }, unchanged: ['address.city'] });
		expect(change).toMatchObject({ columns: { 'address.city': 'Ulm', 'address.zip': '9' }, unchanged: [] });
		const [alone] = fold({ ...moved('1', ''), after: { 'address.zip': '9' }, unchanged: ['address.city'] });
		expect(alone?.unchanged).toEqual(['address.city']);
	});

	test('keeps two of our writes under one key apart', () => {
		const marker = (link: string, op: string) =>
			parseMarker(formatMarker({ op, link, system: 'crm', entity: 'customer', outcome: 'applied', key: { id: '1' }, error: undefined }, MAC_KEY));
		const changes = fold(
			{ ...gone('1'), marker: marker('a', 'a:crm:1') },
			unaddressed('1'),
			{ ...made('1'), marker: marker('b', 'b:crm:1') },
			addressed('1', 'Ulm'),
		);
		expect(changes.map(({ exists, marker: of }) => [exists, of?.link])).toEqual([[false, 'a'], [true, 'b']]);
		expect(changes[1]?.columns).toEqual({ id: '1', name: 'n', 'address.city': 'Ulm' });
	});

	test('names the parts that a whole read has not found', () => {
		expect(fold({ ...made('1'), op: 'r', missing: ['address'] })).toMatchObject([{ exists: true, missing: ['address'] }]);
	});
});

/** What a user's statement does to tables whose parts follow their records, as the log shows it. */
type Act =
	| { readonly kind: 'make' | 'drop' | 'address' | 'unaddress'; readonly at: number; readonly value: string }
	| { readonly kind: 'rename'; readonly at: number; readonly to: number };

interface Customer {
	/** Before the transaction, or null. */
	readonly was: { readonly id: string; readonly city: string | null } | null;
	id: string;
	city: string | null;
	isGone: boolean;
}

class Tables {
	readonly customers: Customer[] = [];
	readonly events: Said[] = [];

	constructor(start: Row) {
		for (const [id, city] of Object.entries(start)) {
			const own = city === '' ? null : city;
			this.customers.push({ was: { id, city: own }, id, city: own, isGone: false });
		}
	}

	do(act: Act): void {
		const id = String(act.at);
		const one = this.at(id);
		if (act.kind === 'make' && !one) {
			this.customers.push({ was: null, id, city: null, isGone: false });
			this.events.push(made(id));
		}
		if (!one) return;
		if (act.kind === 'drop') {
			this.events.push(gone(id));
			if (one.city !== null) this.events.push(unaddressed(id, one.city));
			one.isGone = true;
		} else if (act.kind === 'rename' && !this.at(String(act.to))) {
			one.id = String(act.to);
			this.events.push(edited(one.id, 'n', id));
			if (one.city !== null) this.events.push(unaddressed(id, one.city), addressed(one.id, one.city));
		} else if (act.kind === 'address') {
			this.events.push(one.city === null ? addressed(id, act.value) : moved(id, act.value, one.city));
			one.city = act.value;
		} else if (act.kind === 'unaddress' && one.city !== null) {
			this.events.push(unaddressed(id, one.city));
			one.city = null;
		}
	}

	at(id: string): Customer | undefined {
		return this.customers.find((one) => one.id === id && !one.isGone);
	}
}

const ACT: fc.Arbitrary<Act> = fc.oneof(
	fc.record({
		kind: fc.constantFrom('make' as const, 'address' as const, 'unaddress' as const),
		at: fc.integer({ min: 1, max: 3 }),
		value: fc.constantFrom('a', 'b'),
	}),
	fc.record({ kind: fc.constant('rename' as const), at: fc.integer({ min: 1, max: 3 }), to: fc.integer({ min: 1, max: 3 }) }),
);

/** The city that a record has after the transaction, as who had observed everything before would say. */
function cityAfter(changes: readonly RecordChange[], { was, id }: Customer): unknown {
	const before = was?.id === id ? null : (was?.id ?? null);
	const [change, ...others] = changes.filter(({ key, previousKey }) => key?.['id'] === id && (previousKey?.['id'] ?? null) === before);
	expect(others).toEqual([]);
	if (change && Object.hasOwn(change.columns, 'address.city')) return change.columns['address.city'];
	return change?.missing?.includes('address') ? null : (was?.city ?? null);
}

test('whatever one transaction does to records and their parts, each record has its own in the end', () => {
	const start = fc.dictionary(fc.constantFrom('1', '2', '3'), fc.constantFrom('', 'x', 'y'), { noNullPrototype: true });
	fc.assert(
		fc.property(start, fc.array(ACT, { maxLength: 12 }), (given, acts) => {
			const tables = new Tables(given);
			for (const act of acts) tables.do(act);
			const changes = fold(...tables.events);
			for (const customer of tables.customers) expect(cityAfter(changes, customer)).toBe(customer.city);
			expect(changes.filter(({ rowStays, previousKey }) => rowStays && previousKey)).toEqual([]);
		}),
		{ numRuns: 2_000 },
	);
});

test('what a transaction leaves of records that it deletes and makes again is what stands in the tables', () => {
	const start = fc.dictionary(fc.constantFrom('1', '2'), fc.constantFrom('', 'x'), { noNullPrototype: true });
	const act: fc.Arbitrary<Act> = fc.record({
		kind: fc.constantFrom('make' as const, 'drop' as const, 'address' as const, 'unaddress' as const),
		at: fc.integer({ min: 1, max: 2 }),
		value: fc.constantFrom('a', 'b'),
	});
	fc.assert(
		fc.property(start, fc.array(act, { maxLength: 12 }), (given, acts) => {
			const tables = new Tables(given);
			for (const one of acts) tables.do(one);
			const changes = fold(...tables.events);
			for (const id of ['1', '2']) {
				const now = tables.at(id);
				const [change, ...others] = changes.filter(({ key }) => key?.['id'] === id);
				expect(others).toEqual([]);
				const existed = given[id] !== undefined;
				expect(change?.exists ?? existed).toBe(now !== undefined);
				const before = given[id] || null;
				const after = change?.columns['address.city'] ?? (change?.missing || change === undefined || change.exists === false ? null : before);
				if (now && change) expect(after).toBe(now.city);
			}
		}),
		{ numRuns: 2_000 },
	);
});
