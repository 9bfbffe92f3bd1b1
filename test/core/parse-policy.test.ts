import { CODEC_NAMES } from '../../src/core/codecs';
import { SyncError } from '../../src/core/errors';
import { parsePolicy, policyOf } from '../../src/core/parse-policy';
import {
	SAMPLE_POLICY,
	sampleCustomer,
	samplePolicyWith,
	policyProblems,
} from '../support/sample-policy';

const problemsWith = (before: string, after: string) =>
	policyProblems(samplePolicyWith(before, after));
const CUSTOMER = 'entities.customer';

describe('a valid policy', () => {
	const { policy, customer } = sampleCustomer();

	test('names its systems in the order of the document', () => {
		expect([policy.name, policy.systems]).toEqual(['crm-billing', ['crm', 'billing']]);
	});

	test('has tables with a schema and a key', () => {
		expect(customer.tables.get('billing')).toEqual({
			system: 'billing',
			schema: 'public',
			table: 'accounts',
			parts: new Map(),
			key: ['account_no'],
			insert: new Map(),
			stamp: new Map(),
			where: new Map(),
		});
	});

	test('says for each field who decides', () => {
		const authorities = [...customer.fields].map(([name, { authority }]) => [name, authority]);
		expect(Object.fromEntries(authorities)).toEqual({
			ref: { kind: 'owned', owner: 'crm', onForeignEdit: 'revert' },
			name: { kind: 'owned', owner: 'crm', onForeignEdit: 'revert' },
			email: { kind: 'owned', owner: 'crm', onForeignEdit: 'revert' },
			status: { kind: 'owned', owner: 'billing', onForeignEdit: 'revert' },
			phone: { kind: 'shared', resolve: { kind: 'review' } },
			credit: { kind: 'shared', resolve: { kind: 'prefer', system: 'billing' } },
			note: { kind: 'shared', resolve: { kind: 'prefer', system: 'crm' } },
		});
	});

	test('lists fields by name, so that documents with one hash decide in one order', () => {
		expect([...customer.fields.keys()]).toEqual([
			'credit',
			'email',
			'name',
			'note',
			'phone',
			'ref',
			'status',
		]);
	});

	test('has a codec for each column, the map last', () => {
		const codecs = [...customer.fields].map(([name, { columns }]) => [
			name,
			[...columns.values()].map(({ codec }) => codec.name),
		]);
		expect(Object.fromEntries(codecs)).toMatchObject({
			ref: ['identity', 'identity'],
			name: ['trim', 'trim'],
			status: ['map', 'map'],
			credit: ['decimal(2)', 'minor-units(2)'],
		});
	});

	test('holds mass deletes of more than 50 rows unless it says otherwise', () => {
		expect(customer.deletes).toEqual({
			conflict: 'review',
			massDelete: { rows: 50, percent: null },
			as: new Map(),
		});
		const deletes = (text: string) =>
			sampleCustomer(`${SAMPLE_POLICY}    deletes: ${text}\n`).customer.deletes.massDelete;
		expect(deletes('{ massDelete: { percent: 10 } }')).toEqual({ rows: null, percent: 10 });
		expect(deletes('{ massDelete: { rows: 5, percent: 2.5 } }')).toEqual({ rows: 5, percent: 2.5 });
		expect(deletes('{ massDelete: { rows: ~ } }')).toEqual({ rows: null, percent: null });
	});

	test('tells constants from the words default and now', () => {
		const billing =
			'{ table: accounts, key: [account_no], insert: { active: true, plan: default, parent: ~ }, stamp: { write_date: now, by: sync } }';
		const text = samplePolicyWith('{ table: public.accounts, key: [account_no] }', billing);
		const table = sampleCustomer(text).customer.tables.get('billing');
		expect(table?.schema).toBe('public');
		expect(Object.fromEntries(table?.insert ?? [])).toEqual({
			active: { kind: 'constant', value: true },
			plan: { kind: 'default' },
			parent: { kind: 'constant', value: null },
		});
		expect(Object.fromEntries(table?.stamp ?? [])).toEqual({
			write_date: { kind: 'now' },
			by: { kind: 'constant', value: 'sync' },
		});
	});

	test.each([
		['accounts', 'public', 'accounts'],
		['"My.Schema"."odd ""table"""', 'My.Schema', 'odd "table"'],
		['Billing.Accounts', 'Billing', 'Accounts'],
	])('reads the table name %s', (name, schema, table) => {
		const text = samplePolicyWith('public.accounts', `'${name}'`);
		expect(sampleCustomer(text).customer.tables.get('billing')).toMatchObject({ schema, table });
	});
});

