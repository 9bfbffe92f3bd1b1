import { existsIn } from '../../../src/core/link';
import { LAB_POLICY, type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const DATED = LAB_POLICY.replace(
	'    fields:\n      email:',
	'    deletes: { as: { crm: { valid_until: { passed: true } } } }\n    fields:\n      email:',
);
const SETUP = `alter table customers add valid_until timestamptz;
	insert into customers (id, email, valid_until) values (1, 'old@x', '2001-01-01'), (2, 'ever@x', null), (3, 'far@x', '2999-01-01');`;

/** The customers that the store knows to be there, by their ids. */
async function there(lab: TriggerLab): Promise<unknown[]> {
	const links = await lab.store.scanLinks({ policy: 'lab', entity: 'customer', limit: 100 });
	return links.filter(({ state }) => existsIn(state, 'crm')).map(({ state }) => Number(state.keys['crm']?.['id'])).sort();
}

async function untilThere(lab: TriggerLab, ids: readonly number[]): Promise<void> {
	await waitUntil(`customers ${ids.join(', ')}`, async () => (await there(lab)).join() === ids.join());
}

const dated = (id: number, seconds: number): string =>
	`insert into customers (id, email, valid_until) values (${id}, 'c${id}@x', clock_timestamp() + interval '${seconds} seconds')
	 on conflict (id) do update set valid_until = excluded.valid_until`;

test('a date that passes is told without a write, once, and at a place of its own', async () => {
	await withLab({ setup: SETUP }, async (lab) => {
		await lab.publish(DATED);
		await lab.start();
		await lab.waitUntilReading();
		await untilThere(lab, [2, 3]);
		await lab.sql(dated(4, 1));
		await untilThere(lab, [2, 3, 4]);
		const before = (await lab.stream()).position;
		await untilThere(lab, [2, 3]);
		const told = lab.n8n.events().filter(({ op }) => op === 'p');
		expect(told.map(({ key, before: was, after }) => [key, was, after])).toEqual([[{ id: '4' }, null, null]]);
		expect((await lab.stream()).position > before).toBe(true);
		// What comes afterwards is no duplicate.
		await lab.sql(`update customers set valid_until = null where id = 4`);
		await untilThere(lab, [2, 3, 4]);
	});
});

test('who moved a date in time is heard first, however long nobody listened', async () => {
	await withLab({ setup: SETUP }, async (lab) => {
		await lab.publish(DATED);
		const trigger = await lab.start();
		await lab.waitUntilReading();
		await lab.sql(`${dated(4, 2)}; ${dated(5, 2)}`);
		await untilThere(lab, [2, 3, 4, 5]);
		await trigger.close();
		await lab.sql(dated(4, 3_600));
		await waitUntil('the date to pass', async () => {
			const { rows } = await lab.source.pool.query('select 1 from customers where id = 5 and valid_until < clock_timestamp()');
			return rows.length > 0;
		});
		await lab.start();
		await untilThere(lab, [2, 3, 4]);
		const told = lab.n8n.events().filter(({ op }) => op === 'p');
		expect(told.map(({ key }) => key)).toEqual([{ id: '5' }]);
	});
});
