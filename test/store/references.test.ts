import { addToReport, emptyReport } from '../../src/core/first-contact';
import { resolveReview } from '../../src/store/resolve-review';
import { FAMILY_POLICY, type FamilyRow, FamilyWorld } from '../support/family-world';

async function started(text?: string): Promise<FamilyWorld> {
	return await new FamilyWorld(text).start();
}

/** Two customers that both systems have, and an order of the first. */
async function settled(text?: string): Promise<FamilyWorld> {
	const world = await started(text);
	for (const ref of ['ann', 'bob']) world.crm.insert('customer', { ref, friend: null }, ref === 'ann' ? '1' : '2');
	world.crm.insert('order', { customer: 1, number: 'n1', total: 10 }, '5');
	await world.settle();
	return world;
}

const rowsOf = (rows: ReadonlyMap<string, FamilyRow>): FamilyRow[] => [...rows.values()];

/** What billing should have of an order: the account of the customer that has this number in crm. */
function accountOf(world: FamilyWorld, customer: number): unknown {
	const ref = world.crm.rows.customer.get(String(customer))?.['ref'];
	return rowsOf(world.billing.rows.customer).find((row) => row['ref'] === ref)?.['id'];
}

const invoices = (world: FamilyWorld): unknown[][] =>
	rowsOf(world.billing.rows.order).map(({ number, customer }) => [number, customer]);

test('an order is written with the number that its customer has in the other system', async () => {
	const world = await settled();
	expect(invoices(world)).toEqual([['n1', accountOf(world, 1)]]);
	expect(accountOf(world, 1)).toBeGreaterThan(900);
});

test('an order that comes before its customer is not written, says why, and is written when the customer is there', async () => {
	const world = await settled();
	world.crm.insert('order', { customer: 3, number: 'n2', total: 20 }, '6');
	await world.settle();
	expect(invoices(world)).toHaveLength(1);
	const waiting = [...world.decided.values()].filter(({ waits }) => waits.length > 0);
	expect(waiting.map(({ waits }) => waits.map(({ reason }) => reason))).toEqual([
		['the customer that crm names is not known yet', 'the customer it names is not known yet'],
	]);
	world.crm.insert('customer', { ref: 'cleo', friend: null }, '3');
	await world.settle();
	expect(invoices(world)).toContainEqual(['n2', accountOf(world, 3)]);
	expect(world.crm.writes).toBe(0);
	expect(await world.store.leaseDue({ policy: 'family', limit: 9, delayMs: 1, maxDelayMs: 1 })).toEqual([]);
});

test('a change of other fields does not wait for a customer that is not there', async () => {
	const world = await settled();
	world.crm.update('order', '5', { customer: 3, total: 11 });
	await world.settle();
	expect(rowsOf(world.billing.rows.order)).toEqual([expect.objectContaining({ customer: accountOf(world, 1), total: 11 })]);
	world.crm.insert('customer', { ref: 'cleo', friend: null }, '3');
	await world.settle();
	expect(invoices(world)).toEqual([['n1', accountOf(world, 3)]]);
});

test('an order of a customer that a person is asked about waits, and says so', async () => {
	const world = await settled();
	world.crm.insert('customer', { ref: 'ann', friend: null }, '3');
	world.crm.insert('order', { customer: 3, number: 'n2', total: 20 }, '6');
	await world.settle();
	expect(invoices(world)).toHaveLength(1);
	const reasons = [...world.decided.values()].flatMap(({ waits }) => waits.map(({ reason }) => reason));
	expect(reasons).toEqual(['the customer it names has no record in billing, and a person is asked about it']);
});

test('records of both systems are matched by the record they name and their own number', async () => {
	const world = await settled();
	const account = accountOf(world, 2) as number;
	world.billing.insert('order', { customer: account, number: 'n7', total: 1 }, '71');
	await world.observe(world.billing);
	world.crm.insert('order', { customer: 2, number: 'n7', total: 1 }, '7');
	await world.settle();
	const orders = await world.links('order');
	expect(orders.map(({ keys }) => keys)).toContainEqual({ crm: { id: '7' }, billing: { id: '71' } });
	expect(world.billing.rows.order.size).toBe(2);
});