describe('a document that cannot be read', () => {
	test('as YAML lists the place of each problem', () => {
		expect(() => parsePolicy('policy: a\npolicy: b\nsystems: [crm')).toThrow(
			new SyncError(
				'POLICY_INVALID',
				'The policy is not readable as YAML or JSON:\n' +
					'- Map keys must be unique at line 2, column 1\n' +
					'- Flow sequence in block collection must be sufficiently indented and end with a ] at line 3, column 14',
			),
		);
	});

	test('as JSON does not let a key given twice pass', () => {
		expect(policyProblems('{"policy":"a","policy":"b"}')).toEqual([
			'Map keys must be unique at line 1, column 15',
		]);
	});

	test.each(['', '[]', 'a text', '3'])('because it is %j says what a policy is', (text) => {
		expect(policyProblems(text)[0]).toBe('the policy: must be an object (key: value lines)');
	});

	test('because its aliases unfold to millions of nodes is refused', () => {
		const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
		for (let n = 1; n < 8; n++) {
			lines.push(
				`a${n}: &a${n} [${Array(10)
					.fill(`*a${n - 1}`)
					.join(', ')}]`,
			);
		}
		expect(policyProblems(lines.join('\n'))).toEqual([
			'Excessive alias count indicates a resource exhaustion attack',
		]);
	});
});

test('all problems are listed at once, with their paths and a remedy', () => {
	const text = samplePolicyWith(
		'owner: crm, codec: email',
		'ownr: crm, codec: [emial], onForeignEdit: no',
		samplePolicyWith('prefer(billing)', 'prefer(biling)', samplePolicyWith('key: [id]', 'key: []')),
	);
	expect(() => parsePolicy(text)).toThrow(
		expect.objectContaining({
			code: 'POLICY_INVALID',
			action: 'stop',
			remedy: 'Correct each listed place in the policy, then publish it again.',
			message: [
				'The policy has 6 problems:',
				'- entities.customer.crm.key: must name at least one column',
				'- entities.customer.fields.credit.resolve: prefer must name a system with a column for this field; use prefer(crm), prefer(billing), latest, max, min, longest, union, delta or review',
				'- entities.customer.fields.email.ownr: is not a known key; did you mean "owner"?',
				'- entities.customer.fields.email.owner: is missing; it must be the name of a system, or shared',
				'- entities.customer.fields.email.onForeignEdit: must be revert, ignore, review or propose',
				`- entities.customer.fields.email.codec[0]: unknown codec "emial"; known codecs: ${CODEC_NAMES.join(', ')}; did you mean "email"?`,
			].join('\n'),
		}),
	);
});

describe('the head of the document', () => {
	test.each([
		[
			'policy: crm-billing',
			'policy: CRM',
			'policy: must be 1 to 63 small letters, digits and hyphens, a letter first',
		],
		['policy: crm-billing', 'polcy: crm', 'polcy: is not a known key; did you mean "policy"?'],
		['[crm, billing]', 'crm', 'systems: must be a list of 2 to 8 system names'],
		['[crm, billing]', '[crm]', 'systems: must name at least 2 systems'],
		['[crm, billing]', '[crm, crm]', 'systems: names a system twice'],
		['[crm, billing]', '[crm, human]', 'systems[1]: is a reserved word; choose another name'],
		['[crm, billing]', '[crm, constructor]', 'systems[1]: is a reserved word; choose another name'],
		[
			'[crm, billing]',
			'[crm, B]',
			'systems[1]: must be 1 to 31 small letters, digits and underscores, a letter first',
		],
		['[crm, billing]', '[a, b, c, d, e, f, g, h, i]', 'systems: must name at most 8 systems'],
	])('%s → %s', (before, after, problem) => {
		expect(problemsWith(before, after)).toContain(problem);
	});

	test('without systems does not call every key below a typo', () => {
		expect(problemsWith('systems: [crm, billing]', '')).toEqual([
			'systems: is missing; it must be a list of 2 to 8 system names',
		]);
	});

	test('needs an entity', () => {
		expect(policyProblems('policy: a\nsystems: [crm, erp]')).toEqual(['entities: is missing']);
		expect(policyProblems('policy: a\nsystems: [crm, erp]\nentities: {}')).toEqual([
			'entities: must have at least one entity',
		]);
	});
});

