import { account, compared, DOCUMENT, POLICY, repaired, run, SETUP, unseen, withCustomers } from '../support/reconcile-lab';
import { withSyncLab } from '../support/sync-lab';

test('says of systems that agree that they do', async () => {
	await withCustomers(30, async (lab) => {
		const { summary, ...lists } = await compared(lab);
		expect(lists).toEqual({ different: [], onlyInA: [], onlyInB: [] });
		expect(summary).toMatchObject({ equal: true, differences: 0, rows: { customer: { crm: 30, billing: 30 } }, links: 30, stillChanging: 0, readWhole: {} });
	});
});

test('finds to the field what was changed where no stream saw it, and mends it by the rules', async () => {
	await withCustomers(12, async (lab) => {
		await unseen(lab, 'billing', `update accounts set name = 'theirs', status = 'late' where external_id = 'r1'; update accounts set name = ' name 2 ' where external_id = 'r2'`);
		await unseen(lab, 'crm', `update customers set note = 'new note', mail = 'secret' where id = 3; delete from customers where id = 4; insert into customers (id, ref, full_name) values (90, 'r90', 'new')`);
		const { different, onlyInA, onlyInB, summary } = await compared(lab);
		expect(summary).toMatchObject({ equal: false, differences: 6, records: 4, onlyIn: { crm: 1, billing: 1 }, duplicates: 0, readWhole: {} });
		const ofFirst = different.find(({ keys }) => JSON.stringify(keys).includes('"id":"1"'));
		expect(ofFirst).toMatchObject({
			entity: 'customer',
			fields: [
				{ field: 'name', why: 'drift', values: { crm: 'name 1', billing: 'theirs' }, known: { billing: 'name 1' }, rule: 'owned by crm', actions: ['update billing'] },
				{ field: 'status', values: { crm: 'active', billing: 'late' }, rule: 'owned by billing', actions: ['update crm'] },
			],
		});
		const ofThird = different.find(({ keys }) => JSON.stringify(keys).includes('"id":"3"'));
		expect(ofThird).toMatchObject({ fields: [{ field: 'mail', values: { crm: '•••', billing: '•••' }, known: { crm: '•••' } }, { field: 'note', actions: ['update billing'] }] });
		expect(onlyInA).toMatchObject([{ link: null, keys: { crm: { id: '90' } }, onlyIn: 'crm', actions: ['create in billing'] }]);
		expect(onlyInB).toMatchObject([{ onlyIn: 'billing', fields: [{ field: 'record', actions: ['delete in billing'] }] }]);
		// Looking changes nothing.
		expect((await compared(lab)).summary).toMatchObject({ differences: 6 });
		const { reads, left } = await repaired(lab, [...different, ...onlyInA, ...onlyInB]);
		expect([reads.length, left]).toEqual([4, []]);
		await lab.untilAtRest();
		expect((await compared(lab)).summary).toMatchObject({ equal: true, rows: { customer: { crm: 12, billing: 12 } } });
		expect(await lab.sql('billing', `select name, status from accounts where account_no = ${account(1)}`)).toEqual([{ name: 'name 1', status: 'late' }]);
		expect(await lab.sql('crm', 'select status from customers where id = 1')).toEqual([{ status: 'late' }]);
		expect(await lab.sql('billing', `select memo, mail from accounts where account_no = ${account(3)}`)).toEqual([{ memo: 'new note', mail: 'secret' }]);
		expect(await lab.sql('billing', `select external_id from accounts where external_id in ('r4', 'r90')`)).toEqual([{ external_id: 'r90' }]);
	});
});

test('links that were committed without hashes, by an earlier version or under another policy, are compared all the same', async () => {
	await withCustomers(12, async (lab) => {
		await lab.store.pool.query('update n8n_bisync.links set digests = null, differs = null');
		await unseen(lab, 'billing', `update accounts set memo = 'theirs' where external_id = 'r3'; delete from accounts where external_id = 'r4'`);
		const { summary, different, onlyInA } = await compared(lab);
		expect(summary).toMatchObject({ differences: 2, rows: { customer: { crm: 12, billing: 11 } }, readWhole: {} });
		expect([different.length, onlyInA.length]).toEqual([1, 1]);
		const { rows } = await lab.store.pool.query('select 1 from n8n_bisync.links where digests is null or differs is null');
		expect(rows).toEqual([]);
		// A process of an earlier version says nothing of them, and so takes them away.
		await lab.store.pool.query(`update n8n_bisync.links set digests = '{1,2,3}' where id = (select min(id) from n8n_bisync.links)`);
		expect((await compared(lab)).summary).toMatchObject({ differences: 2, readWhole: {} });
	});
});

test('what the hashes of a table cannot tell is read whole, and says why', async () => {
	const document = DOCUMENT.replace('deletes: {', 'deletes: { as: { crm: { gone: true } },');
	const setup = { ...SETUP, crm: SETUP.crm.replace('mail text);', 'mail text, gone boolean not null default false);') };
	await withSyncLab(POLICY, setup, async (lab) => {
		await lab.sql('crm', `insert into customers (id, ref, full_name) select n, 'r' || n, 'name ' || n from generate_series(1, 5) n`);
		await lab.goLive(document);
		await lab.untilRows('billing', 'select count(*)::int as n from accounts', [{ n: 5 }]);
		await lab.untilAtRest();
		await unseen(lab, 'crm', 'update customers set gone = true where id = 2');
		const { summary } = await compared(lab);
		expect(summary).toMatchObject({ differences: 1, readWhole: { customer: 'crm: deleted rows stay in the table' } });
	});
});

