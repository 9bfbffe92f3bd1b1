import fc from 'fast-check';

import type { Json } from '../../src/core/canonical-json';
import { chainCodecs, readCodec } from '../../src/core/codecs';
import type { Codec } from '../../src/core/codecs/codec';
import { compareLists, type ListField, type ListRules } from '../../src/core/reconcile-lists';

const codec = (spec?: string): Codec => {
	if (spec === undefined) return chainCodecs([]);
	const read = readCodec(spec);
	if (!read.ok) throw new Error(spec);
	return read.codec;
};

const field = (name: string, { spec, owner = null }: { spec?: string; owner?: ListField['owner'] } = {}): ListField => ({
	name,
	a: name,
	b: name,
	codecs: { a: codec(spec), b: codec(spec) },
	owner,
});

const rules = (...fields: ListField[]): ListRules => ({ keys: [{ a: 'id', b: 'ref' }], fields });

test('pairs records by key whatever the type of its values, and names what differs with who decides', () => {
	const found = compareLists([{ id: 1, x: 'p', y: 1 }], [{ ref: '1', x: 'q', y: 1 }], rules(field('x', { owner: 'a' }), field('y')));
	expect(found).toMatchObject({
		different: [{ a: 0, b: 0, fields: [{ field: 'x', values: { a: 'p', b: 'q' }, owner: 'a', action: 'update b' }] }],
		equal: 0,
	});
});

test('says what one list lacks, what occurs twice, and what has no key', () => {
	const a = [{ id: 1 }, { id: 2 }, { id: 2 }, { id: null }];
	const b = [{ ref: 1 }, { ref: 2 }, { ref: 3 }, { ref: 4 }, { ref: 4 }, {}];
	expect(compareLists(a, b, rules())).toEqual({
		different: [],
		onlyInA: [],
		onlyInB: [2],
		duplicates: [{ side: 'a', places: [1, 2] }, { side: 'b', places: [3, 4] }],
		withoutKey: [{ side: 'a', place: 3 }, { side: 'b', place: 5 }],
		equal: 1,
	});
});

test('compares what values mean, and leaves to a person what cannot be read', () => {
	const date = field('d', { spec: 'date', owner: 'b' });
	expect(compareLists([{ id: 1, d: '2024-01-31' }], [{ ref: 1, d: '2024-01-31T00:00:00' }], rules(date)).equal).toBe(1);
	const [bad] = compareLists([{ id: 1, d: 'soon' }], [{ ref: 1, d: '2024-01-31' }], rules(date)).different;
	expect(bad?.fields).toMatchObject([{ action: 'review', unreadable: { a: expect.any(String) as string } }]);
});

test.each<[string, Record<string, Json>, Record<string, Json>]>([
	['absent and null', {}, { x: null }],
	['null and the empty text', { x: null }, { x: '' }],
	['absent and the empty text', { x: '' }, {}],
])('%s are two things', (_, a, b) => {
	expect(compareLists([{ id: 1, ...a }], [{ ref: 1, ...b }], rules(field('x'))).different).toHaveLength(1);
});

test('every record is in exactly one place of the result, and turning the lists round turns the result round', () => {
	const rows = fc.array(fc.record({ id: fc.option(fc.integer({ min: 0, max: 6 })), x: fc.integer({ min: 0, max: 2 }) }), { maxLength: 12 });
	fc.assert(
		fc.property(rows, rows, (a, b) => {
			const same: ListRules = { keys: [{ a: 'id', b: 'id' }], fields: [field('x')] };
			const [there, back] = [compareLists(a, b, same), compareLists(b, a, same)];
			const inA = [...there.different.map((one) => one.a), ...there.onlyInA, ...there.duplicates.flatMap(({ side, places }) => (side === 'a' ? places : [])), ...there.withoutKey.flatMap(({ side, place }) => (side === 'a' ? [place] : []))];
			const inBoth = there.duplicates.flatMap(({ side, places }) => (side === 'b' ? places.map((place) => b[place]?.id) : []));
			const single = a.filter(({ id }) => inBoth.includes(id) && a.filter((other) => other.id === id).length === 1).length;
			expect(new Set(inA).size).toBe(inA.length);
			expect(inA.length + there.equal + single).toBe(a.length);
			expect([back.onlyInA, back.onlyInB, back.equal]).toEqual([there.onlyInB, there.onlyInA, there.equal]);
		}),
	);
});
