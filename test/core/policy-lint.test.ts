import type { TableFacts } from '../../src/core/table-facts';
import { parsePolicy } from '../../src/core/parse-policy';
import { lintPolicy } from '../../src/core/policy-lint';
import { SAMPLE_POLICY, samplePolicyWith } from '../support/sample-policy';

const NAME = 'name: { crm: full_name, billing: name, owner: crm, codec: trim }';

function lint(text: string, facts: readonly TableFacts[] = []): string[] {
	return lintPolicy(parsePolicy(text), facts).map(
		({ severity, path, message }) => `${severity} ${path}: ${message}`,
	);
}

const lintName = (field: string) => lint(samplePolicyWith(NAME, `name: ${field}`));

/** The table billing.public.accounts as the sample policy expects it. */
const ACCOUNTS: TableFacts = {
	system: 'billing',
	schema: 'public',
	table: 'accounts',
	columns: [
		{ name: 'account_no', notNull: true, hasDefault: true },
		...['external_id', 'name', 'contact_email', 'status', 'phone', 'credit_cents', 'memo'].map(
			(name) => ({ name, notNull: false, hasDefault: false }),
		),
	],
	uniqueKeys: [['account_no'], ['external_id'], ['contact_email']],
	replicaIdentity: 'full',
};

test('the sample policy has nothing to complain about', () => {
	expect(lint(SAMPLE_POLICY, [ACCOUNTS])).toEqual([]);
});

test('each finding comes with one thing to do', () => {
	const findings = lintPolicy(parsePolicy(samplePolicyWith('    match: [[ref], [email]]\n', '')));
	expect(findings).toEqual([
		{
			severity: 'warning',
			path: 'entities.customer.match',
			message:
				'Without a match rule each customer that both systems have already is created a second time in each.',
			fix: 'Add match: [[field]] with a field that identifies the record in both systems.',
		},
	]);
});

test('a match field that another system can edit is a warning', () => {
	const warning =
		'warning entities.customer.match: The match field "email" can be edited in more than one system, so a record may be matched by a value that is no longer its own.';
	expect(
		lint(
			samplePolicyWith(
				'owner: crm, codec: email',
				'owner: crm, onForeignEdit: ignore, codec: email',
			),
		),
	).toEqual([warning]);
	expect(
		lint(
			samplePolicyWith('owner: crm, codec: email', 'owner: shared, resolve: review, codec: email'),
		),
	).toEqual([warning]);
	expect(
		lint(
			samplePolicyWith(
				'owner: crm, codec: email',
				'owner: crm, onForeignEdit: review, codec: email',
			),
		),
	).toEqual([]);
});

test('a field that only one system carries is pointed out', () => {
	expect(lintName('{ crm: full_name, owner: crm }')).toEqual([
		'info entities.customer.fields.name: Only crm has a column for this field, so it is read but goes nowhere.',
	]);
});

test('a key column that the sync would overwrite is an error', () => {
	expect(
		lint(samplePolicyWith('billing: external_id, owner: crm', 'billing: account_no, owner: crm')),
	).toEqual([
		'error entities.customer.fields.ref.billing: The sync would write the key column "account_no" of billing, whose records would change their identity.',
	]);
});

describe('codecs', () => {
	test('that never agree are an error', () => {
		const [first] = lint(samplePolicyWith('minor-units(2)', 'minor-units(3)'));
		expect(first).toBe(
			'error entities.customer.fields.credit.codec: No value of crm can be written to billing, where minor-units(3) reads it as another one.',
		);
	});

	test('that agree on some values only are a warning, in the direction in which values travel', () => {
		const warning =
			'warning entities.customer.fields.name.codec: Not every value of crm can be written to billing, where trim reads it as another one.';
		expect(
			lintName('{ crm: full_name, billing: name, owner: crm, codec: { billing: trim } }'),
		).toEqual([warning]);
		expect(lintName('{ crm: full_name, billing: name, owner: crm, codec: { crm: trim } }')).toEqual(
			[],
		);
	});

	test('in an order that undoes itself are an error', () => {
		const place = 'error entities.customer.fields.name.codec:';
		const end =
			'writes with set, json does not read back as the same value, so the field would never come to rest.';
		expect(lintName('{ crm: full_name, billing: name, owner: crm, codec: [set, json] }')).toEqual([
			`${place} What crm ${end}`,
			`${place} What billing ${end}`,
		]);
	});

	test('of which only one gives null a meaning are a warning', () => {
		const field =
			'{ crm: full_name, billing: name, owner: crm, codec: { billing: default(none) } }';
		expect(lintName(field)).toEqual([
			'warning entities.customer.fields.name.codec: A null of crm cannot be written to billing, where default(none) gives null another meaning.',
		]);
		expect(lintName('{ crm: full_name, billing: name, owner: crm, codec: default(none) }')).toEqual(
			[],
		);
	});

	test.each([
		...[
			'identity',
			'trim',
			'lower',
			'upper',
			'email',
			'text',
			'boolean',
			'integer',
			'date',
			'timestamp',
		],
		...[
			'json',
			'set',
			'decimal(2)',
			'minor-units(EUR)',
			'money(EUR)',
			'currency',
			'phone(DE)',
			'phone',
		],
		...[
			'datetime(America/New_York)',
			'country(name)',
			'state(US)',
			'prefix(cus_)',
			'digits',
			'nfc',
		],
		...['empty-as-null', 'zero-as-null', 'null-as(0)', 'default(0)', 'collapse-space', 'state(CA)'],
	])('%s on both sides has nothing to complain about', (codec) => {
		expect(lintName(`{ crm: full_name, billing: name, owner: crm, codec: ${codec} }`)).toEqual([]);
	});

	test('of which one takes nothing that the other gives are an error', () => {
		expect(lintName('{ crm: full_name, billing: name, owner: crm, codec: [set, text] }')[0]).toBe(
			'error entities.customer.fields.name.codec: No sample value can be read in crm with set, text, so probably no value can.',
		);
	});
});