test('leaves alone what was edited after somebody had approved it, and what is no longer different', async () => {
	await withCustomers(4, async (lab) => {
		await unseen(lab, 'crm', `update customers set note = 'drifted ' || id where id < 4`);
		const { different } = await compared(lab);
		expect(different).toHaveLength(3);
		await lab.sql('crm', `update customers set note = 'edited' where id = 1`);
		await unseen(lab, 'crm', `update customers set note = 'drifted again' where id = 2`);
		const { reads, left } = await repaired(lab, different);
		expect([reads.map(({ key }) => key), left.length]).toEqual([[{ id: '3' }], 2]);
		await lab.untilRows('billing', `select memo from accounts where external_id in ('r1', 'r2', 'r3') order by external_id`, [{ memo: 'edited' }, { memo: 'note' }, { memo: 'drifted 3' }]);
		// Handed over twice, it says nothing new.
		await lab.handOver('crm', reads);
		await lab.untilAtRest();
		expect((await compared(lab)).summary).toMatchObject({ differences: 1 });
	});
});

test('lets rows that are gone in large numbers wait for a person, as a mass delete does', async () => {
	await withCustomers(20, async (lab) => {
		await unseen(lab, 'crm', 'delete from customers where id <= 8');
		await repaired(lab, 'all');
		await lab.untilAtRest();
		expect(await lab.sql('billing', 'select count(*)::int as n from accounts')).toEqual([{ n: 20 }]);
		const { rows } = await lab.store.pool.query<{ reason: string }>(`select item->>'reason' as reason from n8n_bisync.reviews where state = 'open'`);
		expect(rows).toEqual([{ reason: expect.stringContaining('8 records of customer are gone from crm, as a reconcile has found') as string }]);
	});
});

test('tells what a person has accepted from what has drifted', async () => {
	await withCustomers(3, async (lab) => {
		await lab.deactivate('crm');
		await lab.deactivate('billing');
		await lab.sql('crm', `update customers set note = 'a' where id = 1`);
		await lab.sql('billing', `update accounts set memo = 'b' where external_id = 'r1'`);
		await lab.activate('billing');
		await lab.activate('crm');
		await lab.untilObserved({ crm: `update customers set note = note where id = 2`, billing: `update accounts set memo = memo where external_id = 'r2'` });
		await lab.untilAtRest();
		const { summary, different } = await compared(lab);
		expect([summary, different]).toMatchObject([{ equal: true, inReview: 1 }, []]);
		const known = await compared(lab, { withKnown: true });
		expect(known.different).toMatchObject([{ fields: [{ field: 'note', why: 'review', values: { crm: 'a', billing: 'b' }, actions: ['review'] }] }]);
	});
});

test('a row with the match values of another record of its system is a duplicate, about which a person is asked', async () => {
	await withCustomers(2, async (lab) => {
		await unseen(lab, 'crm', `insert into customers (id, ref, full_name) values (7, 'r1', 'twin')`);
		const { summary, different } = await compared(lab);
		expect(summary).toMatchObject({ differences: 1, duplicates: 1, rows: { customer: { crm: 3, billing: 2 } } });
		expect(different).toMatchObject([{ duplicate: true, keys: { crm: { id: '7' } }, actions: ['review'] }]);
	});
});

test('a repair that was cut short is gone on with', async () => {
	await withCustomers(2, async (lab) => {
		await unseen(lab, 'crm', `insert into customers (id, ref, full_name) values (7, 'r7', 'new')`);
		const { onlyInA } = await compared(lab);
		// What it gives out goes nowhere.
		await run(lab, { operation: 'repair', repairWhat: 'approved' }, onlyInA);
		const again = await compared(lab);
		expect(again.onlyInA).toMatchObject([{ takenInHalfway: true, keys: { crm: { id: '7' } } }]);
		await repaired(lab, again.onlyInA);
		await lab.untilRows('billing', `select name from accounts where external_id = 'r7'`, [{ name: 'new' }]);
	});
});

test('refuses to compare before there is anything to compare with, and where the stream does not move', async () => {
	await withSyncLab(POLICY, SETUP, async (lab) => {
		await lab.policy('publish', { document: DOCUMENT });
		await expect(compared(lab)).rejects.toThrow(/waits for the approval of its first contact/);
		await lab.goLive(DOCUMENT);
		await lab.deactivate('billing');
		await expect(compared(lab, { waitSeconds: 1 })).rejects.toThrow(/stream of billing has not come as far as .* within 1 s/);
		await expect(run(lab, { operation: 'compare', systemB: 'crm' })).rejects.toThrow(/another one than System A/);
		await expect(run(lab, { operation: 'repair' }, [{ some: 'item' }])).rejects.toThrow(/items of the outputs/);
		const { rows } = await (lab.databases.get('crm')?.pool.query('select 1 from pg_replication_slots where temporary') ?? { rows: [] });
		expect(rows).toEqual([]);
	});
});
