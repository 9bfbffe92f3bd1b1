import { parsePolicy } from '../../src/core/parse-policy';
import { lintPolicy } from '../../src/core/policy-lint';
import { depthsOf, holdsInsert } from '../../src/core/reference-graph';
import { newScopes } from '../../src/core/scopes';
import type { TableFacts } from '../../src/core/table-facts';
import { FAMILY_POLICY } from '../support/family-world';
import { policyProblems, samplePolicyWith } from '../support/sample-policy';

const CUSTOMER = 'customer: { crm: customer, billing: customer, owner: crm, references: customer }';
const PARENT = '    parent: { entity: customer, field: customer }\n';

const familyWith = (before: string, after: string): string => samplePolicyWith(before, after, FAMILY_POLICY);

describe('a field with references', () => {
	test('and its parent come back from the normal form', () => {
		const { document, entities } = parsePolicy(FAMILY_POLICY);
		const order = entities.get('order');
		expect(order?.parent).toBe('customer');
		expect(order?.fields.get('customer')?.references).toBe('customer');
		expect(parsePolicy(JSON.stringify(document)).document).toEqual(document);
	});

	test.each([
		['references: customer }', 'references: custmer }', 'references: "custmer" is not an entity of this policy; did you mean "customer"?'],
		['references: customer }', 'references: customer, codec: trim }', 'references: takes no codec or map: each system gets the key that the record has there'],
		['owner: crm, references', 'owner: shared, resolve: max, references', 'resolve: must be prefer(system), latest or review for a field with references'],
		['references: customer }', 'references: customer, valid: { pattern: x } }', 'valid: can only say required: true for a field with references'],
		['crm: customer,', "crm: { compute: '{a}' },", 'crm: must be a column: a reference is written as well as read'],
	])('is refused with %s as %s', (before, after, problem) => {
		const text = familyWith(CUSTOMER, CUSTOMER.replace(before, after)).replace(PARENT, '');
		expect(policyProblems(text)).toContain(`entities.order.fields.customer.${problem}`);
	});

	test('names records by one column, in systems that have them', () => {
		const wide = familyWith('billing: { table: public.accounts, key: [id] }', 'billing: { table: public.accounts, key: [id, tenant] }');
		expect(policyProblems(wide)).toContain(
			'entities.order.fields.customer.billing: is one column, but the key of "customer" in billing has 2',
		);
		const three = familyWith('systems: [crm, billing]', 'systems: [crm, billing, shop]')
			.replace('    billing: { table: public.invoices', '    shop: { table: public.carts, key: [id] }\n    billing: { table: public.invoices')
			.replace(CUSTOMER, CUSTOMER.replace('crm: customer,', 'crm: customer, shop: buyer,'));
		expect(policyProblems(three)).toEqual([
			'entities.order.fields.customer.shop: names records that shop has none of: the entity "customer" has no table there',
		]);
	});

	test('read anew as a plain one is a first contact: its values mean something else', () => {
		const plain = parsePolicy(familyWith(CUSTOMER, CUSTOMER.replace(', references: customer', '')).replace(PARENT, ''));
		expect(newScopes(plain, parsePolicy(FAMILY_POLICY))).toEqual(['order.customer.billing', 'order.customer.crm']);
	});
});

test.each([
	['field: total', 'field: must be a field that says references: customer'],
	['field: costumer', 'field: "costumer" is not a field of this entity; did you mean "customer"?'],
])('a parent is refused with %s', (field, problem) => {
	expect(policyProblems(familyWith('field: customer', field))).toEqual([`entities.order.parent.${problem}`]);
});

describe('the order of entities', () => {
	test('has parents before their children, whatever leads back', () => {
		const text = familyWith('      total:', '      first: { crm: f, billing: f, owner: crm, references: order }\n      total:').replace(
			'      friend:',
			'      latest: { crm: l, billing: l, owner: crm, references: order }\n      friend:',
		);
		const policy = parsePolicy(text);
		expect(Object.fromEntries(depthsOf(policy))).toEqual({ customer: 0, order: 1 });
		const [customer, order] = ['customer', 'order'].map((name) => policy.entities.get(name));
		const held = [customer, order].flatMap((entity) =>
			entity ? [...entity.fields.values()].filter((field) => holdsInsert({ policy, entity }, field)).map(({ name }) => name) : [],
		);
		expect(held).toEqual(['customer']);
	});
});

describe('lint', () => {
	const findings = (text: string, facts: readonly TableFacts[] = []): string[] =>
		lintPolicy(parsePolicy(text), facts).map(({ severity, path, message }) => `${severity} ${path} ${message}`);

	const invoices = (more: Partial<TableFacts>): TableFacts => ({
		...{ system: 'billing', schema: 'public', table: 'invoices' },
		columns: ['id', 'customer', 'number', 'total'].map((name) => ({ name, notNull: false, hasDefault: name === 'id', kind: 'integer' })),
		...more,
	});

	test('says that a reference back to its own entity is written afterwards, unless its column must not be null', () => {
		const says = '"friend" leads back to customer, so a new record is created without it and gets it afterwards';
		expect(findings(FAMILY_POLICY)).toContain(`info entities.customer.fields.friend ${says}.`);
		const accounts = invoices({ table: 'accounts', columns: [{ name: 'friend', notNull: true, hasDefault: false }] });
		expect(findings(FAMILY_POLICY, [accounts])).toContain(
			`error entities.customer.fields.friend ${says}, but "friend" of billing must not be null.`,
		);
	});

	test('warns of records that wait for each other', () => {
		const text = FAMILY_POLICY.replace('    match: [[ref]]\n', '    match: [[ref]]\n    required: [first]\n').replace(
			'      friend:',
			'      first: { crm: f, billing: f, owner: crm, references: order }\n      friend:',
		);
		expect(findings(text)).toContainEqual(expect.stringContaining('A new customer waits for its order, which in turn waits for a customer'));
	});

	test('warns of a number that is unique within its parent only', () => {
		const text = familyWith('[[customer, number]]', '[[number]]');
		const within = invoices({ uniqueKeys: [['id'], ['customer', 'number']] });
		const warning = expect.stringContaining('number is unique only together with customer: records of different customer records would be matched.') as string;
		expect(findings(text, [within])).toContainEqual(warning);
		expect(findings(text, [invoices({ uniqueKeys: [['id'], ['number']] })])).not.toContainEqual(warning);
		expect(findings(FAMILY_POLICY, [within])).not.toContainEqual(warning);
	});

	test('does not compare the types of keys: they are compared by what they name', () => {
		const [crm, billing] = (['text', 'integer'] as const).map((kind, at) =>
			invoices({
				...(at === 0 ? { system: 'crm', table: 'orders' } : {}),
				columns: [{ name: 'customer', notNull: false, hasDefault: false, kind }],
			}),
		);
		expect(findings(FAMILY_POLICY, [crm, billing].filter((one) => one !== undefined)).filter((one) => one.includes('fields.customer'))).toEqual([]);
	});
});
