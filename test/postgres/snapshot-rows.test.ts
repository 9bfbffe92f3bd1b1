import { rowsOf } from '../../src/postgres/snapshot-rows';
import { policyTables } from '../../src/postgres/event-tables';
import type { Tuple } from '../../src/postgres/pgoutput-reader';
import { partsSample } from '../support/parts-policy';

const [table] = policyTables(partsSample().policy, 'crm').all;
if (!table) throw new Error('the policy has no table');

function read(...rows: Tuple[]) {
	if (!table) return [];
	const names = ['id', 'name', 'address.partner_id', 'address.city'];
	const columns = names.map((name) => ({ name, typeOid: 25 }));
	return rowsOf({ table, columns, rows }, table);
}

test('a part without a row is absent and named as missing; one that is empty is null', () => {
	const [whole, empty, bare] = read(['1', 'Ann', '1', 'Ulm'], ['2', 'Bob', '2', null], ['3', 'Cid', null, null]);
	expect(whole).toMatchObject({ values: { id: '1', 'address.city': 'Ulm' } });
	expect(empty?.values).toEqual({ id: '2', name: 'Bob', 'address.partner_id': '2', 'address.city': null });
	expect(bare).toMatchObject({ missing: ['address'] });
	expect(bare?.values).toEqual({ id: '3', name: 'Cid' });
	expect(whole).not.toHaveProperty('missing');
});
