import type { IDataObject } from 'n8n-workflow';

import { outputsFor } from '../../nodes/FieldAuthorityMerge/outputs';
import { routeDecisions } from '../../nodes/FieldAuthorityMerge/route-decisions';
import { wakeItem } from '../../src/core/wake-item';
import { decideBatch } from '../../src/store/decide-batch';
import { FamilyWorld } from '../support/family-world';

test('an item of a record that waits for another one says what for, on Nothing To Do', async () => {
	const world = await new FamilyWorld().start();
	world.crm.insert('order', { customer: 3, number: 'n1', total: 1 }, '6');
	await world.observe(world.crm);
	const [order] = await world.links('order');
	if (!order) throw new Error('the order has no link');
	const decided = await decideBatch(world.store, { policy: 'family', links: [order.id] });
	const event = wakeItem(order, 'crm');
	const found = { link: order.id, disposition: 'wake' as const, due: true, concurrentFields: [] };
	const systems = ['crm', 'billing'];
	const observed = [{ index: 0, item: { json: JSON.parse(JSON.stringify(event)) as IDataObject }, event, found }];
	const outputs = routeDecisions({ observed, decided, systems, isTest: false });
	const said = outputs[outputsFor(systems).nothingToDo]?.map(({ json }) => JSON.stringify(json));
	expect(said).toEqual([
		expect.stringContaining('Waits with customer for crm: the customer that crm names is not known yet (and 1 more). The trigger offers the record again by itself.'),
	]);
	expect(outputs.flat()).toHaveLength(1);
});