test('a transaction may name a customer before it makes it', async () => {
	const world = await settled();
	const account = world.billing.insert('customer', { ref: 'cleo', friend: null });
	world.billing.insert('order', { customer: Number(account), number: 'n7', total: 1 }, '71');
	await world.observe(world.billing);
	world.crm.commit(
		{ table: 'order', key: '7', row: { id: 7, customer: 3, number: 'n7', total: 1 } },
		{ table: 'customer', key: '3', row: { id: 3, ref: 'cleo', friend: null } },
	);
	await world.settle();
	const orders = await world.links('order');
	expect(orders.map(({ keys }) => keys)).toContainEqual({ crm: { id: '7' }, billing: { id: '71' } });
});

test('a number whose customer is deleted names the next one that gets it', async () => {
	const world = await settled();
	world.crm.delete('customer', '2');
	world.crm.insert('order', { customer: 2, number: 'n8', total: 1 }, '8');
	await world.settle();
	expect(invoices(world)).toHaveLength(1);
	world.crm.insert('customer', { ref: 'cleo', friend: null }, '2');
	await world.settle();
	expect(invoices(world)).toContainEqual(['n8', accountOf(world, 2)]);
});

test('an order that is given away and back is of the same customer in between two decisions', async () => {
	const world = await settled();
	for (const customer of [2, 1]) world.crm.update('order', '5', { customer });
	await world.observe(world.crm);
	const [order] = await world.links('order');
	expect(order?.fields['customer']?.views['crm']?.canon).toBe(order?.fields['customer']?.merged?.canon);
	await world.settle();
	expect(world.billing.writes).toBe(3);
});

test('one whose customer is known too late to be matched is not made a second time', async () => {
	const world = await settled();
	world.crm.insert('order', { customer: 3, number: 'n7', total: 1 }, '7');
	await world.observe(world.crm);
	await world.sweep();
	world.billing.insert('customer', { ref: 'cleo', friend: null }, '930');
	world.billing.insert('order', { customer: 930, number: 'n7', total: 1 }, '71');
	await world.observe(world.billing);
	world.crm.insert('customer', { ref: 'cleo', friend: null }, '3');
	await world.settle();
	const asked = await world.store.listReviews({ policy: 'family', kind: 'identity', state: 'open', limit: 9 });
	expect(asked).toHaveLength(1);
	expect(world.billing.rows.order.size).toBe(2);
});

test('a customer that gets another number keeps its orders, and nothing is written', async () => {
	const world = await settled();
	const before = world.billing.rows.order;
	const to = world.crm.renumber('1');
	world.crm.update('order', '5', { total: 12 });
	await world.settle();
	expect(rowsOf(world.crm.rows.order)).toEqual([expect.objectContaining({ customer: Number(to), total: 12 })]);
	expect(invoices(world)).toEqual([['n1', accountOf(world, Number(to))]]);
	expect(before.size).toBe(1);
});

test('a person may name the record by its key in any system', async () => {
	const world = await settled(FAMILY_POLICY.replace('owner: crm, references: customer }\n      number', 'owner: shared, resolve: review, references: customer }\n      number'));
	world.crm.insert('customer', { ref: 'cleo', friend: null }, '3');
	await world.settle();
	world.crm.update('order', '5', { customer: 2 });
	world.billing.update('order', [...world.billing.rows.order.keys()][0] ?? '', { customer: accountOf(world, 3) as number });
	await world.settle();
	const [item, ...more] = await world.store.listReviews({ policy: 'family', state: 'open', limit: 9 });
	expect([item?.kind, more]).toEqual(['conflict', []]);
	const values = { customer: { system: 'billing', key: String(accountOf(world, 1)) } };
	const { id: review = '', token = '' } = item ?? {};
	await resolveReview(world.store, { review, token, by: 'maria', choice: { kind: 'values', values } });
	await world.settle();
	expect(rowsOf(world.crm.rows.order)).toEqual([expect.objectContaining({ customer: 1 })]);
	expect(invoices(world)).toEqual([['n1', accountOf(world, 1)]]);
});

test('a write that meant an account which has got another number meanwhile is made again', async () => {
	const world = await settled();
	world.crm.insert('order', { customer: 1, number: 'n2', total: 20 }, '6');
	await world.observe(world.crm);
	world.billing.renumber(String(accountOf(world, 1)));
	await world.sweep();
	expect(invoices(world)).not.toContainEqual(['n2', accountOf(world, 1)]);
	await world.settle();
	expect(invoices(world)).toContainEqual(['n2', accountOf(world, 1)]);
	const { length } = await world.store.readJournal({ policy: 'family', kinds: ['misdirected'], limit: 9 });
	expect([length, world.crm.writes]).toEqual([1, 0]);
});

