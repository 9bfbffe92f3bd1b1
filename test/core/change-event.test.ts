import fc from 'fast-check';
import { parseChangeEvent, type ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import { STREAM_START } from '../../src/core/position';
import { arbitraryJson } from '../support/arbitrary-json';

const UPDATE: ChangeEvent = {
	changeId: 'crm:7312:0/1A2B3C4:2',
	system: 'crm',
	entity: 'customer',
	op: 'u',
	key: { id: '42' },
	before: { id: '42', full_name: 'Ann' },
	after: { id: '42', full_name: 'Anna', credit: '12.50', email: null, note: '' },
	unchanged: ['memo'],
	source: {
		connector: 'postgresql',
		position: '00000000/01A2B3C4:00000002',
		prev: STREAM_START,
		tsMs: 1_900_000_000_000,
		txId: '731',
		snapshot: false,
	},
	marker: null,
	bisync: {},
};

/** What is said of an item that is no change event. */
function problem(item: unknown): string {
	try {
		parseChangeEvent(item);
	} catch (error) {
		if (error instanceof SyncError && error.code === 'NOT_A_CHANGE_EVENT') return error.message;
		throw error;
	}
	return 'none';
}

test('a change event passes as it is, absent, null and empty values included', () => {
	expect(parseChangeEvent(UPDATE)).toEqual(UPDATE);
	expect(parseChangeEvent(JSON.parse(JSON.stringify(UPDATE)))).toEqual(UPDATE);
});

test.each(['c', 'r', 'u', 'd', 't', 'm', 'w'])('the kind "%s" is known', (op) => {
	expect(problem({ ...UPDATE, op })).toBe('none');
});

test('what other nodes have added stays on the item', () => {
	const source = { ...UPDATE.source, lsn: '0/1A2B380', table: 'customers' };
	const more = {
		...UPDATE,
		source,
		enriched: true,
		bisync: { echoFilter: { disposition: 'foreign' } },
	};
	expect(parseChangeEvent(more)).toEqual(more);
});

test('an event without a marker says so; one with a marker is checked whole', () => {
	const marker = {
		op: 'a1b2:crm:7',
		link: 'a1b2',
		system: 'crm',
		entity: 'customer',
		outcome: 'refused',
		key: null,
		error: 'too long',
		mac: 'x',
	};
	expect(parseChangeEvent({ ...UPDATE, marker })).toEqual({ ...UPDATE, marker });
	expect(problem({ ...UPDATE, marker: { ...marker, outcome: 'done' } })).toContain(
		'marker.outcome',
	);
});

test('a wake item and a trigger without a store have no predecessor', () => {
	expect(
		problem({ ...UPDATE, op: 'w', source: { ...UPDATE.source, position: null, prev: null } }),
	).toBe('none');
});

test.each<[string, unknown, RegExp]>([
	['an empty item', {}, /changeId: /],
	['a text', 'hello', /\(the item: /],
	['null', null, /\(the item: /],
	['no system', { ...UPDATE, system: '' }, /\(system: /],
	['another kind', { ...UPDATE, op: 'x' }, /\(op: /],
	['a row that is a list', { ...UPDATE, after: [] }, /\(after: /],
	['a missing row', { ...UPDATE, before: undefined }, /\(before: /],
	[
		'a value that is no JSON',
		{ ...UPDATE, after: { at: undefined } },
		/\(after\.at: must be null, a boolean/,
	],
	['a number that is none', { ...UPDATE, after: { n: NaN } }, /\(after\.n: .*finite number/],
	['a bigint', { ...UPDATE, key: { id: 42n } }, /\(key\.id: /],
	[
		'an LSN for a position',
		{ ...UPDATE, source: { ...UPDATE.source, position: '0/1A2B3C4' } },
		/\(source\.position: must look like/,
	],
	['no place in a stream at all', { ...UPDATE, source: {} }, /source\.position/],
])('%s is refused, with the path that is wrong', (_, item, message) => {
	expect(problem(item)).toMatch(/^The item is not a change event/);
	expect(problem(item)).toMatch(message);
});

test('a refusal names three problems at most, and no value', () => {
	const message = problem({ secret: 'Ann Lee' });
	expect(message.split('; ')).toHaveLength(3);
	expect(message).not.toContain('Ann');
});

test('any JSON passes as a column’s value and is not changed', () => {
	fc.assert(
		fc.property(arbitraryJson, (value) => {
			expect(parseChangeEvent({ ...UPDATE, after: { value } }).after).toEqual({ value });
		}),
	);
});

test('checking any item gives the item or the one error', () => {
	fc.assert(
		fc.property(fc.anything(), (item) => expect(problem(item)).toMatch(/^The item is not/)),
	);
});