describe('with the facts about a table', () => {
	const lintAccounts = (facts: Partial<TableFacts>) =>
		lint(SAMPLE_POLICY, [{ ...ACCOUNTS, ...facts }]);

	test('columns that an insert must fill are listed', () => {
		const columns = [
			...ACCOUNTS.columns,
			{ name: 'plan', notNull: true, hasDefault: false },
			{ name: 'region', notNull: true, hasDefault: false },
		];
		expect(lintAccounts({ columns })).toEqual([
			'error entities.customer.billing.insert: New records cannot be created in billing: "plan" and "region" must not be null and nothing gives a value.',
		]);
		const given = samplePolicyWith(
			'key: [account_no]',
			'key: [account_no], insert: { plan: free }, stamp: { region: eu }',
		);
		expect(lint(given, [{ ...ACCOUNTS, columns }])).toEqual([]);
	});

	test('a column that the table has not is an error, with the nearest name', () => {
		const columns = ACCOUNTS.columns.map((column) =>
			column.name === 'memo' ? { ...column, name: 'memos' } : column,
		);
		expect(lintAccounts({ columns })).toEqual([
			'error entities.customer.fields.note.billing: The table public.accounts of billing has no column "memo"; did you mean "memos"?',
		]);
	});

	test('a key that is not unique is an error', () => {
		expect(lintAccounts({ uniqueKeys: [['external_id'], ['contact_email']] })).toEqual([
			'error entities.customer.billing.key: No primary key or unique index of billing covers the key, so one write could change several rows.',
		]);
	});

	test('a key that can be null is a warning', () => {
		const columns = ACCOUNTS.columns.map((column) => ({ ...column, notNull: false }));
		expect(lintAccounts({ columns })).toEqual([
			'warning entities.customer.billing.key: The key column "account_no" of billing can be null, and a row without a key cannot be synced.',
		]);
	});

	test('match columns that several records may share are pointed out', () => {
		expect(lintAccounts({ uniqueKeys: [['account_no'], ['external_id']] })).toEqual([
			'info entities.customer.match.1: Nothing keeps "contact_email" of billing unique; records that share the value are left to a person.',
		]);
	});

	test('columns are held against their types once nothing else is wrong with the codecs', () => {
		const columns = ACCOUNTS.columns.map((column) =>
			column.name === 'credit_cents' ? { ...column, kind: 'boolean' as const } : column,
		);
		expect(lintAccounts({ columns })).toEqual([
			'error entities.customer.fields.credit.codec: minor-units(2) can read no value of the column "credit_cents" of billing, which is of type boolean.',
		]);
	});

	test('replica identity is judged, with the SQL that mends it', () => {
		const [finding] = lintPolicy(parsePolicy(SAMPLE_POLICY), [
			{ ...ACCOUNTS, replicaIdentity: 'nothing' },
		]);
		expect(finding).toMatchObject({
			severity: 'error',
			path: 'entities.customer.billing',
			fix: 'Run in billing: alter table "public"."accounts" replica identity full;',
		});
		expect(lintAccounts({ replicaIdentity: 'default' })).toEqual([
			'info entities.customer.billing: With replica identity default the log of billing leaves out a large column while it is large and does not change; a record that was never read whole lacks it until then.',
		]);
	});

	test('facts about tables that the policy does not name are ignored', () => {
		expect(lintAccounts({ table: 'other', columns: [], uniqueKeys: [] })).toEqual([]);
	});
});
