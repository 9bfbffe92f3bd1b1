import type { IDataObject } from 'n8n-workflow';

import { untilAllSeen } from '../support/all-seen';
import { account, compared, type Outcome, repaired, unseen, withCustomers } from '../support/reconcile-lab';
import { seededRandom } from '../support/seeded-random';
import type { SyncLab } from '../support/sync-lab';

const CHANGED = { onlyChanged: true };

/** What a comparison found, but for its run and how long it took. */
function foundIn({ different, onlyInA, onlyInB, summary: { rows, links, differences } }: Outcome): unknown {
	const texts = (list: readonly IDataObject[]): string[] => list.map(({ keys, link, fields, onlyIn }) => JSON.stringify({ keys, link, fields, onlyIn })).sort();
	return { different: texts(different), onlyInA: texts(onlyInA), onlyInB: texts(onlyInB), rows, links, differences };
}

/** Compares by changes, which is to find what comparing everything finds. */
async function comparedTwice(lab: SyncLab): Promise<Outcome> {
	const changed = await compared(lab, CHANGED);
	expect(foundIn(changed)).toEqual(foundIn(await compared(lab)));
	return changed;
}

test('after the first run, looks only at what has changed and at what differed before', async () => {
	await withCustomers(30, async (lab) => {
		const first = await compared(lab, CHANGED);
		expect(first.summary).toMatchObject({ equal: true, links: 30 });
		expect(first.summary).not.toHaveProperty('lastWhole');
		const second = await comparedTwice(lab);
		expect(second.summary).toMatchObject({ equal: true, rows: { customer: { crm: 30, billing: 30 } }, lastWhole: { customer: expect.stringMatching(/^\d{4}-/) as string } });

		await unseen(lab, 'billing', `update accounts set memo = 'theirs' where external_id = 'r3'`);
		await unseen(lab, 'crm', `insert into customers (id, ref, full_name) values (90, 'r90', 'new')`);
		await lab.sql('crm', `update customers set note = 'seen' where id = 5; delete from customers where id = 6`);
		await lab.untilRows('billing', `select memo from accounts where external_id = 'r5'`, [{ memo: 'seen' }]);
		await lab.untilAtRest();
		const third = await comparedTwice(lab);
		expect(third.summary).toMatchObject({ differences: 2, lastWhole: second.summary['lastWhole'] });
		// Nobody has written these since.
		expect((await comparedTwice(lab)).summary).toMatchObject({ differences: 2 });

		await repaired(lab, 'all');
		await lab.untilAtRest();
		const mended = await comparedTwice(lab);
		expect(mended.summary).toMatchObject({ equal: true, lastWhole: second.summary['lastWhole'] });
	});
});

test('a row that is gone without a word has everything compared, and what is known to be gone has not', async () => {
	await withCustomers(12, async (lab) => {
		await untilAllSeen(lab.store.pool);
		await compared(lab, CHANGED);
		await unseen(lab, 'crm', 'delete from customers where id = 4');
		const found = await comparedTwice(lab);
		expect(found.summary).toMatchObject({ differences: 1, onlyIn: { billing: 1 } });
		expect(found.summary).not.toHaveProperty('lastWhole');
		const again = await comparedTwice(lab);
		expect(again.summary).toMatchObject({ differences: 1, lastWhole: { customer: expect.any(String) as string } });
		// The same number of rows as before, and others.
		await unseen(lab, 'billing', `delete from accounts where account_no = ${account(7)}; insert into accounts (external_id, name) values ('r99', 'another')`);
		expect((await comparedTwice(lab)).summary).toMatchObject({ differences: 3 });
	});
});

test('a record of which the sync knows something else than before is looked at, though nobody has written its rows', async () => {
	await withCustomers(12, async (lab) => {
		await compared(lab, CHANGED);
		await lab.store.pool.query(`update n8n_bisync.links set state = replace(state::text, '"name 3"', '"another"')::json, digests[3] = digests[3] + 1, digests[6] = digests[6] + 1,
			written = pg_current_xact_id() where state::text like '%"name 3"%'`);
		const { summary, different } = await comparedTwice(lab);
		expect(summary).toHaveProperty('lastWhole');
		expect(different).toMatchObject([{ fields: [{ field: 'name', values: { crm: 'name 3', billing: 'name 3' }, known: { crm: 'another', billing: 'another' } }] }]);
	});
});

test('a new label of an enumeration has everything compared', async () => {
	await withCustomers(3, async (lab) => {
		await lab.sql('crm', `create type kind as enum ('a')`);
		await compared(lab, CHANGED);
		expect((await compared(lab, CHANGED)).summary).toHaveProperty('lastWhole');
		await lab.sql('crm', `alter type kind rename value 'a' to 'z'`);
		expect((await compared(lab, CHANGED)).summary).not.toHaveProperty('lastWhole');
	});
});

test('whatever is written on either side, seen or unseen, it finds what comparing everything finds', async () => {
	const { below } = seededRandom(Number(process.env['PROPERTY_SEED'] ?? 5));
	await withCustomers(40, async (lab) => {
		await compared(lab, CHANGED);
		let byChanges = 0;
		const rounds = Number(process.env['PROPERTY_RUNS'] ?? 3);
		for (let round = 0; round < rounds; round++) {
			for (let change = below(4); change >= 0; change--) {
				const id = 1 + below(40);
				const kind = below(6);
				if (kind === 0) await lab.sql('crm', `update customers set note = 'seen ${round}' where id = ${id}`);
				else if (kind === 1) await lab.sql('billing', `update accounts set memo = 'seen ${round}', status = 'late' where external_id = 'r${id}'`);
				else if (kind === 2) await unseen(lab, 'crm', `update customers set note = 'unseen ${round}', mail = null where id between ${id} and ${id + 1}`);
				else if (kind === 3) await unseen(lab, 'billing', `update accounts set name = 'unseen ${round}' where external_id = 'r${id}'`);
				else if (kind === 4) await unseen(lab, 'crm', `insert into customers (id, ref, full_name) values (${100 + 10 * round + change}, 'x${round}.${change}', 'new')`);
				else await lab.sql('crm', `begin; update customers set note = 'never' where id = ${id}; rollback`);
			}
			if (below(2) === 0) await lab.sql('billing', 'vacuum freeze accounts');
			if (below(3) === 0) await lab.sql('crm', 'vacuum full customers');
			await lab.untilAtRest();
			const { summary } = await comparedTwice(lab);
			if (summary['lastWhole'] !== undefined) byChanges += 1;
		}
		expect(byChanges).toBeGreaterThanOrEqual(rounds - 1);
	});
}, 180_000);
