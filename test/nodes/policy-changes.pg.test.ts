import { type SyncLab, withSyncLab } from '../support/sync-lab';
import { waitUntil } from '../support/wait-until';

const CRM = `
	create table customers (id int generated always as identity primary key, email text unique, note text, phone text);
	create table orders (id int primary key, ref text unique, total text);
	alter table customers replica identity full; alter table orders replica identity full;
	insert into customers (email, note, phone) values ('ann@x', 'n0', 'crm 1'), ('bob@x', 'n0', 'crm 2'), ('eve@x', 'n0', null);
	insert into orders values (1, 'o1', '10'), (2, 'o2', '20');`;
const BILLING = `
	create table accounts (no int generated always as identity (start with 900) primary key, email text unique, memo text, phone text);
	create table invoices (no int generated always as identity (start with 70) primary key, ref text unique, total text);
	alter table accounts replica identity full; alter table invoices replica identity full;
	insert into accounts (email, memo, phone) values ('ann@x', 'n0', 'billing 1'), ('bob@x', 'n0', 'crm 2'), ('eve@x', 'n0', null);
	insert into invoices (ref, total) values ('o1', '11'), ('o3', '30');`;
const ERP = `
	create table partners (code int generated always as identity (start with 50) primary key, mail text unique, remark text);
	alter table partners replica identity full;
	insert into partners (mail, remark) values ('ann@x', 'erp 1'), ('zoe@x', 'erp 9');`;

const head = (systems: string) => `
policy: changing
systems: [${systems}]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing: { table: public.accounts, key: [no] }`;
const FIELDS = `
    match: [[email]]
    fields:
      email: { crm: email, billing: email, owner: crm }
      note: { crm: note, billing: memo, owner: shared, resolve: prefer(crm) }`;
const PHONE = `
      phone: { crm: phone, billing: phone, owner: shared, resolve: prefer(crm) }`;
const ORDERS = `
  order:
    crm: { table: public.orders, key: [id], insert: { id: 99 } }
    billing: { table: public.invoices, key: [no] }
    match: [[ref]]
    fields:
      ref: { crm: ref, billing: ref, owner: crm }
      total: { crm: total, billing: total, owner: crm }`;
const TWO = head('crm, billing');
const THREE = `${head('crm, billing, erp')}
    erp: { table: public.partners, key: [code] }
    match: [[email]]
    fields:
      email: { crm: email, billing: email, erp: mail, owner: crm }
      note: { crm: note, billing: memo, erp: remark, owner: shared, resolve: prefer(crm) }
`;

const PHONES = {
	crm: 'select phone from customers order by id',
	billing: 'select phone from accounts order by no',
};
const TOUCHES = {
	crm: 'update customers set email = email',
	billing: 'update accounts set email = email',
};
const phones = async (lab: SyncLab): Promise<unknown> => [
	await lab.sql('crm', PHONES.crm),
	await lab.sql('billing', PHONES.billing),
];

/** A note travels from crm to billing: what is live goes on. */
async function expectFlow(lab: SyncLab, note: string): Promise<void> {
	await lab.sql('crm', `update customers set note = '${note}' where email = 'bob@x'`);
	await lab.untilRows('billing', `select memo from accounts where email = 'bob@x'`, [
		{ memo: note },
	]);
}

test('a new field is read and reported, nothing of it moves before approval, and all else goes on', async () => {
	await withSyncLab('changing', { crm: CRM, billing: BILLING }, async (lab) => {
		await lab.goLive(TWO + FIELDS);
		const published = await lab.policy('publish', { document: TWO + FIELDS + PHONE });
		expect(published).toMatchObject({
			pending: ['customer.phone.billing', 'customer.phone.crm'],
			mode: 'live',
		});
		expect(published['nextStep']).toContain('customer.phone.crm');
		const before = await phones(lab);
		const report = await lab.untilRead();
		expect(report).toMatchObject({
			mode: 'live',
			entities: [
				{
					entity: 'customer',
					linkedEqual: 2,
					linkedDifferent: 1,
					inserts: {},
					fields: {
						phone: {
							equal: 2,
							different: 1,
							writes: { billing: 1 },
							examples: [{ crm: { id: '1' }, billing: { no: '900' } }],
						},
					},
				},
			],
		});
		expect(Object.keys((report['entities'] as { fields: object }[])[0]!.fields)).toEqual(['phone']);
		await lab.sql('crm', `update customers set phone = 'crm 3' where email = 'eve@x'`);
		await expectFlow(lab, 'while phone waits');
		await lab.sql(
			'crm',
			`insert into customers (email, note, phone) values ('new@x', 'n', 'crm new')`,
		);
		await lab.untilRows('billing', `select memo, phone from accounts where email = 'new@x'`, [
			{ memo: 'n', phone: null },
		]);
		await lab.untilObserved(TOUCHES);
		expect(await lab.sql('billing', PHONES.billing)).toEqual([
			...(before as object[][])[1]!,
			{ phone: null },
		]);
		expect(await approvalItem(lab)).toMatchObject({ state: 'open' });
		expect(await lab.policy('approveFirstContact')).toMatchObject({ approved: true, mode: 'live' });
		await lab.untilRows(
			'billing',
			PHONES.billing,
			['crm 1', 'crm 2', 'crm 3', 'crm new'].map((phone) => ({ phone })),
		);
		expect(await approvalItem(lab)).toMatchObject({ state: 'resolved' });
		expect(lab.complaints()).toEqual([]);
	});
});

