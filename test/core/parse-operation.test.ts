import { parseOperation } from '../../src/core/parse-operation';

const operation = {
	id: 'l:crm:1',
	link: 'l',
	system: 'crm',
	entity: 'customer',
	number: 1,
	kind: 'update',
	key: { id: '1' },
	fields: { note: { expected: null, next: '', canon: '', vector: { crm: 1 } } },
	guards: { ref: 'r1' },
	existence: null,
};

test('an operation is what it was after its trip through items', () => {
	expect(parseOperation(JSON.parse(JSON.stringify(operation)))).toEqual(operation);
});

test('an expected or new value that is missing stays missing: absent is not null', () => {
	const fields = { note: { canon: 'x', vector: {} } };
	expect(Object.keys(parseOperation({ ...operation, fields }).fields['note'] ?? {})).toEqual([
		'canon',
		'vector',
	]);
});

test.each([
	[null, 'it: '],
	[{ ...operation, number: 0 }, 'number: '],
	[{ ...operation, kind: 'upsert' }, 'kind: '],
	[
		{ ...operation, fields: { note: { canon: 'x', vector: { crm: -1 } } } },
		'fields.note.vector.crm: ',
	],
])('%j is refused with the path that is wrong', (value, path) => {
	expect(() => parseOperation(value)).toThrow(
		expect.objectContaining({ code: 'NOT_AN_OPERATION', message: expect.stringContaining(path) }),
	);
});
