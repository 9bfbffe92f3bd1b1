import { parsePolicy } from '../../src/core/parse-policy';
import { lintPolicy } from '../../src/core/policy-lint';
import type { ColumnFacts, TableFacts } from '../../src/core/table-facts';

/** A policy of one field beside the one by which records are matched. */
const policyWith = (field: string, more = '') => `
policy: p
systems: [crm, billing]
entities:
  customer:
    crm: { table: customers, key: [id] }
    billing: { table: accounts, key: [no]${more} }
    match: [[ref]]
    fields:
      ref: { crm: id, billing: ref, owner: crm }
      name: ${field}
`;

const column = (name: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
	name,
	notNull: false,
	hasDefault: false,
	...more,
});
const KEY = { notNull: true, hasDefault: true };

function lint(text: string, billing: Partial<ColumnFacts>, crm: Partial<ColumnFacts> = {}) {
	const customers = { table: 'customers', columns: [column('id', KEY), column('name', crm)] };
	const accounts = {
		table: 'accounts',
		columns: [column('no', KEY), column('ref'), column('name', billing)],
	};
	const facts: TableFacts[] = [
		{ system: 'crm', schema: 'public', ...customers },
		{ system: 'billing', schema: 'public', ...accounts },
	];
	return lintPolicy(parsePolicy(text), facts);
}

const REQUIRED = { notNull: true };
const messages = (...given: Parameters<typeof lint>) =>
	lint(...given).map(({ message }) => message);

const HELD =
	'"name" of billing must not be null, but crm may leave it empty: a record without it would wait for a person.';

test('a required column that the other side decides and may leave empty is found', () => {
	const [finding, ...others] = lint(
		policyWith('{ crm: name, billing: name, owner: crm }'),
		REQUIRED,
	);
	expect(others).toEqual([]);
	expect(finding).toEqual({
		severity: 'warning',
		path: 'entities.customer.fields.name.billing',
		message: HELD,
		fix: 'Set valid: { required: true }, say null-as(…) in the codec of billing, or make the column of crm not null.',
	});
	expect(
		messages(policyWith('{ crm: name, billing: name, owner: shared, resolve: review }'), REQUIRED),
	).toEqual([HELD]);
});

test.each([
	[
		'the policy holds empty ones back',
		'{ crm: name, billing: name, owner: crm, valid: { required: true } }',
	],
	['null says nothing', '{ crm: name, billing: name, owner: crm, nulls: ignore }'],
	[
		'a codec has something to write for null',
		'{ crm: name, billing: name, owner: crm, codec: { billing: null-as() } }',
	],
	['a codec never reads null', '{ crm: name, billing: name, owner: crm, codec: default(x) }'],
])('it is no finding where %s', (_, field) => {
	expect(messages(policyWith(field), REQUIRED)).toEqual([]);
});

test('it is no finding where the other column cannot be null either', () => {
	expect(
		messages(policyWith('{ crm: name, billing: name, owner: crm }'), REQUIRED, REQUIRED),
	).toEqual([]);
});

test('a required column of the owner lacks a value in records that are made elsewhere', () => {
	const owned = policyWith('{ crm: name, billing: name, owner: billing }');
	expect(messages(owned, REQUIRED)).toEqual([
		'"name" of billing must not be null, but crm may leave it empty: a new record without it cannot be created there.',
	]);
	expect(messages(owned, { notNull: true, hasDefault: true })).toEqual([]);
});

test('a required column that only its own system carries gets no value in new records', () => {
	const alone = '{ billing: name, owner: billing }';
	const [, finding] = lint(policyWith(alone), REQUIRED);
	expect(finding).toEqual({
		severity: 'error',
		path: 'entities.customer.billing.insert',
		message:
			'New records cannot be created in billing: "name" must not be null and nothing gives a value.',
		fix: 'Give each a value under insert, map a field to it that another system has, or give the column a default.',
	});
	expect(messages(policyWith(alone), { notNull: true, hasDefault: true })).toHaveLength(1);
});