async function approvalItem(lab: SyncLab): Promise<unknown> {
	const { rows } = await lab.store.pool.query(
		`select state from n8n_bisync.reviews where id = 'first-contact-changing'`,
	);
	return rows[0];
}

test('a new entity joins the stream of changes, is read, and waits for its own approval', async () => {
	await withSyncLab('changing', { crm: CRM, billing: BILLING }, async (lab) => {
		await lab.goLive(TWO + FIELDS);
		await lab.policy('publish', { document: TWO + FIELDS + ORDERS });
		const report = await lab.untilRead();
		expect(report).toMatchObject({
			entities: [
				{
					entity: 'order',
					linkedDifferent: 1,
					onlyIn: { crm: 1, billing: 1 },
					inserts: { crm: 1, billing: 1 },
					fields: { total: { different: 1, writes: { billing: 1 } } },
				},
			],
		});
		await lab.sql('crm', `update orders set total = '25' where ref = 'o2'`);
		await expectFlow(lab, 'while orders wait');
		await lab.untilObserved(TOUCHES);
		expect(await lab.sql('billing', 'select ref, total from invoices order by ref')).toEqual([
			{ ref: 'o1', total: '11' },
			{ ref: 'o3', total: '30' },
		]);
		await lab.policy('approveFirstContact');
		const equal = ['o1:10', 'o2:25', 'o3:30'].map((order) => ({ order }));
		await lab.untilRows(
			'billing',
			`select ref || ':' || total as order from invoices order by ref`,
			equal,
		);
		await lab.untilRows(
			'crm',
			`select ref || ':' || total as order from orders order by ref`,
			equal,
		);
		expect(lab.complaints()).toEqual([]);
	});
});

test('a new system is read and approved while the others go on, with its output added before', async () => {
	await withSyncLab('changing', { crm: CRM, billing: BILLING, erp: ERP }, async (lab) => {
		lab.onCanvas = ['crm', 'billing'];
		await lab.goLive(TWO + FIELDS);
		await lab.policy('publish', { document: THREE });
		await expectFlow(lab, 'while erp is unheard of');
		await expect(lab.policy('approveFirstContact')).rejects.toThrow(/erp has not been read at all/);
		await lab.activate('erp');
		await lab.untilRead();
		await lab.sql('erp', `update partners set remark = 'erp 2' where mail = 'ann@x'`);
		await expectFlow(lab, 'while erp waits');
		await lab.untilObserved({ ...TOUCHES, erp: 'update partners set mail = mail' });
		expect(await lab.sql('erp', 'select mail, remark from partners order by mail')).toEqual([
			{ mail: 'ann@x', remark: 'erp 2' },
			{ mail: 'zoe@x', remark: 'erp 9' },
		]);
		expect(await lab.sql('crm', `select 1 from customers where email = 'zoe@x'`)).toEqual([]);
		lab.onCanvas = ['crm', 'billing', 'erp'];
		await lab.policy('approveFirstContact');
		const equal = ['ann@x:n0', 'bob@x:while erp waits', 'eve@x:n0', 'zoe@x:erp 9'].map((row) => ({
			row,
		}));
		await lab.untilRows(
			'erp',
			`select mail || ':' || remark as row from partners order by mail`,
			equal,
		);
		await lab.untilRows(
			'crm',
			`select email || ':' || note as row from customers order by email`,
			equal,
		);
		await lab.untilRows(
			'billing',
			`select email || ':' || memo as row from accounts order by email`,
			equal,
		);
		expect(lab.complaints()).toEqual([]);
	});
});

test('a field that leaves the policy is left alone, and waits for approval when it comes back', async () => {
	await withSyncLab('changing', { crm: CRM, billing: BILLING }, async (lab) => {
		await lab.goLive(TWO + FIELDS + PHONE);
		await lab.untilRows(
			'billing',
			PHONES.billing,
			['crm 1', 'crm 2', null].map((phone) => ({ phone })),
		);
		await lab.policy('publish', { document: TWO + FIELDS });
		await lab.sql('billing', `update accounts set phone = 'billing 5' where email = 'eve@x'`);
		await expectFlow(lab, 'without phone');
		await lab.untilObserved(TOUCHES);
		expect(await lab.policy('publish', { document: TWO + FIELDS + PHONE })).toMatchObject({
			pending: ['customer.phone.billing', 'customer.phone.crm'],
		});
		expect(await lab.untilRead()).toMatchObject({
			entities: [
				{
					linkedDifferent: 1,
					fields: { phone: { equal: 2, different: 1, writes: { billing: 1 } } },
				},
			],
		});
		expect(await lab.sql('billing', PHONES.billing)).toContainEqual({ phone: 'billing 5' });
		await lab.policy('approveFirstContact');
		await lab.untilRows(
			'billing',
			PHONES.billing,
			['crm 1', 'crm 2', null].map((phone) => ({ phone })),
		);
		expect(lab.complaints()).toEqual([]);
	});
});