test('customers who name each other are made first, and name each other then', async () => {
	const world = await started();
	world.crm.commit(
		{ table: 'customer', key: '1', row: { id: 1, ref: 'ann', friend: 2 } },
		{ table: 'customer', key: '2', row: { id: 2, ref: 'bob', friend: 1 } },
		{ table: 'customer', key: '3', row: { id: 3, ref: 'cleo', friend: 3 } },
	);
	await world.settle();
	for (const { id, friend } of rowsOf(world.crm.rows.customer)) {
		const account = world.billing.rows.customer.get(String(accountOf(world, Number(id))));
		expect(account?.['friend']).toBe(accountOf(world, Number(friend)));
	}
});

test('where no record is without it, a reference back to its own entity holds the record up', async () => {
	const world = await started(FAMILY_POLICY.replace('    match: [[ref]]\n', '    match: [[ref]]\n    required: [friend]\n'));
	world.crm.insert('customer', { ref: 'ann', friend: 2 }, '1');
	world.crm.insert('customer', { ref: 'bob', friend: 1 }, '2');
	await world.settle();
	expect(world.billing.rows.customer.size).toBe(0);
});

test('a report of the first contact counts what comes once its customer is there', async () => {
	const world = await started();
	world.crm.insert('customer', { ref: 'ann', friend: null }, '1');
	world.crm.insert('order', { customer: 1, number: 'n1', total: 10 }, '5');
	await world.observe(world.crm);
	const report = emptyReport(world.policy);
	for (const entity of ['customer', 'order'] as const) {
		for (const state of await world.links(entity)) addToReport(report, state, world.policy);
	}
	expect([...report.values()].map(({ entity, inserts }) => [entity, inserts])).toEqual([
		['customer', { billing: 1 }],
		['order', { billing: 1 }],
	]);
});

test('an edit of an order costs no trip to the store for its customer', async () => {
	const world = await settled();
	world.crm.update('order', '5', { total: 11 });
	const load = jest.spyOn(world.store, 'load');
	await world.observe(world.crm);
	await world.sweep();
	expect(load.mock.calls.map(([{ keys = [], links = [] }]) => keys.length + links.length)).toEqual([1, 1]);
});

test('what names a record that turns out to be another one names that one from then on', async () => {
	const world = await started(FAMILY_POLICY.replace('    match: [[ref]]\n', '    match: [[ref]]\n    similar: { fields: [ref] }\n').replace('owner: crm, references: customer }\n      number', 'owner: shared, resolve: prefer(crm), references: customer }\n      number').replace('number: { crm: number, billing: number, owner: crm }', 'number: { crm: number, billing: number, owner: shared, resolve: prefer(crm) }'));
	world.crm.insert('customer', { ref: 'Acme Inc', friend: null }, '1');
	world.crm.insert('order', { customer: 1, number: 'n1', total: 10 }, '5');
	world.billing.insert('customer', { ref: 'ACME Incorporated', friend: null }, '901');
	world.billing.insert('order', { customer: 901, number: 'n2', total: 20 }, '77');
	await world.observe(world.crm);
	await world.observe(world.billing);
	await world.settle();
	const [item, ...more] = await world.store.listReviews({ state: 'open', limit: 9 });
	expect(more).toEqual([]);
	expect([rowsOf(world.billing.rows.order), rowsOf(world.crm.rows.order)]).toMatchObject([[{ number: 'n2' }], [{ number: 'n1' }]]);
	await resolveReview(world.store, { review: item?.id ?? '', token: item?.token ?? '', by: 'ann', choice: { kind: 'approve' } });
	await world.settle();
	expect(invoices(world).sort()).toEqual([['n1', 901], ['n2', 901]]);
	expect(rowsOf(world.crm.rows.order).map(({ number, customer }) => [number, customer]).sort()).toEqual([['n1', 1], ['n2', 1]]);
	const states = new Map((await Promise.all([world.links('customer'), world.links('order')])).flat().map((state) => [state.id, state]));
	expect(await world.replayed()).toEqual(states);
});
