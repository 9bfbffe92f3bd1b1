import { parsePolicy } from '../../src/core/parse-policy';
import { columnNews, goneColumns, namedColumns, parseTyped, retypedColumns, scopesOf, typedLabel } from '../../src/core/table-drift';

const POLICY = parsePolicy(`
policy: drift
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing:
      table: public.accounts
      key: [no]
      where: { company: 1 }
      insert: { kind: customer }
      stamp: { written: now }
    match: [[email]]
    fields:
      email: { crm: email, billing: mail, owner: crm }
      name: { crm: { compute: '{first} {last}' }, billing: name, owner: crm }
      note: { crm: note, billing: memo, owner: shared, resolve: prefer(crm) }
    deletes: { as: { billing: { active: false } } }
`);

/** The tables of crm, with these columns. */
const crm = (...columns: string[]) => goneColumns(POLICY, 'crm', ({ table }) => (table === 'customers' ? new Set(columns) : null));

test('a field waits when its column is gone, also one of those that it is computed from', () => {
	expect(crm('id', 'email', 'first', 'last', 'note')).toEqual([]);
	const gone = crm('id', 'email', 'first');
	expect(gone).toMatchObject([
		{ field: 'name', schema: 'public', table: 'customers', column: 'last' },
		{ field: 'note', column: 'note' },
	]);
	expect(scopesOf(gone)).toEqual(['customer.name.crm', 'customer.note.crm']);
	expect(scopesOf(crm('id', 'email', 'note'))).toEqual(['customer.name.crm']);
});

test('a table that is not there at all is another matter', () => {
	expect(goneColumns(POLICY, 'crm', () => null)).toEqual([]);
	expect(goneColumns(POLICY, 'elsewhere', () => new Set())).toEqual([]);
});

test('the policy names columns for many reasons', () => {
	expect([...namedColumns(POLICY, 'billing')].sort()).toEqual(
		['active', 'company', 'kind', 'mail', 'memo', 'name', 'no', 'written'].map((column) => `public.accounts.${column}`),
	);
	expect([...namedColumns(POLICY, 'crm')].sort()).toEqual(['email', 'first', 'id', 'last', 'note'].map((column) => `public.customers.${column}`));
});

describe('a column is news', () => {
	const known = { columns: ['public.t.a', 'public.t.b'], told: [] };
	const nobody = new Set<string>();

	test('when it was not there at the last look, and the policy does not name it', () => {
		expect(columnNews(known, ['public.t.a', 'public.t.b', 'public.t.c'], nobody)).toEqual({ added: ['public.t.c'], told: ['public.t.c'] });
		expect(columnNews(known, ['public.t.a', 'public.t.c'], new Set(['public.t.c']))).toEqual({ added: [], told: [] });
	});

	test('not when its table is new as a whole, or nothing was known before', () => {
		expect(columnNews(known, ['public.t.a', 'public.u.a'], nobody).added).toEqual([]);
		expect(columnNews({ columns: [], told: [] }, ['public.t.a'], nobody).added).toEqual([]);
	});

	test('once, and until it is gone again or the policy names it', () => {
		const told = { columns: ['public.t.a', 'public.t.c'], told: ['public.t.c'] };
		expect(columnNews(told, ['public.t.a', 'public.t.c'], nobody)).toEqual({ added: [], told: ['public.t.c'] });
		expect(columnNews(told, ['public.t.a'], nobody)).toEqual({ added: [], told: [] });
		expect(columnNews(told, ['public.t.a', 'public.t.c'], new Set(['public.t.c']))).toEqual({ added: [], told: [] });
	});
});

describe('a column of another type than before', () => {
	const typed = (columns: Readonly<Record<string, string>>) => Object.entries(columns).map(([name, type]) => typedLabel(`public.customers.${name}`, type));

	test('lets the fields wait that read it, also one that is computed from it', () => {
		const found = retypedColumns(POLICY, 'crm', typed({ first: 'text', note: 'text', other: 'text' }), typed({ first: 'jsonb', note: 'text', other: 'integer' }));
		expect(found).toMatchObject([{ field: 'name', column: 'first', from: 'text', to: 'jsonb' }]);
		expect(scopesOf(found)).toEqual(['customer.name.crm']);
	});

	test('is told only where its type was noted, and it is still there', () => {
		expect(retypedColumns(POLICY, 'crm', ['public.customers.note'], typed({ note: 'jsonb' }))).toEqual([]);
		expect(retypedColumns(POLICY, 'crm', typed({ note: 'text' }), [])).toEqual([]);
		expect(retypedColumns(POLICY, 'crm', typed({ note: 'text' }), typed({ note: 'text' }))).toEqual([]);
	});

	test('has a name that may look like a type', () => {
		expect(parseTyped(typedLabel('public.t.a : b', 'numeric(8,2)'))).toEqual({ label: 'public.t.a : b', type: 'numeric(8,2)' });
	});
});
