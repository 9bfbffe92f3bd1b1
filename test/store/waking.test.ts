import { readEvents } from '../../nodes/shared/items';
import { observeItems } from '../../nodes/shared/observe-items';
import type { ChangeEvent } from '../../src/core/change-event';
import { decideBatch } from '../../src/store/decide-batch';
import { observeBatch } from '../../src/store/observe-batch';
import { type FamilyDatabase, FamilyWorld } from '../support/family-world';

const POLICY = 'family';

/** Observes what a system has to tell, as the nodes do. @returns the links that were woken by it */
async function observed(world: FamilyWorld, { unread }: FamilyDatabase): Promise<string[]> {
	const items = unread.splice(0).flat().map((event) => ({ json: { ...event } as never }));
	const seen = await observeItems(world.store, POLICY, readEvents(items));
	expect(seen.refused).toEqual([]);
	const woken = seen.observed.filter(({ event }) => event.op === 'w');
	expect(woken.every(({ found }) => found.due && found.disposition === 'wake')).toBe(true);
	return woken.flatMap(({ found }) => found.link ?? []);
}

/** Decides about these links and no others, and carries out what was decided. */
async function decided(world: FamilyWorld, links: readonly string[]): Promise<void> {
	const { links: all, published } = await decideBatch(world.store, { policy: POLICY, links });
	for (const { ops } of all.values()) for (const op of ops) world[op.system as 'crm' | 'billing'].write(op, published.macKey);
}

test('an order goes on in the very execution that learns the number of its customer, without the sweep', async () => {
	const world = await new FamilyWorld().start();
	world.crm.commit(
		{ table: 'customer', key: '1', row: { id: 1, ref: 'ann', friend: null } },
		{ table: 'order', key: '5', row: { id: 5, customer: 1, number: 'n1', total: 10 } },
	);
	expect(await observed(world, world.crm)).toEqual([]);
	const [order] = await world.links('order');
	await decided(world, [...(await world.links('customer')), ...(await world.links('order'))].map(({ id }) => id));
	expect(world.billing.rows.order.size).toBe(0);
	const woken = await observed(world, world.billing);
	expect(woken).toEqual([order?.id]);
	await decided(world, woken);
	expect([...world.billing.rows.order.values()]).toMatchObject([{ number: 'n1' }]);
});

test('one that came before its customer goes on when that one is known, and again when it has its number', async () => {
	const world = await new FamilyWorld().start();
	world.crm.insert('order', { customer: 3, number: 'n1', total: 10 }, '5');
	await observed(world, world.crm);
	const [order] = await world.links('order');
	await decided(world, [order?.id ?? '']);
	world.crm.insert('customer', { ref: 'cleo', friend: null }, '3');
	expect(await observed(world, world.crm)).toEqual([order?.id]);
	await decided(world, [order?.id ?? '', ...(await world.links('customer')).map(({ id }) => id)]);
	expect(await observed(world, world.billing)).toEqual([order?.id]);
	await decided(world, [order?.id ?? '']);
	expect(world.billing.rows.order.size).toBe(1);
	expect(await observed(world, world.billing)).toEqual([]);
});

test('what wakes nobody, or somebody of another batch’s last commit, says nothing of it', async () => {
	const world = await new FamilyWorld().start();
	world.crm.insert('customer', { ref: 'ann', friend: null }, '1');
	const events: ChangeEvent[] = world.crm.unread.splice(0).flat();
	const [seen] = await observeBatch(world.store, POLICY, events);
	expect(seen).not.toHaveProperty('wakes');
});