describe('an entity', () => {
	test.each([
		['customer:', 'constructor:', 'entities.constructor: is a reserved word; choose another name'],
		[
			'customer:',
			'Customer:',
			'entities.Customer: must be 1 to 63 small letters, digits, underscores and hyphens, a letter first',
		],
		[
			'billing: { table',
			'biling: { table',
			`${CUSTOMER}.biling: is not a known key; did you mean "billing"?`,
		],
		[
			'billing: { table',
			'biling: { table',
			`${CUSTOMER}: must have a table in at least two of crm and billing`,
		],
		[
			'billing: { table',
			'biling: { table',
			`${CUSTOMER}.fields.name.billing: names a column, but the entity has no table in billing`,
		],
		[
			'sensitive:',
			'parts: []\n    sensitive:',
			`${CUSTOMER}.parts: is not a known key`,
		],
		[
			'[email, phone]',
			'[email, phon]',
			`${CUSTOMER}.sensitive: "phon" is not a field of this entity; did you mean "phone"?`,
		],
		['[email, phone]', 'email', `${CUSTOMER}.sensitive: must be a list of field names`],
		[
			'public.accounts',
			'a.b.c',
			`${CUSTOMER}.billing.table: must be a table name, schema.table, with names that hold a dot in double quotes`,
		],
		['key: [id]', 'key: id', `${CUSTOMER}.crm.key: must be a list of column names, [id]`],
		['key: [id]', 'key: [id, id]', `${CUSTOMER}.crm.key: names a column twice`],
		['key: [id]', "key: ['']", `${CUSTOMER}.crm.key[0]: must be a column name, not an empty text`],
		[
			'key: [id]',
			'id: [id]',
			`${CUSTOMER}.crm.key: is missing; it must be a list of column names, [id]`,
		],
		[
			'key: [id]',
			'key: [id], insert: { x: [1] }',
			`${CUSTOMER}.crm.insert.x: must be a text, a number, true, false or null (put long numbers in quotes)`,
		],
		[
			'key: [id]',
			'key: [id], insert: { x: 12345678901234567890 }',
			`${CUSTOMER}.crm.insert.x: must be a text, a number, true, false or null (put long numbers in quotes)`,
		],
		[
			'key: [id]',
			'key: [id], insert: { note: x }',
			`${CUSTOMER}.crm.insert.note: is the column of the field "note", which fills it`,
		],
		[
			'key: [id]',
			'key: [id], insert: { x: 1 }, stamp: { x: 1 }',
			`${CUSTOMER}.crm.stamp.x: is also under insert`,
		],
	])('%s → %s', (before, after, problem) => {
		expect(problemsWith(before, after)).toContain(problem);
	});

	test('cannot share a table with another one', () => {
		const other =
			'  lead:\n    crm: { table: customers, key: [id] }\n    billing: { table: leads, key: [id] }\n    fields: { x: { crm: x, billing: x, owner: crm } }\n';
		expect(policyProblems(SAMPLE_POLICY + other)).toEqual([
			'entities.lead.crm.table: is already the table of the entity "customer"',
		]);
	});

	test('must have a field', () => {
		expect(
			problemsWith(SAMPLE_POLICY.slice(SAMPLE_POLICY.indexOf('    match:')), '    fields: {}'),
		).toEqual([`${CUSTOMER}.fields: must have at least one field`]);
	});
});

describe('match rules', () => {
	test.each([
		[
			'[[ref], [emial]]',
			'match[1][0]: "emial" is not a field of this entity; did you mean "email"?',
		],
		['[ref, [email]]', 'match[0]: must be a list of field names; write [[email]], not [email]'],
		['[[]]', 'match[0]: must name at least one field'],
		['[[ref, ref]]', 'match[0]: names a field twice'],
		['ref', 'match: must be a list of lists of field names, [[email]]'],
	])('%s', (rules, problem) => {
		expect(problemsWith('[[ref], [email]]', rules)).toEqual([`${CUSTOMER}.${problem}`]);
	});

	test('need two systems that have columns for all their fields', () => {
		const text = samplePolicyWith('billing: phone, owner: shared, resolve: review', 'owner: crm');
		expect(policyProblems(samplePolicyWith('[[ref], [email]]', '[[email, phone]]', text))).toEqual([
			`${CUSTOMER}.match[0]: can match nothing: fewer than two systems have columns for all its fields`,
		]);
	});
});

describe('deletes', () => {
	test.each([
		['{ conflict: keep }', 'conflict: must be review, update-wins or delete-wins'],
		[
			'{ as: { active: false } }',
			'as.active: is neither a system (crm or billing) nor a field',
		],
		[
			'{ as: { crm: { gone: true, closed: true } } }',
			'as.crm: must name one column',
		],
		[
			'{ as: { crm: { state: closed } } }',
			'as.crm.state: must be true, false, { deleted: …, live: … } with the values of a deleted row and of one that is brought back, or { passed: true } where it holds a date',
		],
		[
			'{ as: { crm: { state: { deleted: closed, live: closed } } } }',
			'as.crm.state: must have two different values',
		],
		['{ masDelete: {} }', 'masDelete: is not a known key; did you mean "massDelete"?'],
		['{ massDelete: { rows: 0 } }', 'massDelete.rows: must be at least 1'],
		['{ massDelete: { rows: ten } }', 'massDelete.rows: must be a whole number of rows, or null'],
		['{ massDelete: { percent: 101 } }', 'massDelete.percent: must be at most 100'],
	])('%s', (deletes, problem) => {
		expect(policyProblems(`${SAMPLE_POLICY}    deletes: ${deletes}\n`)).toEqual([
			`${CUSTOMER}.deletes.${problem}`,
		]);
	});
});

test('the normal form of a policy is a document of the same policy', () => {
	const { policy } = sampleCustomer();
	expect(policyOf(policy.document).document).toEqual(policy.document);
});
