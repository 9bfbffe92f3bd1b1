import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { newScopes } from '../../src/core/scopes';
import { policyProblems } from '../support/sample-policy';

const policyWith = (deletes: string, field = 'crm: active, billing: status, owner: shared, resolve: prefer(crm), map: { true: 1, false: 0 }') => `
policy: p
systems: [crm, billing]
entities:
  partner:
    crm: { table: partners, key: [id] }
    billing: { table: accounts, key: [no] }
    match: [[ref]]
    fields:
      ref: { crm: id, billing: ref, owner: crm }
      active: { ${field} }
    deletes: ${deletes}
`;
const partner = (text: string) => parsePolicy(text).entities.get('partner');

test('a field that says whether the record is there is named once, and spelled as each system has it', () => {
	expect(partner(policyWith('{ as: { active: false } }'))?.deletes.as).toEqual(
		new Map([
			['billing', { column: 'status', deleted: 0, live: 1 }],
			['crm', { column: 'active', deleted: 'false', live: 'true' }],
		]),
	);
});

test('such a field is no value beside the record’s existence', () => {
	const policy = parsePolicy(policyWith('{ as: { crm: { active: false }, billing: { status: { deleted: 0, live: 1 } } } }'));
	expect([...(policy.entities.get('partner')?.fields.keys() ?? [])]).toEqual(['ref']);
	expect(policyOf(policy.document).document).toEqual(policy.document);
});

test.each([
	['{ as: { crm: { active: false } } }', 'entities.partner.fields.active: is how crm says that a record is deleted (deletes.as), so it cannot be a value too; let "as" name the field, or leave the field out'],
	['{ as: { active: { deleted: gone, live: true } } }', 'entities.partner.deletes.as.active: has no such value in crm: it is not one of false, true'],
	['{ as: { crm: { state: { deleted: 1, live: \'1\' } } } }', 'entities.partner.deletes.as.crm.state: must have two different values'],
])('%s is refused', (deletes, problem) => {
	expect(policyProblems(policyWith(deletes))).toContain(problem);
});

test('the column by which a row says it is filled by nothing else', () => {
	const text = policyWith('{ as: { crm: { gone: true } } }', 'crm: active, billing: status, owner: crm').replace('key: [id]', 'key: [id], insert: { gone: false }');
	expect(policyProblems(text)).toContain(
		'entities.partner.crm.insert.gone: is how the row says whether it is deleted (deletes.as), which fills it',
	);
});

test('rows that say otherwise that they are deleted have to be read again', () => {
	const field = 'crm: active, billing: status, owner: crm';
	const [before, after] = ['{}', '{ as: { crm: { gone: true } } }'].map((deletes) => parsePolicy(policyWith(deletes, field)));
	expect(before && after && newScopes(before, after)).toEqual(['partner.∃.crm']);
});
