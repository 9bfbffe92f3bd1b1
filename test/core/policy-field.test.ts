import { mapDocument } from '../../src/core/policy';
import { policyProblems, sampleCustomer, samplePolicyWith } from '../support/sample-policy';

const CUSTOMER = 'entities.customer';
const NAME = 'name: { crm: full_name, billing: name, owner: crm, codec: trim }';
const DUPLICATE = `${CUSTOMER}.fields.phone.crm: names the column "phone", which the field "name" already has`;

const problemsWith = (field: string) => policyProblems(samplePolicyWith(NAME, field));

describe('a field', () => {
	const use =
		'use prefer(crm), prefer(billing), latest, max, min, longest, union, delta or review';
	test.each([
		['{ owner: crm }', ': is carried by no system; name its column in crm or billing'],
		[
			'{ crm: full_name, billing: name }',
			'.owner: is missing; it must be the name of a system, or shared',
		],
		[
			'{ crm: full_name, billing: name, owner: crmm }',
			'.owner: must be crm, billing or shared, a system with a column for this field, not "crmm"; did you mean "crm"?',
		],
		[
			'{ crm: full_name, owner: billing }',
			'.owner: must be crm or shared, a system with a column for this field, not "billing"',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, resolve: review }',
			'.resolve: is for shared fields; this one is decided by its owner crm',
		],
		[
			'{ crm: full_name, billing: name, owner: shared }',
			`.resolve: is missing; a shared field needs one: ${use}`,
		],
		[
			'{ crm: full_name, billing: name, owner: shared, resolve: review, onForeignEdit: revert }',
			'.onForeignEdit: needs an owner; a shared field has none',
		],
		[
			'{ crm: full_name, billing: name, owner: shared, resolve: union(crm) }',
			`.resolve: "union(crm)" is not a strategy; ${use}`,
		],
		[
			'{ crm: full_name, billing: name, owner: shared, resolve: latest(soon) }',
			'.resolve: latest takes a tolerance in milliseconds or seconds; write latest, latest(200ms) or latest(2s)',
		],
		[
			'{ crm: full_name, billing: name, owner: shared, resolve: latest(-1) }',
			'.resolve: latest takes a tolerance in milliseconds or seconds; write latest, latest(200ms) or latest(2s)',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, onForeignEdit: propos }',
			'.onForeignEdit: must be revert, ignore, review or propose',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, nulls: never }',
			'.nulls: must be clear, ignore or never-wins',
		],
		[
			'{ crm: full_name, billing: name, owner: shared, resolve: reveiw }',
			`.resolve: "reveiw" is not a strategy; ${use}; did you mean "review"?`,
		],
		[
			'{ crm: full_name, billing: name, owner: shared, resolve: prefer }',
			`.resolve: prefer must name a system with a column for this field; ${use}`,
		],
		[
			'{ crm: full_name, billing: name, owner: crm, valid: {} }',
			'.valid: must have a pattern, oneOf, transitions or required: true',
		],
		['{ crm: 5, billing: name, owner: crm }', '.crm: must be a column name'],
		['{ crm: phone, billing: name, owner: crm }', DUPLICATE],
		[
			'{ crm: full_name, billing: name, owner: crm, codec: 3 }',
			'.codec: must be an object (key: value lines)',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, codec: [trim, 3] }',
			'.codec[1]: must be a codec, such as trim or decimal(2)',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, codec: { erp: trim } }',
			'.codec.erp: is not a system with a column for this field',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, map: {} }',
			'.map: must have at least one pair of values',
		],
		[
			'{ crm: full_name, owner: crm, map: { a: b } }',
			'.map: needs a field of exactly two systems, or an object with the values of each',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, map: { a: 1, b: "1" } }',
			'.map.b: has the same value as "a"; the way back would be a guess',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, map: { a: ~ } }',
			'.map.a: must be a text, a number, true or false (null always stays null)',
		],
		[
			'{ crm: full_name, billing: name, owner: crm, codec: lower, map: { Past due: x } }',
			'.map["Past due"]: can never match in crm, where lower comes before the map',
		],
	])('%s', (field, problem) => {
		const path = problem === DUPLICATE ? '' : `${CUSTOMER}.fields.name`;
		expect(problemsWith(`name: ${field}`)).toEqual([path + problem]);
	});

	test.each(['__proto__', 'toString', 'a-b', '1st'])('cannot be called %s', (name) => {
		const [problem] = problemsWith(`${name}: { crm: full_name, billing: name, owner: crm }`);
		expect(problem).toMatch(
			/^entities\.customer\.fields\.\S+: (must be 1 to 63|is a reserved word)/,
		);
	});
});

test('the keys of a map are the texts that stand in the document, whatever YAML could make of them', () => {
	const text = samplePolicyWith(
		NAME,
		'name: { crm: full_name, billing: name, owner: crm, map: { 0x10: 16, 007: a, true: b, no: c } }',
	);
	const { map } = sampleCustomer(text).customer.fields.get('name') ?? {};
	expect(map && mapDocument(map)).toEqual({
		'0x10': 16,
		'007': 'a',
		true: 'b',
		no: 'c',
	});
});
