import type { LinkState } from '../../../src/core/link';
import { gapReviewId } from '../../../src/store/gap-review';
import { LAB_POLICY, type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const POLLING = { everyMs: 50, deletesEvery: 1 };
const ROWS = `insert into customers values (1, 'a@x', 'n1'), (2, 'b@x', 'n2'), (3, 'c@x', 'n3');`;

async function states(lab: TriggerLab): Promise<LinkState[]> {
	return (await lab.store.scanLinks({ policy: 'lab', entity: 'customer', limit: 100 })).map(({ state }) => state);
}

/** What the store knows of the rows of crm: by e-mail, the note; none of those that are gone. */
async function knownRows(lab: TriggerLab): Promise<Record<string, unknown>> {
	const there = (await states(lab)).filter(({ fields }) => fields['∃']?.views['crm']?.canon === true);
	return Object.fromEntries(there.map(({ fields }) => [String(fields['email']?.views['crm']?.canon), fields['note']?.views['crm']?.canon]));
}

async function untilKnown(lab: TriggerLab, rows: Record<string, unknown>): Promise<void> {
	await waitUntil(`${JSON.stringify(rows)} to be known`, async () => {
		const known = await knownRows(lab);
		return JSON.stringify(Object.entries(known).sort()) === JSON.stringify(Object.entries(rows).sort());
	});
}

async function untilPolledOnce(lab: TriggerLab): Promise<void> {
	await waitUntil('a poll', async () => ((await lab.store.load({ policy: 'lab' })).streams['crm']?.reading ?? []).some(({ horizon }) => horizon !== undefined));
}

test('a system can go over from the log to polling and back, and nothing that happened in between is missed', async () => {
	await withLab({ setup: ROWS }, async (lab) => {
		const byLog = await lab.start();
		await lab.waitUntilReading();
		await untilKnown(lab, { 'a@x': 'n1', 'b@x': 'n2', 'c@x': 'n3' });
		await byLog.close();
		await lab.sql(`update customers set note = 'm1' where id = 1; delete from customers where id = 2`);
		const polled = await lab.start({ polling: POLLING });
		await untilKnown(lab, { 'a@x': 'm1', 'c@x': 'n3' });
		await lab.n8n.waitForLog('drop it with select pg_drop_replication_slot');
		await lab.sql(`insert into customers values (4, 'd@x', 'n4')`);
		await untilKnown(lab, { 'a@x': 'm1', 'c@x': 'n3', 'd@x': 'n4' });
		await polled.close();
		await lab.sql(`update customers set note = 'm4' where id = 4; delete from customers where id = 1; select pg_drop_replication_slot('${lab.settings.slot}')`);
		await lab.start();
		await untilKnown(lab, { 'c@x': 'n3', 'd@x': 'm4' });
	});
});

test('a poll that finds nothing new hands nothing over, and deletes are looked for as often as was asked', async () => {
	await withLab({ setup: ROWS }, async (lab) => {
		await lab.start({ polling: { everyMs: 20, deletesEvery: 1_000 } });
		await untilKnown(lab, { 'a@x': 'n1', 'b@x': 'n2', 'c@x': 'n3' });
		await untilPolledOnce(lab);
		const before = lab.n8n.runs.length;
		await lab.sql(`delete from customers where id = 1`);
		await lab.sql(`update customers set note = 'm2' where id = 2`);
		await untilKnown(lab, { 'a@x': 'n1', 'b@x': 'm2', 'c@x': 'n3' });
		expect(lab.n8n.runs.length).toBe(before + 1);
		expect((await lab.stream()).slot).toBe('(polling)');
	});
});

test('after an execution failed in the middle everything that was not observed is read again', async () => {
	await withLab({ setup: ROWS }, async (lab) => {
		let runs = 0;
		lab.n8n.workflow = async (events) => (++runs % 2 === 1 ? 'error' : await lab.observing(events));
		await lab.start({ polling: POLLING, settings: { maxChanges: 2 } });
		await untilKnown(lab, { 'a@x': 'n1', 'b@x': 'n2', 'c@x': 'n3' });
	});
});

test('an older copy of the system is asked about before anything is read from it', async () => {
	await withLab({ setup: ROWS }, async (lab) => {
		const first = await lab.start({ polling: POLLING });
		await untilKnown(lab, { 'a@x': 'n1', 'b@x': 'n2', 'c@x': 'n3' });
		await untilPolledOnce(lab);
		await lab.sql(`update customers set note = 'm1' where id = 1`);
		await untilKnown(lab, { 'a@x': 'm1', 'b@x': 'n2', 'c@x': 'n3' });
		await first.close();
		const { position: _moves, acknowledgedLsn: _none, ...registration } = await lab.stream();
		await lab.store.registerStream({ ...registration, systemId: '1' });
		await lab.sql(`update customers set note = 'n1' where id = 1`);
		await expect(lab.start({ polling: POLLING })).rejects.toThrow('Changes of crm may be missing');
		const id = gapReviewId({ policy: 'lab', system: 'crm' });
		const [item] = await lab.store.listReviews({ ids: [id], limit: 1 });
		expect(item?.reason).toContain('it may be an older copy');
		await lab.store.changeReviews('lab', [{ action: 'close', id, how: 'resolved', by: 'ann' }]);
		await lab.start({ polling: POLLING });
		await waitUntil('the copy to be read', async () => (await lab.stream()).systemId !== '1' && (await lab.stream()).snapshot === 'done');
		expect(lab.n8n.events().at(-1)?.source).toMatchObject({ restoredTo: expect.any(String) as string });
		expect(await knownRows(lab)).toEqual({ 'a@x': 'n1', 'b@x': 'n2', 'c@x': 'n3' });
	});
});

test('what a poll cannot see is refused with the reason', async () => {
	await withLab({}, async (lab) => {
		await lab.sql('create table details (customer_id int primary key, note text)');
		const withParts = LAB_POLICY.replace('crm: { table: public.customers, key: [id] }', 'crm: { table: public.customers, key: [id], parts: { more: { table: public.details, key: [customer_id] } } }').replace('note: { crm: note', 'note: { crm: more.note');
		await lab.publish(withParts, 'first-contact');
		await expect(lab.start({ polling: POLLING })).rejects.toThrow(/"Read Changes By" cannot be Polling for crm: records of customer have parts/);
	});
});
