import fc from 'fast-check';
import { existsIn, type LinkState } from '../../src/core/link';
import { FAMILY_POLICY, type FamilyDatabase, FamilyWorld } from '../support/family-world';

const POLICY = FAMILY_POLICY.replace('    parent:', '    deletes: { conflict: delete-wins }\n    parent:');
/** Numbers that customers of crm have or may come to have. */
const CUSTOMERS = ['1', '2', '13', '14'];

/** One thing that happens; the numbers choose among what there is. */
interface Draw {
	readonly world: FamilyWorld;
	readonly database: FamilyDatabase;
	readonly index: number;
	readonly which: number;
	readonly of: number;
}

const at = <T>(all: Iterable<T>, n: number): T | undefined => [...all][n % Math.max(1, [...all].length)];
const customerOf = ({ world, of }: Draw): number => Number(at([...CUSTOMERS, ...world.crm.rows.customer.keys()], of));

function onOrder({ database, which }: Draw, act: (key: string) => void): void {
	const key = at(database.rows.order.keys(), which);
	if (key !== undefined) act(key);
}

function onCustomer({ database, which }: Draw, act: (key: string) => void): void {
	const key = at(database.rows.customer.keys(), which);
	if (key !== undefined) act(key);
}

const ACTS: Readonly<Record<string, (draw: Draw) => unknown>> = {
	order: (draw) => {
		const { world, index } = draw;
		world.crm.insert('order', { customer: customerOf(draw), number: `m${index}`, total: index }, String(100 + index));
	},
	customer: (draw) => {
		const { world, index } = draw;
		const key = String(customerOf(draw));
		if (!world.crm.rows.customer.has(key)) world.crm.insert('customer', { ref: `r${index}`, friend: null }, key);
	},
	move: (draw) => {
		const { crm } = draw.world;
		onOrder({ ...draw, database: crm }, (key) => crm.update('order', key, { customer: customerOf(draw) }));
	},
	misplace: (draw) => {
		const { billing } = draw.world;
		const account = Number(at(billing.rows.customer.keys(), draw.of) ?? 1);
		onOrder({ ...draw, database: billing }, (key) => billing.update('order', key, { customer: account }));
	},
	befriend: (draw) => {
		const { crm } = draw.world;
		onCustomer({ ...draw, database: crm }, (key) => crm.update('customer', key, { friend: customerOf(draw) }));
	},
	total: (draw) => onOrder(draw, (key) => draw.database.update('order', key, { total: 1_000 + draw.index })),
	renumber: (draw) => onCustomer(draw, (key) => void draw.database.renumber(key)),
	drop: (draw) => onOrder({ ...draw, database: draw.world.crm }, (key) => draw.world.crm.delete('order', key)),
	observe: async ({ world, database }) => await world.observe(database),
	sweep: async ({ world }) => await world.sweep(),
};

const anyActs = fc.array(
	fc.record({
		act: fc.constantFrom(...Object.keys(ACTS)),
		system: fc.constantFrom('crm' as const, 'billing' as const),
		which: fc.nat(9),
		of: fc.nat(6),
	}),
	{ minLength: 10, maxLength: 30, size: 'max' },
);

/** Two customers and an order of the first, which both systems have. */
async function begun(): Promise<FamilyWorld> {
	const world = await new FamilyWorld(POLICY).start();
	world.crm.insert('customer', { ref: 'ann', friend: null }, '1');
	world.crm.insert('customer', { ref: 'bob', friend: null }, '2');
	world.crm.insert('order', { customer: 1, number: 'n1', total: 10 }, '5');
	await world.settle();
	return world;
}

/** Where the customers that the two rows of an order name are not the same record. */
function wrongReferences({ crm, billing }: FamilyWorld, links: readonly LinkState[]): string[] {
	return links.flatMap((state) => {
		const rows = [crm, billing].map(({ system, rows: { order } }) =>
			existsIn(state, system) ? order.get(String(state.keys[system]?.['id'])) : undefined,
		);
		const [order, invoice] = rows;
		if (order === undefined) return invoice === undefined ? [] : [`invoice ${String(invoice['id'])} has no order`];
		const ref = crm.rows.customer.get(String(order['customer']))?.['ref'];
		const account = [...billing.rows.customer.values()].find((row) => row['ref'] === ref)?.['id'];
		if (ref === undefined || account === undefined) return []; // It waits.
		if (invoice?.['customer'] === account && invoice['total'] === order['total']) return [];
		return [`order ${String(order['id'])} and ${JSON.stringify(invoice)}, not of account ${String(account)}`];
	});
}

test('whatever happens in whatever order, orders end with their own customers, and the journal leads there', async () => {
	await fc.assert(
		fc.asyncProperty(anyActs, async (acts) => {
			const world = await begun();
			for (const [index, { act, system, ...numbers }] of acts.entries()) {
				await ACTS[act]?.({ world, database: world[system], index, ...numbers });
			}
			await world.settle();
			const links = await world.links('order');
			expect(wrongReferences(world, links)).toEqual([]);
			expect(world.billing.rows.order.size).toBe(links.filter((state) => existsIn(state, 'billing')).length);
			const replayed = await world.replayed();
			for (const state of [...links, ...(await world.links('customer'))]) expect(replayed.get(state.id)).toEqual(state);
		}),
		{ numRuns: 40 },
	);
});
