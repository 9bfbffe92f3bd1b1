import { parseFields, parseVector } from '../../src/core/given-json';

test('fields may be given as data or as text', () => {
	expect(parseFields({ a: null })).toEqual({ a: null });
	expect(parseFields('{ "a": [1] }')).toEqual({ a: [1] });
});

test.each([null, 1, 'text', '[1]', '{ a: 1 }', undefined])('%j is no record of fields', (value) => {
	expect(parseFields(value)).toBeNull();
});

test('a version vector has whole counters from 0 on', () => {
	expect(parseVector({ crm: 0, billing: 3 })).toEqual({ crm: 0, billing: 3 });
	expect(parseVector('{}')).toEqual({});
	for (const wrong of [{ crm: -1 }, { crm: 1.5 }, { crm: '1' }, { '': 1 }, [1], 'x'])
		expect(parseVector(wrong)).toBeNull();
});
