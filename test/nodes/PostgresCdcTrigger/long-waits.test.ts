import { diagnoseWaits, waitingPlaces } from '../../../nodes/PostgresCdcTrigger/long-waits';
import { MAX_UNATTEMPTED, Unwired } from '../../../nodes/PostgresCdcTrigger/unwired';
import type { DueLink } from '../../../src/store/sync-store';
import { FamilyWorld } from '../../support/family-world';

/** An order whose customer nobody knows, decided about and woken again and again. */
async function waiting(): Promise<{ world: FamilyWorld; due: DueLink[]; unwired: Unwired }> {
	const world = await new FamilyWorld().start();
	world.crm.insert('order', { customer: 3, number: 'n1', total: 1 }, '6');
	await world.settle();
	const due = (await world.links('order')).map((state) => ({ state, unattempted: MAX_UNATTEMPTED }));
	return { world, due, unwired: new Unwired(world.store, 'family', ['crm', 'billing', ...waitingPlaces(world.policy.policy)]) };
}

async function look({ world, due, unwired }: Awaited<ReturnType<typeof waiting>>): Promise<string[]> {
	await unwired.look(due, await diagnoseWaits(world.store, due.map(({ state }) => state), world.policy));
	const items = await world.store.listReviews({ policy: 'family', state: 'open', limit: 9 });
	return items.map(({ reason }) => reason);
}

test('a record that waits long for another one is told of, and no wire is blamed', async () => {
	expect(await look(await waiting())).toEqual([
		'Records of order wait, customer of crm is not understood: the customer that crm names is not known yet',
	]);
});

test('the item closes once the other record is there', async () => {
	const told = await waiting();
	await look(told);
	told.world.crm.insert('customer', { ref: 'ann', friend: null }, '3');
	await told.world.settle();
	expect(await look({ ...told, due: [] })).toEqual([]);
});

test('a record that nobody has decided about is no such thing', async () => {
	const told = await waiting();
	const { world } = told;
	world.crm.insert('customer', { ref: 'ann', friend: null }, '4');
	await world.observe(world.crm);
	const due = (await world.links('customer')).map((state) => ({ state, unattempted: MAX_UNATTEMPTED }));
	expect(await look({ ...told, due })).toEqual([expect.stringContaining('leads nowhere')]);
});
