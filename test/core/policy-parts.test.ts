import { canonicalJson } from '../../src/core/canonical-json';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { policyHash } from '../../src/core/policy';
import { unreadScopes, newScopes, readHash } from '../../src/core/scopes';
import { PARTS_POLICY, partsSample } from '../support/parts-policy';
import { policyProblems, samplePolicyWith } from '../support/sample-policy';

const CRM = 'entities.customer.crm';
const ADDRESS = '{ table: public.partner_address, key: [partner_id], insert: { kind: postal }, stamp: { written: now } }';

const problemsWith = (before: string, after: string): string[] => policyProblems(samplePolicyWith(before, after, PARTS_POLICY));

describe('parts', () => {
	test('are further tables with a key that holds the main one', () => {
		expect([...partsSample().crm.parts.values()]).toEqual([
			{
				name: 'address',
				schema: 'public',
				table: 'partner_address',
				key: ['partner_id'],
				insert: new Map([['kind', { kind: 'constant', value: 'postal' }]]),
				stamp: new Map([['written', { kind: 'now' }]]),
			},
		]);
	});

	test('are in the normal form, which gives the same policy again', () => {
		const policy = parsePolicy(PARTS_POLICY);
		const again = policyOf(policy.document);
		expect(policyHash(again)).toBe(policyHash(policy));
		expect(canonicalJson(policy.document)).toContain('"parts":{"address":{"insert"');
	});

	test.each([
		[ADDRESS, '{ table: public.partner_address, key: [a, b], insert: {}, stamp: {} }', `${CRM}.parts.address.key: must have as many columns as the table's key, in its order: they hold the key of the main row (id)`],
		[ADDRESS, '{ table: public.partner, key: [partner_id] }', `${CRM}.parts.address.table: is already the table of the entity "customer"`],
		[ADDRESS, '{ key: [partner_id] }', `${CRM}.parts.address.table: is missing; it must be a table name, schema.table`],
		[ADDRESS, '{ table: x, key: [partner_id], where: { a: 1 } }', `${CRM}.parts.address.where: is not a known key`],
		[ADDRESS, '{ table: x, key: [partner_id], insert: { city: Ulm } }', `${CRM}.parts.address.insert.city: is the column of the field "city", which fills it`],
		[ADDRESS, '{ table: x, key: [partner_id], insert: { partner_id: 1 } }', `${CRM}.parts.address.insert.partner_id: is what joins the part to its record, which fills it`],
		[ADDRESS, '{ table: x, key: [partner_id], insert: { a: 1 }, stamp: { a: 1 } }', `${CRM}.parts.address.stamp.a: is also under insert`],
		['address: {', 'a.b: {', `${CRM}.parts["a.b"]: must be 1 to 63 letters, digits and underscores, a letter first`],
		['      parts:\n', '      where: { company: 1 }\n      parts:\n', `${CRM}.where: cannot stand beside parts: a row that comes in would come without what its parts hold`],
		['      parts:\n', '      insert: { address.kind: x }\n      parts:\n', `${CRM}.insert["address.kind"]: is a column of a part; write it under parts.address.insert`],
		['    match:', '    deletes: { as: { crm: { address.gone: true } } }\n    match:', "entities.customer.deletes.as: must name a column of crm's main table, not of a part: the main row says whether the record is there"],
		['crm: address.zip', 'crm: adress.zip', 'entities.customer.fields.zip.crm: names the part "adress", which crm has not; it has address; did you mean "address"?'],
		['crm: address.zip', 'crm: address.partner_id', 'entities.customer.fields.zip.crm: is what joins the part "address" to its record, and cannot be a value; map the key of the main table'],
		['{ table: public.accounts, key: [no] }', '{ table: public.accounts, key: [no], parts: { more: { table: x, key: [no] } } }', 'entities.customer.billing.parts.more: is used by no field; name one of its columns as more.column, or leave the part out'],
		['{ crm: address.zip, billing: zip, owner: shared, resolve: review }', "{ crm: { compute: '{name} {address.zip}' }, billing: zip, owner: crm }", 'entities.customer.fields.zip.crm: is computed from columns of several tables, of which a change shows one; name columns of one of them'],
		['{ table: public.accounts, key: [no] }', '{ table: public.accounts, key: [no], parts: {} }', 'entities.customer.billing.parts: must name at least one table'],
	])('%s → %s', (before, after, problem) => {
		expect(problemsWith(before, after)).toContain(problem);
	});

	test('may be what a value is computed from', () => {
		const text = samplePolicyWith(
			'      zip:   { crm: address.zip, billing: zip, owner: shared, resolve: review }',
			"      place: { crm: { compute: '{address.zip} {address.city}' }, billing: place, owner: crm }",
			PARTS_POLICY,
		);
		expect(partsSample(text).customer.fields.get('place')?.computed.get('crm')?.parts).toEqual(['address.zip', 'address.city']);
	});

	test('that come from another table are read anew, and what stands beside them is not', () => {
		const before = parsePolicy(PARTS_POLICY);
		const after = parsePolicy(PARTS_POLICY.replace('public.partner_address', 'public.place'));
		expect(newScopes(before, after)).toEqual(['customer.city.crm', 'customer.zip.crm']);
		expect(unreadScopes(after, 'crm', readHash(before, 'crm')).map(({ field }) => field)).toEqual(['city', 'zip']);
	});
});
