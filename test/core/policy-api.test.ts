import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { apiOf, conditionOf, policyHash } from '../../src/core/policy';
import { lintPolicy } from '../../src/core/policy-lint';
import { policyProblems } from '../support/sample-policy';

const policyWith = (crm: string, fields = "name: { crm: full_name, billing: name, owner: crm }", more = ''): string => `
policy: crm-billing
systems: [crm, billing]
entities:
  customer:
    crm: ${crm}
    billing: { table: public.accounts, key: [account_no] }
    match: [[ref]]
    ${more}
    fields:
      ref: { crm: id_text, billing: external_id, owner: crm }
      ${fields}
`;

test.each(['conditional', 'verified', 'blind'])('a system may be reached through an API that is %s', (tier) => {
	const customer = parsePolicy(policyWith(`{ api: ${tier}, key: [id] }`)).entities.get('customer');
	expect(customer && apiOf(customer, 'crm')).toBe(tier);
	expect(customer && apiOf(customer, 'billing')).toBeNull();
	expect(customer?.tables.get('crm')?.key).toEqual(['id']);
});

test('the normal form of an API gives the same policy again', () => {
	const policy = parsePolicy(policyWith('{ api: verified, key: [id], where: { tenant: [7, 8], kind: a }, insert: { source: sync, tenant: 7 } }'));
	expect(policyHash(policyOf(policy.document))).toBe(policyHash(policy));
	expect(JSON.stringify(policy.document)).toContain('"api":"verified"');
});

test('a conditional write names the ETag, or the version where the policy says so', () => {
	const conditionIn = (crm: string): string | undefined => {
		const policy = parsePolicy(policyWith(crm));
		expect(policyHash(policyOf(policy.document))).toBe(policyHash(policy));
		const customer = policy.entities.get('customer');
		return customer && conditionOf(customer, 'crm');
	};
	expect(conditionIn('{ api: conditional, key: [id] }')).toBe('etag');
	expect(conditionIn('{ api: conditional, key: [id], condition: etag }')).toBe('etag');
	expect(conditionIn('{ api: conditional, key: [id], condition: version }')).toBe('version');
});

test.each([
	['{ api: sometimes, key: [id] }', 'crm.api: must be conditional, verified or blind'],
	['{ api: blind }', 'crm.key: is missing; it must be a list of property names, [id]'],
	['{ api: blind, key: [id, id] }', 'crm.key: names a property twice'],
	['{ api: blind, table: public.customers, key: [id] }', 'crm.table: does not go with api'],
	['{ api: blind, key: [id], stamp: { write_date: now } }', 'crm.stamp: is for tables'],
	['{ api: blind, key: [id], parts: {} }', 'crm.parts: is for tables: name nested properties with dots'],
	['{ api: blind, key: [id], insert: { no: { sequence: public.numbers } } }', 'crm.insert.no: must be a constant'],
	['{ api: verified, key: [id], condition: version }', 'crm.condition: is for api: conditional'],
	['{ api: conditional, key: [id], condition: date }', 'crm.condition: must be etag or version'],
	['{ api: blind, key: [id], kee: 1 }', 'crm.kee: is not a known key'],
])('%s is refused', (crm, problem) => {
	expect(policyProblems(policyWith(crm)).join('\n')).toContain(`entities.customer.${problem}`);
});

test('a shared field of an API that compares nothing waits for a person', () => {
	const shared = (resolve: string): string => policyWith('{ api: blind, key: [id] }', `name: { crm: full_name, billing: name, owner: shared, resolve: ${resolve} }`);
	expect(policyProblems(shared('prefer(crm)'))).toEqual([
		'entities.customer.fields.name.resolve: cannot be decided by a rule, because crm may be changed unseen at the moment of a write: set resolve: review, or give the field an owner',
	]);
	expect(policyProblems(shared('review'))).toEqual([]);
});

test('an API cannot say by a date that a record is deleted', () => {
	const text = policyWith('{ api: conditional, key: [id] }', undefined, 'deletes: { as: { crm: { ends_on: { passed: true } } } }');
	expect(policyProblems(text).join('\n')).toContain('an API tells nobody the time');
});

describe('lint', () => {
	const findings = (text: string): string[] => lintPolicy(parsePolicy(text)).map(({ severity, path }) => `${severity} ${path}`);

	test('warns of records that cannot be recognised, and names what is written blindly', () => {
		const text = policyWith('{ api: blind, key: [id] }', 'name: { crm: full_name, billing: name, owner: billing }');
		expect(findings(text)).toContain('info entities.customer.crm.api');
		expect(findings(text.replace('match: [[ref]]', ''))).toContain('warning entities.customer.crm');
	});

	test('has nothing to say of an API that writes on a condition', () => {
		expect(findings(policyWith('{ api: conditional, key: [id] }')).filter((one) => one.includes('customer.crm'))).toEqual([]);
	});
});
