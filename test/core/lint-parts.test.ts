import { lintPolicy } from '../../src/core/policy-lint';
import type { ColumnFacts, TableFacts } from '../../src/core/table-facts';
import { PARTS_POLICY, partsSample } from '../support/parts-policy';

const column = (name: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({ name, notNull: false, hasDefault: false, kind: 'text', ...more });
const required = (name: string): ColumnFacts => column(name, { notNull: true });

const PARTNER: TableFacts = {
	system: 'crm',
	schema: 'public',
	table: 'partner',
	columns: [column('id', { notNull: true, hasDefault: true }), column('ref'), column('name')],
	uniqueKeys: [['id'], ['ref']],
};
const ADDRESS: TableFacts = {
	system: 'crm',
	schema: 'public',
	table: 'partner_address',
	columns: [required('partner_id'), column('city'), column('zip'), required('kind'), column('written')],
	uniqueKeys: [['partner_id']],
	foreignKeys: [{ columns: ['partner_id'], schema: 'public', table: 'partner', to: ['id'] }],
	replicaIdentity: 'full',
	publication: { name: 'bisync', columns: null },
};
const ACCOUNTS: TableFacts = {
	system: 'billing',
	schema: 'public',
	table: 'accounts',
	columns: [column('no', { notNull: true, hasDefault: true }), column('ref'), column('name'), column('city'), column('zip')],
	uniqueKeys: [['no'], ['ref']],
};

function lint(address: Partial<TableFacts>, text = PARTS_POLICY) {
	const findings = lintPolicy(partsSample(text).policy, [PARTNER, { ...ADDRESS, ...address }, ACCOUNTS]);
	return findings.filter(({ path, message }) => !message.includes('edited in more than one') && path !== '');
}

test('tables that fit are no matter', () => {
	expect(lint({})).toEqual([]);
});

test('a part’s column that is not there is looked for in the part’s table', () => {
	const columns = ADDRESS.columns.filter(({ name }) => name !== 'zip');
	expect(lint({ columns })).toMatchObject([
		{ severity: 'error', path: 'entities.customer.fields.zip.crm', message: 'The table public.partner_address of crm has no column "zip".' },
	]);
});

test('a part that could have several rows of a record is an error', () => {
	expect(lint({ uniqueKeys: [['city']] })).toMatchObject([
		{ severity: 'error', path: 'entities.customer.crm.parts.address.key', fix: expect.stringContaining('create unique index on "public"."partner_address" ("partner_id")') },
	]);
});

test('a part whose rows can be there without their record is a warning', () => {
	for (const foreignKeys of [[], [{ columns: ['city'], schema: 'public', table: 'partner', to: ['id'] }], [{ columns: ['partner_id'], schema: 'public', table: 'other', to: ['id'] }]]) {
		expect(lint({ foreignKeys })).toMatchObject([
			{ severity: 'warning', fix: expect.stringContaining('add foreign key ("partner_id") references "public"."partner" ("id") on update cascade on delete cascade') },
		]);
	}
});

test('what must not be null in a part’s row needs a value, but for its key', () => {
	expect(lint({ columns: [...ADDRESS.columns, required('since')] })).toMatchObject([
		{ severity: 'error', message: 'New records cannot be created in crm: "address.since" must not be null and nothing gives a value.' },
	]);
});

test('the stream of a part’s table is asked about as that of any other', () => {
	const findings = lint({ replicaIdentity: 'nothing', publication: { name: 'bisync', columns: [] } });
	expect(findings.map(({ path, severity }) => [path, severity])).toEqual([
		['entities.customer.crm.parts.address', 'error'],
		['entities.customer.crm.parts.address', 'error'],
	]);
	expect(lint({ publication: { name: 'bisync', columns: ['partner_id', 'zip'] } })).toMatchObject([
		{ message: 'The publication "bisync" of crm leaves out "city", whose changes are not seen.' },
	]);
});

test('a column of a part may be empty, because a record may have no row of it', () => {
	const columns = ADDRESS.columns.map((one) => ({ ...one, notNull: true }));
	const accounts = { ...ACCOUNTS, columns: ACCOUNTS.columns.map((one) => ({ ...one, notNull: one.name === 'city' })) };
	const findings = lintPolicy(partsSample().policy, [PARTNER, { ...ADDRESS, columns }, accounts]);
	expect(findings).toContainEqual(expect.objectContaining({ path: 'entities.customer.fields.city.billing', message: expect.stringContaining('crm may leave it empty') }));
});

test('matching by a field of a part is a warning, unless the record waits for it', () => {
	const text = PARTS_POLICY.replace('match: [[ref]]', 'match: [[zip]]');
	const messages = (policy: string) => lint({}, policy).map(({ message }) => message);
	expect(messages(text)).toContainEqual(expect.stringContaining('The match field "zip" stands in a part of crm'));
	expect(messages(`${text}    required: [zip]\n`)).not.toContainEqual(expect.stringContaining('stands in a part'));
});

test('a unique index is asked for in the table where the column stands', () => {
	const text = PARTS_POLICY.replace('match: [[ref]]', 'match: [[zip]]') + '    required: [zip]\n';
	expect(lint({}, text).map(({ fix }) => fix)).toContain('Run in crm: create unique index on "public"."partner_address" ("zip");');
});
