import fc from 'fast-check';
import { mapCodecs } from '../../../src/core/codecs/map-codec';

const status = mapCodecs(
	new Map([
		['Active', 'active'],
		['Past due', 'past_due'],
	]),
);

test('both systems meet in the text of the first one', () => {
	expect(status.first.toCanon('Past due')).toEqual({ ok: true, value: 'Past due' });
	expect(status.second.toCanon('past_due')).toEqual({ ok: true, value: 'Past due' });
	expect(status.second.toRaw('Past due')).toEqual({ ok: true, value: 'past_due' });
});

test('a value outside the map is refused with the set of values, not with itself', () => {
	expect(status.first.toCanon('secret')).toEqual({
		ok: false,
		reason: 'is not one of Active, Past due',
	});
	expect(status.second.toCanon('secret')).toEqual({
		ok: false,
		reason: 'is not one of active, past_due',
	});
	expect(status.first.toCanon(['Active'])).toMatchObject({ ok: false });
});

test('a long map is not listed in full', () => {
	const { first } = mapCodecs(new Map(Array.from({ length: 13 }, (_, n) => [`v${n}`, n])));
	expect(first.toCanon('x')).toEqual({
		ok: false,
		reason: 'is not one of v0, v1, v2, v3, v4, v5, v6, v7, v8, v9 and 3 more',
	});
});

test('numbers and booleans are found by their text and written as they stand in the policy', () => {
	const { first, second } = mapCodecs(
		new Map<string, string | number | boolean>([
			['1', 10],
			['true', false],
			['__proto__', 'proto'],
		]),
	);
	expect(first.toCanon(1)).toEqual({ ok: true, value: '1' });
	expect(second.toCanon('10')).toEqual({ ok: true, value: '1' });
	expect(second.toRaw('1')).toEqual({ ok: true, value: 10 });
	expect(first.toCanon(true)).toEqual({ ok: true, value: 'true' });
	expect(second.toCanon(false)).toEqual({ ok: true, value: 'true' });
	expect(second.toCanon('proto')).toEqual({ ok: true, value: '__proto__' });
	expect(first.toCanon('constructor')).toMatchObject({ ok: false });
});

test('every listed value crosses over and comes back', () => {
	const word = fc.string({ maxLength: 4 });
	const pairs = fc.uniqueArray(fc.tuple(word, word), {
		comparator: ([a, x], [b, y]) => a === b || x === y,
		minLength: 1,
	});
	fc.assert(
		fc.property(pairs, (entries) => {
			const { first, second } = mapCodecs(new Map(entries));
			for (const [a, b] of entries) {
				expect(first.toCanon(a)).toEqual(second.toCanon(b));
				expect(second.toRaw(a)).toEqual({ ok: true, value: b });
				expect(first.toRaw(a)).toEqual({ ok: true, value: a });
			}
		}),
	);
});
