import { readFields, rawFor } from '../../src/core/mapping';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import { policyHash } from '../../src/core/policy';
import { lintPolicy } from '../../src/core/policy-lint';
import { policyProblems, sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const NAME = 'name: { crm: full_name, billing: name, owner: crm, codec: trim }';
const withMap = (map: string, more = '') =>
	samplePolicyWith(NAME, `name: { crm: full_name, billing: name, owner: crm${more}, map: ${map} }`);
const NAMED = '{ crm: { Active: active, Late: late }, billing: { 1: active, 2: late } }';

describe('a map with the values of each system', () => {
	const { customer } = sampleCustomer(withMap(NAMED));

	test('meets in the names that they have in common', () => {
		const crm = readFields(customer, 'crm', { full_name: 'Late' }).get('name');
		const billing = readFields(customer, 'billing', { name: 2 }).get('name');
		expect(crm).toMatchObject({ canon: 'late' });
		expect(billing).toMatchObject({ canon: 'late' });
		expect(rawFor(customer, 'billing', 'name', 'active')).toEqual({ ok: true, value: '1' });
		expect(rawFor(customer, 'crm', 'name', 'active')).toEqual({ ok: true, value: 'Active' });
	});

	test('refuses what it does not know, in every system', () => {
		expect(readFields(customer, 'crm', { full_name: 'late' }).get('name')).toMatchObject({
			state: 'unreadable',
			reason: 'is not one of Active, Late',
		});
		expect(rawFor(customer, 'billing', 'name', 'Active')).toMatchObject({ ok: false });
	});

	test('keeps its normal form', () => {
		const policy = parsePolicy(withMap(NAMED));
		expect(policyHash(policyOf(policy.document))).toBe(policyHash(policy));
		expect(JSON.stringify(policy.document)).toContain(
			'"map":{"billing":{"1":"active","2":"late"},"crm":',
		);
	});

	test('serves any number of systems', () => {
		const text = withMap('{ crm: { A: a }, billing: { B: a }, shop: { C: a } }', ', shop: name')
			.replace('[crm, billing]', '[crm, billing, shop]')
			.replace('    match:', '    shop: { table: people, key: [id] }\n    match:');
		const { customer: three } = sampleCustomer(text);
		expect(readFields(three, 'shop', { name: 'C' }).get('name')).toMatchObject({ canon: 'a' });
		expect(rawFor(three, 'billing', 'name', 'a')).toEqual({ ok: true, value: 'B' });
	});

	const place = 'entities.customer.fields.name.map';
	test.each([
		[
			'{ crm: { A: a } }',
			`${place}.billing: is missing; each system of the field needs its values`,
		],
		[
			'{ crm: { A: a, B: a }, billing: { x: a } }',
			`${place}.crm.B: has the same value as "A"; the way back would be a guess`,
		],
		['{ crm: { A: a }, billing: x }', `${place}.billing: must be an object (key: value lines)`],
		['{ crm: { A: a }, billing: {} }', `${place}.billing: must have at least one pair of values`],
		[
			'{ crm: { A: a }, billing: { x: a }, shop: { y: a } }',
			`${place}.shop: is not a system with a column for this field`,
		],
	])('%s is refused', (map, problem) => {
		expect(policyProblems(withMap(map))).toEqual([problem]);
	});

	test('is held against the codecs before it', () => {
		expect(policyProblems(withMap(NAMED, ', codec: { crm: lower }'))).toEqual([
			`${place}.crm.Active: can never match in crm, where lower comes before the map`,
			`${place}.crm.Late: can never match in crm, where lower comes before the map`,
		]);
	});

	test('in which one system lacks a word is a warning', () => {
		const map = '{ crm: { A: a, B: b }, billing: { x: a, y: c } }';
		expect(lintPolicy(parsePolicy(withMap(map))).map(({ message }) => message)).toEqual([
			'"b" of crm cannot be said in billing; a record with it would wait for a person.',
		]);
	});
});