test('another column for a field is a first contact of that column: nothing of the old one goes into it', async () => {
	await withSyncLab(
		'changing',
		{
			crm: `${CRM} alter table customers add column tel text; update customers set tel = 'tel ' || id`,
			billing: BILLING,
		},
		async (lab) => {
			await lab.goLive(TWO + FIELDS + PHONE);
			await lab.untilRows(
				'billing',
				PHONES.billing,
				['crm 1', 'crm 2', null].map((phone) => ({ phone })),
			);
			const moved = TWO + FIELDS + PHONE.replace('crm: phone', 'crm: tel');
			expect(await lab.policy('publish', { document: moved })).toMatchObject({
				pending: ['customer.phone.crm'],
			});
			expect(await lab.untilRead()).toMatchObject({
				entities: [{ fields: { phone: { different: 3, writes: { billing: 3 } } } }],
			});
			await lab.sql('billing', `update accounts set phone = 'billing 7' where email = 'ann@x'`);
			await lab.untilObserved(TOUCHES);
			expect(await lab.sql('crm', 'select phone, tel from customers where id = 1')).toEqual([
				{ phone: 'crm 1', tel: 'tel 1' },
			]);
			await lab.policy('approveFirstContact');
			await lab.untilRows(
				'billing',
				PHONES.billing,
				['tel 1', 'tel 2', 'tel 3'].map((phone) => ({ phone })),
			);
			expect(await lab.sql('crm', 'select phone, tel from customers order by id')).toEqual([
				{ phone: 'crm 1', tel: 'tel 1' },
				{ phone: 'crm 2', tel: 'tel 2' },
				{ phone: null, tel: 'tel 3' },
			]);
			expect(lab.complaints()).toEqual([]);
		},
	);
});

test('an entity that leaves the policy leaves without a stop', async () => {
	await withSyncLab('changing', { crm: CRM, billing: BILLING }, async (lab) => {
		await lab.goLive(TWO + FIELDS + ORDERS);
		await lab.untilRows('billing', 'select count(*)::int as n from invoices', [{ n: 3 }]);
		expect(await lab.policy('publish', { document: TWO + FIELDS })).toMatchObject({ pending: [] });
		await lab.sql('crm', `update orders set total = 'alone' where ref = 'o1'`);
		await expectFlow(lab, 'without orders');
		expect(await lab.sql('billing', `select 1 from invoices where total = 'alone'`)).toEqual([]);
		expect(lab.complaints()).toEqual([]);
	});
});

test('a system that leaves the policy stops its trigger with the reason, and the others go on once the canvas says so', async () => {
	await withSyncLab('changing', { crm: CRM, billing: BILLING, erp: ERP }, async (lab) => {
		await lab.goLive(THREE);
		await lab.untilRows('erp', `select count(*)::int as n from partners`, [{ n: 4 }]);
		await lab.policy('publish', { document: TWO + FIELDS });
		lab.onCanvas = ['crm', 'billing'];
		await waitUntil('the trigger of erp to say so', () =>
			lab
				.complaints()
				.some((line) => /"System" must be one of crm, billing.*knows no "erp"/.test(line)),
		);
		await lab.sql('erp', `update partners set remark = 'alone' where mail = 'bob@x'`);
		await expectFlow(lab, 'without erp');
		expect(await lab.sql('erp', `select remark from partners where mail = 'bob@x'`)).toEqual([
			{ remark: 'alone' },
		]);
	});
});

test('another owner decides from the next decision on, without any approval', async () => {
	await withSyncLab('changing', { crm: CRM, billing: BILLING }, async (lab) => {
		const owned = TWO + FIELDS + PHONE.replace('owner: shared, resolve: prefer(crm)', 'owner: crm');
		await lab.goLive(owned);
		await lab.untilRows(
			'billing',
			PHONES.billing,
			['crm 1', 'crm 2', null].map((phone) => ({ phone })),
		);
		expect(
			await lab.policy('publish', {
				document: owned.replace('billing: phone, owner: crm', 'billing: phone, owner: billing'),
			}),
		).toMatchObject({ pending: [] });
		await lab.sql('billing', `update accounts set phone = 'billing 9' where email = 'ann@x'`);
		await lab.untilRows(
			'crm',
			PHONES.crm,
			['billing 9', 'crm 2', null].map((phone) => ({ phone })),
		);
		await lab.sql('crm', `update customers set phone = 'crm 9' where email = 'ann@x'`);
		await lab.untilRows(
			'crm',
			PHONES.crm,
			['billing 9', 'crm 2', null].map((phone) => ({ phone })),
		);
		expect(lab.complaints()).toEqual([]);
	});
});
