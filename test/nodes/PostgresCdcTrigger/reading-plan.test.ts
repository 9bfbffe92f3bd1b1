import { planReading } from '../../../nodes/PostgresCdcTrigger/reading-plan';
import { parsePolicy } from '../../../src/core/parse-policy';
import { policyTables } from '../../../src/postgres/event-tables';
import { FAMILY_POLICY } from '../../support/family-world';

test('the rows of parents are read before those of their children, whatever their names', () => {
	const policy = parsePolicy(FAMILY_POLICY.replace('  order:', '  address:'));
	const tables = policyTables(policy, 'crm').all;
	expect(tables.map(({ entity }) => entity)).toEqual(['address', 'customer']);
	const record = { filterHash: '', reading: null };
	const readings = planReading({ policy, system: 'crm', tables, record, hasHistory: false });
	expect(readings.map(({ entity }) => entity)).toEqual(['customer', 'address']);
});
