import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { policyProblems, samplePolicyWith, SAMPLE_POLICY } from '../support/sample-policy';
import { newScopes } from '../../src/core/scopes';
import { policyHash } from '../../src/core/policy';

const KEY = 'key: [account_no]';
const withColumns = (more: string) => samplePolicyWith(KEY, `${KEY}, ${more}`);
const binding = (more: string) => parsePolicy(withColumns(more)).entities.get('customer')?.tables.get('billing');
const PLACE = 'entities.customer.billing';

test('a table can be limited to rows with a value, one of several, or none', () => {
	expect(binding('where: { entity: 1, kind: [a, ~], parent: ~ }, insert: { kind: a }')?.where).toEqual(
		new Map([
			['entity', [1]],
			['kind', ['a', null]],
			['parent', [null]],
		]),
	);
});

test('a new row can take a number of a sequence, a default, or a constant', () => {
	const given = binding('insert: { code: { sequence: app.codes }, note: { sequence: notes }, kind: default, rank: 3 }');
	expect(given?.insert).toEqual(
		new Map<string, unknown>([
			['code', { kind: 'sequence', schema: 'app', sequence: 'codes' }],
			['kind', { kind: 'default' }],
			['note', { kind: 'sequence', schema: 'public', sequence: 'notes' }],
			['rank', { kind: 'constant', value: 3 }],
		]),
	);
});

test('the normal form says the same as the document', () => {
	const policy = parsePolicy(withColumns('where: { entity: [1, 2], kind: ~ }, insert: { entity: 2, code: { sequence: \'"a.b".c\' } }'));
	const again = policyOf(policy.document);
	expect(again.document).toEqual(policy.document);
	expect(again.entities.get('customer')?.tables).toEqual(policy.entities.get('customer')?.tables);
});

test('a policy that limits no table has the hash that it always had', () => {
	const sample = parsePolicy(SAMPLE_POLICY);
	expect(JSON.stringify(sample.document)).not.toContain('where');
	expect(policyHash(parsePolicy(withColumns('where: { entity: 1 }')))).not.toBe(policyHash(sample));
});

test('other rows are to be read anew, with all their fields', () => {
	const scopes = newScopes(parsePolicy(SAMPLE_POLICY), parsePolicy(withColumns('where: { entity: 1 }')));
	expect(scopes).toEqual(expect.arrayContaining(['customer.∃.billing', 'customer.name.billing']));
	expect(scopes.some((scope) => scope.endsWith('.crm'))).toBe(false);
});

test.each([
	['where: { entity: [] }', `${PLACE}.where.entity: must have at least one value`],
	['where: { entity: [1, 2] }', `${PLACE}.where.entity: has several values: say under insert which one a new row gets`],
	['where: { entity: 1 }, insert: { entity: 2 }', `${PLACE}.insert.entity: is not a value that "where" lets in: the row would be none of ours`],
	['where: { entity: 1 }, stamp: { entity: 2 }', `${PLACE}.stamp.entity: is not a value that "where" lets in: the row would be none of ours`],
	['where: { entity: { not: 1 } }', `${PLACE}.where.entity: must be a text, a number, true, false or null (put long numbers in quotes)`],
	['insert: { code: { sequence: a.b.c } }', `${PLACE}.insert.code.sequence: must be a sequence name, schema.sequence, with names that hold a dot in double quotes`],
])('%s is refused', (columns, problem) => {
	expect(policyProblems(withColumns(columns))).toContain(problem);
});
