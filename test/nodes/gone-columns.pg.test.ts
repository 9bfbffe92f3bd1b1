import { type SyncLab, withSyncLab } from '../support/sync-lab';
import { waitUntil } from '../support/wait-until';

const SETUP = {
	crm: `create table customers (id int primary key, email text unique, note text, phone text);
		alter table customers replica identity full;
		insert into customers values (1, 'ann@x', 'n0', 'p1'), (2, 'bob@x', 'n0', 'p2')`,
	billing: `create table accounts (no int generated always as identity (start with 900) primary key, email text unique, memo text, phone text);
		alter table accounts replica identity full;
		insert into accounts (email, memo, phone) values ('ann@x', 'n0', 'p1'), ('bob@x', 'n0', 'p2')`,
};

const policy = (fields = '') => `
policy: gone
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing: { table: public.accounts, key: [no] }
    match: [[email]]
    fields:
      email: { crm: email, billing: email, owner: crm }
      note: { crm: note, billing: memo, owner: shared, resolve: prefer(crm) }${fields}`;
const PHONE = `
      phone: { crm: phone, billing: phone, owner: shared, resolve: prefer(crm) }`;

/** The items about the columns of billing, and about a first contact: how they stand. */
async function items(lab: SyncLab): Promise<Record<string, unknown>[]> {
	const { rows } = await lab.store.pool.query<Record<string, unknown>>(
		`select id, state, item->>'reason' as reason from n8n_bisync.reviews where id in ('columns-gone-billing', 'first-contact-gone') order by id`,
	);
	return rows;
}

async function untilItem(lab: SyncLab, id: string, state: string): Promise<void> {
	await waitUntil(`the item ${id} to be ${state}`, async () => (await items(lab)).some((one) => one['id'] === id && one['state'] === state));
}

async function expectFlow(lab: SyncLab, note: string): Promise<void> {
	await lab.sql('crm', `update customers set note = '${note}' where email = 'bob@x'`);
	await lab.untilRows('billing', `select memo from accounts where email = 'bob@x'`, [{ memo: note }]);
}

test('a column that goes while changes are read pauses its field, one item says so, and it is compared anew when it is back', async () => {
	await withSyncLab('gone', SETUP, async (lab) => {
		await lab.goLive(policy(PHONE));
		await lab.sql('billing', 'alter table accounts drop column phone');
		// Nothing happens in billing that its change stream could tell; the write that was decided cannot be made.
		await lab.sql('crm', `update customers set phone = 'p3', note = 'n1' where email = 'ann@x'`);
		await lab.untilRows('billing', `select memo from accounts where email = 'ann@x'`, [{ memo: 'n1' }]);
		await lab.sql('billing', `update accounts set memo = 'n2' where email = 'ann@x'`);
		await lab.untilRows('crm', `select note, phone from customers where id = 1`, [{ note: 'n2', phone: 'p3' }]);
		expect(await items(lab)).toMatchObject([
			{ id: 'columns-gone-billing', state: 'open', reason: expect.stringContaining('billing has no column phone of public.accounts') as string },
			{ id: 'first-contact-gone', state: 'resolved' },
		]);
		await lab.untilAtRest();

		await lab.sql('billing', `alter table accounts add column phone text default 'added'`);
		await untilItem(lab, 'columns-gone-billing', 'superseded');
		await untilItem(lab, 'first-contact-gone', 'open');
		await expectFlow(lab, 'while the phone waits');
		expect(await lab.sql('crm', 'select phone from customers order by id')).toEqual([{ phone: 'p3' }, { phone: 'p2' }]);
		await lab.policy('approveFirstContact');
		await lab.untilRows('billing', 'select phone from accounts order by no', [{ phone: 'p3' }, { phone: 'p2' }]);
		await lab.untilAtRest();
		expect(await lab.sql('crm', 'select phone from customers order by id')).toEqual([{ phone: 'p3' }, { phone: 'p2' }]);
	});
});

test('a new version that names a column which is not there holds up nothing but that field', async () => {
	await withSyncLab('gone', SETUP, async (lab) => {
		await lab.goLive(policy());
		await lab.policy('publish', { document: policy(PHONE.replace('billing: phone', 'billing: telephone')) });
		await untilItem(lab, 'columns-gone-billing', 'open');
		await expectFlow(lab, 'while the column is missing');
		await lab.policy('publish', { document: policy(PHONE) });
		await untilItem(lab, 'columns-gone-billing', 'superseded');
		await untilItem(lab, 'first-contact-gone', 'open');
		await lab.untilRead();
		await lab.policy('approveFirstContact');
		await lab.sql('crm', `update customers set phone = 'p4' where email = 'ann@x'`);
		await lab.untilRows('billing', `select phone from accounts where email = 'ann@x'`, [{ phone: 'p4' }]);
	});
});

test('a column that gets another type is read anew and waits, while all else flows', async () => {
	await withSyncLab('gone', SETUP, async (lab) => {
		await lab.goLive(policy(PHONE));
		await lab.untilAtRest();
		await lab.sql('billing', `update accounts set phone = '1' || no`);
		await lab.untilRows('crm', 'select phone from customers order by id', [{ phone: '1900' }, { phone: '1901' }]);
		await lab.untilAtRest();
		// From now on a number: equal values are printed otherwise, and no change of any row says so.
		await lab.sql('billing', `alter table accounts alter phone type numeric(8,2) using phone::numeric`);
		await lab.sql('billing', `update accounts set memo = 'n1', phone = phone where email = 'ann@x'`);
		await untilItem(lab, 'first-contact-gone', 'open');
		const { rows } = await lab.store.pool.query<{ reason: string }>(`select item->>'reason' as reason from n8n_bisync.reviews where id = 'retyped-columns-gone-billing'`);
		expect(rows[0]?.reason).toContain('column phone of public.accounts from text to numeric(8,2) (field phone of customer)');
		await expectFlow(lab, 'while the phone waits');
		await lab.untilRows('crm', `select note from customers where id = 1`, [{ note: 'n1' }]);
		// What it looks like now has gone nowhere.
		expect(await lab.sql('crm', 'select phone from customers order by id')).toEqual([{ phone: '1900' }, { phone: '1901' }]);
		await lab.untilRead();
		await lab.policy('approveFirstContact');
		await lab.sql('crm', `update customers set phone = '7' where email = 'ann@x'`);
		await lab.untilRows('billing', `select phone::text from accounts where email = 'ann@x'`, [{ phone: '7.00' }]);
	});
});
