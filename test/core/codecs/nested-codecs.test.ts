import { json, set } from '../../../src/core/codecs/nested-codecs';

test('json compares a text column with a json column by value', () => {
	const value = { a: [2], b: 1.5 };
	expect(json.toCanon('{"b": 1.50, "a": [2]}')).toEqual({ ok: true, value });
	expect(json.toCanon(value)).toEqual({ ok: true, value });
	expect(json.toRaw(value)).toEqual({ ok: true, value: '{"a":[2],"b":1.5}' });
});

test('json refuses text that is not JSON and numbers it would change', () => {
	for (const text of ['{a: 1}', '', '{"id": 12345678901234567890}']) {
		expect(json.toCanon(text)).toEqual({
			ok: false,
			reason: 'is not JSON text, or holds a number that cannot be kept exactly',
		});
	}
});

test('set does not see order or repetition', () => {
	const canon = { ok: true, value: ['a', 'b', 1, { x: 1, y: 2 }] };
	expect(set.toCanon(['b', { y: 2, x: 1 }, 'a', 1, 'b', { x: 1, y: 2 }])).toEqual(canon);
});

test('set tells the empty list from null and refuses what is no list', () => {
	expect(set.toCanon([])).toEqual({ ok: true, value: [] });
	expect(set.toCanon('a;b')).toEqual({ ok: false, reason: 'is not a list' });
	expect(set.toCanon({})).toEqual({ ok: false, reason: 'is not a list' });
});
