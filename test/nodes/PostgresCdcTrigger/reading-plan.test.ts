import { planReading } from '../../../nodes/PostgresCdcTrigger/reading-plan';
import { parsePolicy } from '../../../src/core/parse-policy';
import { NO_SCOPES, unreadScopes } from '../../../src/core/scopes';
import { policyTables } from '../../../src/postgres/event-tables';
import { FAMILY_POLICY } from '../../support/family-world';

test('the rows of parents are read before those of their children, whatever their names', () => {
	const policy = parsePolicy(FAMILY_POLICY.replace('  order:', '  address:'));
	const tables = policyTables(policy, 'crm').all;
	expect(tables.map(({ entity }) => entity)).toEqual(['address', 'customer']);
	const record = { filterHash: '', reading: null };
	const readings = planReading({ policy, system: 'crm', tables, record, gone: NO_SCOPES, hasHistory: false, restoredTo: null });
	expect(readings.map(({ entity }) => entity)).toEqual(['customer', 'address']);
});

test('a table is not read for a column that is gone, and is when it is back', () => {
	const policy = parsePolicy(FAMILY_POLICY);
	const tables = policyTables(policy, 'crm').all;
	const unread = unreadScopes(policy, 'crm', '').find(({ field, entity }) => entity === 'customer' && field === 'friend');
	const hashes = unreadScopes(policy, 'crm', '').flatMap(({ hash }) => (hash === unread?.hash ? [] : [hash]));
	const record = { filterHash: hashes.join('.'), reading: null };
	const plan = (gone: ReadonlySet<string>) => planReading({ policy, system: 'crm', tables, record, gone, hasHistory: true, restoredTo: null });
	expect(plan(new Set(['customer.friend.crm']))).toEqual([]);
	expect(plan(NO_SCOPES)).toMatchObject([{ entity: 'customer', hash: unread?.hash, phase: 'rows' }]);
});
