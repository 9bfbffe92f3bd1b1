import { lintStream } from '../../src/core/lint-stream';
import type { TableFacts } from '../../src/core/table-facts';
import { sampleCustomer } from '../support/sample-policy';

const COLUMNS = [
	'account_no',
	'external_id',
	'name',
	'contact_email',
	'status',
	'phone',
	'credit_cents',
	'memo',
];

function lint(facts: Partial<TableFacts>) {
	const { customer } = sampleCustomer();
	const binding = customer.tables.get('billing');
	if (!binding) throw new Error('no table');
	return lintStream(customer, binding, {
		system: 'billing',
		schema: 'public',
		table: 'accounts',
		columns: COLUMNS.map((name) => ({
			name,
			notNull: false,
			hasDefault: false,
			isToastable: name === 'memo',
		})),
		...facts,
	});
}

const FULL = 'Run in billing: alter table "public"."accounts" replica identity full;';

describe('the replica identity', () => {
	test('full, or unknown, is no matter', () => {
		expect(lint({ replicaIdentity: 'full' })).toEqual([]);
		expect(lint({})).toEqual([]);
	});

	test('that names old rows by other columns than the key is an error', () => {
		expect(lint({ replicaIdentity: 'index', identityColumns: ['external_id'] })).toEqual([
			{
				severity: 'error',
				path: 'entities.customer.billing',
				message:
					'With replica identity index the log of billing names a deleted row by "external_id", which is not the policy\'s key.',
				fix: FULL,
			},
		]);
	});

	test('default tells of the mapped columns that may be left out', () => {
		const [finding] = lint({ replicaIdentity: 'default', identityColumns: ['account_no'] });
		expect(finding).toMatchObject({
			severity: 'info',
			message: expect.stringContaining('leaves out "memo" while'),
			fix: FULL,
		});
	});

	test('default is enough where no mapped column can be large', () => {
		const columns = COLUMNS.map((name) => ({
			name,
			notNull: false,
			hasDefault: false,
			isToastable: false,
		}));
		expect(lint({ replicaIdentity: 'default', identityColumns: ['account_no'], columns })).toEqual(
			[],
		);
	});
});

describe('the publication', () => {
	test('that has every mapped column is no matter', () => {
		expect(lint({ publication: { name: 'bisync', columns: null } })).toEqual([]);
		expect(lint({ publication: { name: 'bisync', columns: COLUMNS } })).toEqual([]);
	});

	test('that leaves out mapped columns is an error', () => {
		const columns = COLUMNS.filter((name) => name !== 'memo' && name !== 'name');
		expect(lint({ publication: { name: 'My "pub"', columns } })).toEqual([
			{
				severity: 'error',
				path: 'entities.customer.billing',
				message:
					'The publication "My ""pub""" of billing leaves out "name" and "memo", whose changes are not seen.',
				fix: 'Run in billing: alter publication "My ""pub""" drop table "public"."accounts"; alter publication "My ""pub""" add table "public"."accounts";',
			},
		]);
	});

	test('that does not carry the table is an error', () => {
		expect(lint({ publication: { name: 'bisync', columns: [] } })).toEqual([
			{
				severity: 'error',
				path: 'entities.customer.billing',
				message:
					'The publication "bisync" of billing does not carry the table public.accounts, so its changes are not seen.',
				fix: 'Run in billing: alter publication "bisync" add table "public"."accounts";',
			},
		]);
	});
});
