import { parsePolicy } from '../../src/core/parse-policy';
import { lintPolicy } from '../../src/core/policy-lint';
import type { ColumnFacts, TableFacts } from '../../src/core/table-facts';

const policyWith = (binding: string, deletes = '{}') =>
	parsePolicy(`
policy: p
systems: [crm, billing]
entities:
  customer:
    crm: { table: customers, key: [id] }
    billing: { table: accounts, key: [no]${binding} }
    match: [[ref]]
    deletes: ${deletes}
    fields: { ref: { crm: id, billing: ref, owner: crm } }
`);

const column = (name: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({ name, notNull: false, hasDefault: false, ...more });
const KEY = { notNull: true, hasDefault: true };
const NEEDED = { notNull: true };

function messages(policy: ReturnType<typeof parsePolicy>, billing: readonly ColumnFacts[], more: Partial<TableFacts> = {}): string[] {
	const facts: TableFacts[] = [
		{ system: 'crm', schema: 'public', table: 'customers', columns: [column('id', KEY)] },
		{ system: 'billing', schema: 'public', table: 'accounts', columns: [column('no', KEY), column('ref'), ...billing], ...more },
	];
	return lintPolicy(policy, facts).map(({ path, message }) => `${path}: ${message}`);
}
const ARCHIVED = '{ as: { billing: { gone: true } } }';

test('a column that says which rows count, or which are archived, must be there', () => {
	expect(messages(policyWith(', where: { company: 1 }', ARCHIVED), [])).toEqual([
		'entities.customer.billing.where: The table public.accounts of billing has no column "company".',
		'entities.customer.deletes.as.billing: The table public.accounts of billing has no column "gone".',
	]);
});

test('what puts a new row among those that count, and says that it is live, is a value', () => {
	const columns = [column('company', NEEDED), column('gone', NEEDED)];
	expect(messages(policyWith('', '{}'), columns)).toHaveLength(1);
	expect(messages(policyWith(', where: { company: 1 }', ARCHIVED), columns)).toEqual([]);
});

test('a publication that leaves such a column out hides which rows count', () => {
	const columns = [column('company'), column('gone')];
	const publication = { publication: { name: 'p', columns: ['no', 'ref'] } };
	expect(messages(policyWith(', where: { company: 1 }', ARCHIVED), columns, publication)).toEqual([
		'entities.customer.billing: The publication "p" of billing leaves out "company" and "gone", whose changes are not seen.',
	]);
});

test('a column by whose date rows are deleted holds one, and what brings a row back', () => {
	const dated = policyWith('', '{ as: { billing: { until: { passed: true } } } }');
	const found = (more: Partial<ColumnFacts>) => messages(dated, [column('until', more)]);
	const place = 'entities.customer.deletes.as.billing';
	expect(found({ kind: 'timestamptz' })).toEqual([]);
	expect(found({ kind: 'date' })).toEqual([]);
	expect(found({ kind: 'timestamp' })).toEqual([`${place}: "until" of billing has no time zone; it is read as UTC.`]);
	expect(found({ kind: 'boolean' })).toEqual([`${place}: "until" of billing holds no date or time, so it never passes.`]);
	expect(found({ kind: 'date', notNull: true })).toEqual([
		`${place}: "until" of billing must not be null, and null is what brings a row back and what new rows get.`,
	]);
	const forever = policyWith('', "{ as: { billing: { until: { passed: true, live: infinity } } } }");
	expect(messages(forever, [column('until', { kind: 'date', notNull: true })])).toEqual([]);
});
