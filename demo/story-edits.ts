import { setTimeout as sleep } from 'node:timers/promises';

import { waitUntil } from '../test/support/wait-until';
import { demand, type Checklist } from './checklist';
import { fingerprint, readBoth, type SharedRow } from './compare';
import { whileHeld } from './hold';
import type { SyncInN8n } from './start-sync';
import { takeSide } from './story-first-contact';
import {
	executionsStarted,
	journalEnd,
	openReviews,
	readJournal,
	waitUntilSettled,
} from './store-facts';

const IDLE_SECONDS = 20;

/** What happens to edits, alone and at the same time. */
export async function tellEdits(sync: SyncInN8n, checks: Checklist): Promise<void> {
	await checks.check(
		'an edit on each side appears on the other',
		async () => await editBothSides(sync),
	);
	await checks.check(
		'concurrent edits of different fields merge',
		async () => await mergeFields(sync),
	);
	await checks.check(
		'of concurrent edits of a preferred field one wins, and the other is journaled',
		async () => await preferOne(sync),
	);
	await checks.check(
		'a field for a person waits, its siblings flow',
		async () => await reviewOne(sync),
	);
	await checks.check(
		'an edit by a system that does not own the field is reverted',
		async () => await revertStranger(sync),
	);
	await checks.check(
		'a trigger that changes what we write makes no loop',
		async () => await tidyMemo(sync),
	);
	await checks.check(
		'records made on either side appear on the other',
		async () => await insertBothSides(sync),
	);
	await checks.check(
		'the same customer entered on both sides at once is one customer',
		async () => await insertTwice(sync),
	);
	await checks.check(
		'a delete travels; one that has not seen an edit waits for a person, who confirms it',
		async () => await deleteOne(sync),
	);
}

/** Nothing is written and no execution is used while nobody changes anything. */
export async function tellIdle({ databases }: SyncInN8n, checks: Checklist): Promise<void> {
	await checks.check(`${IDLE_SECONDS} idle seconds bring no further write`, async () => {
		await waitUntilSettled(databases);
		const [before, executions] = [await fingerprint(databases), await executionsStarted(databases)];
		await sleep(IDLE_SECONDS * 1_000);
		demand((await fingerprint(databases)) === before, 'rows were written');
		return `0 writes, ${(await executionsStarted(databases)) - executions} executions`;
	});
}

async function editBothSides({ databases }: SyncInN8n): Promise<string> {
	const { crm, billing } = databases;
	await crm.app.query(`update public.customers set full_name = 'Ada Lovelace' where id = 1`);
	await billing.app.query(`update public.accounts set status = 'past_due' where external_id = 2`);
	await waitUntilSettled(databases);
	const [ada, other] = [await sharedRow(databases, '1'), await sharedRow(databases, '2')];
	demand(ada.name === 'Ada Lovelace' && other.status === 'past_due', 'an edit was undone');
	return `name → billing, status → crm`;
}

async function mergeFields(sync: SyncInN8n): Promise<string> {
	const { databases } = sync;
	const after = await journalEnd(databases);
	await whileHeld(sync, async () => {
		await databases.crm.app.query(
			`update public.customers set full_name = 'Grace Hopper' where id = 3`,
		);
		await databases.billing.app.query(
			`update public.accounts set status = 'cancelled', memo = 'left' where external_id = 3`,
		);
	});
	await waitUntilSettled(databases);
	const { name, status, note } = await sharedRow(databases, '3');
	demand(
		name === 'Grace Hopper' && status === 'cancelled' && note === 'left',
		'an edit was undone',
	);
	const conflicts = await readJournal(databases, { after, kinds: ['conflict'] });
	demand(conflicts.length === 0, `${conflicts.length} conflicts`);
	return '3 fields, 0 conflicts';
}

async function preferOne(sync: SyncInN8n): Promise<string> {
	const { databases } = sync;
	const after = await journalEnd(databases);
	await whileHeld(sync, async () => {
		await databases.crm.app.query(`update public.customers set note = 'from the CRM' where id = 4`);
		await databases.billing.app.query(
			`update public.accounts set memo = 'from billing' where external_id = 4`,
		);
	});
	await waitUntilSettled(databases);
	const { note } = await sharedRow(databases, '4');
	demand(note === 'from the CRM', `the note is ${JSON.stringify(note)}`);
	const conflicts = await readJournal(databases, { after, kinds: ['conflict'] });
	demand(conflicts.length === 1, `${conflicts.length} conflicts are journaled`);
	const { detail = {}, system } = conflicts[0]?.entry ?? {};
	const loser = system === detail['kept'] ? detail['from'] : system;
	demand(
		detail['kept'] === 'crm' && loser === 'billing',
		`the journal says that ${String(detail['kept'])} won over ${String(loser)}`,
	);
	return `1 conflict: ${String(loser)} lost to ${String(detail['kept'])} (${String(detail['rule'])})`;
}

async function reviewOne(sync: SyncInN8n): Promise<string> {
	const { databases } = sync;
	await whileHeld(sync, async () => {
		await databases.crm.app.query(
			`update public.customers set phone = '+1 1', full_name = 'Mary Jackson' where id = 5`,
		);
		await databases.billing.app.query(
			`update public.accounts set phone = '+1 2', status = 'past_due' where external_id = 5`,
		);
	});
	await waitUntilSettled(databases, { open: 1 });
	const { crm, billing } = await readBoth(databases);
	const [left, right] = [crm, billing].map((rows) => rows.find(({ ref }) => ref === '5'));
	demand(left?.phone === '+1 1' && right?.phone === '+1 2', 'the phone was written');
	demand(right?.name === 'Mary Jackson' && left?.status === 'past_due', 'a sibling did not flow');
	const reviews = await openReviews(databases);
	demand(
		reviews.length === 1 && reviews[0]?.kind === 'conflict',
		`${reviews.length} items are open`,
	);
	await takeSide(sync, 'billing');
	await waitUntilSettled(databases);
	const { phone } = await sharedRow(databases, '5');
	demand(phone === '+1 2', `after "take billing" the phone is ${String(phone)}`);
	return '1 open item (phone), 2 siblings flowed; decided for billing';
}

async function revertStranger({ databases }: SyncInN8n): Promise<string> {
	const after = await journalEnd(databases);
	const { name } = await sharedRow(databases, '6');
	await databases.billing.app.query(
		`update public.accounts set name = 'Hacked' where external_id = 6`,
	);
	await waitUntilSettled(databases);
	const now = await sharedRow(databases, '6');
	demand(now.name === name, `the name is ${String(now.name)}`);
	const reverts = await readJournal(databases, { after, kinds: ['revert'] });
	demand(
		reverts.length === 1 && reverts[0]?.entry.field === 'name',
		`${reverts.length} reverts are journaled`,
	);
	return `1 revert of name in ${String(reverts[0]?.entry.system)}`;
}

async function tidyMemo({ databases }: SyncInN8n): Promise<string> {
	const after = await journalEnd(databases);
	await databases.crm.app.query(`update public.customers set note = 'two  spaces' where id = 7`);
	await waitUntilSettled(databases);
	const { note } = await sharedRow(databases, '7');
	demand(note === 'two spaces', `the note is ${JSON.stringify(note)}`);
	const writes = await readJournal(databases, { after, kinds: ['op'] });
	const targets = writes.map(({ entry }) => entry.system).join(', ');
	demand(writes.length === 2, `${writes.length} writes: ${targets}`);
	return `2 writes (${targets})`;
}

async function insertBothSides({ databases }: SyncInN8n): Promise<string> {
	const { crm, billing } = databases;
	const before = (await readBoth(databases)).crm.length;
	await crm.app.query(
		`insert into public.customers (full_name, email, credit)
		 select 'Made in the CRM ' || n, 'made.crm' || n || '@example.com', n from generate_series(1, 3) as n`,
	);
	await billing.app.query(
		`insert into public.accounts (name, contact_email, status)
		 select 'Made in billing ' || n, 'made.billing' || n || '@example.com', 'active' from generate_series(1, 3) as n`,
	);
	await waitUntilSettled(databases);
	const count = (await readBoth(databases)).crm.length;
	demand(count === before + 6, `${count - before} instead of 6 new customers`);
	return '3 new accounts, 3 new customers';
}

async function insertTwice(sync: SyncInN8n): Promise<string> {
	const { databases } = sync;
	const before = (await readBoth(databases)).crm.length;
	await whileHeld(sync, async () => {
		await databases.crm.app.query(
			`insert into public.customers (full_name, email) values ('Dorothy Vaughan', 'dorothy@example.com')`,
		);
		await databases.billing.app.query(
			`insert into public.accounts (name, contact_email) values ('D. Vaughan', 'Dorothy@Example.com')`,
		);
	});
	await waitUntilSettled(databases);
	const { crm } = await readBoth(databases);
	demand(crm.length === before + 1, `${crm.length - before} instead of 1 new customer`);
	demand(crm.at(-1)?.name === 'Dorothy Vaughan', `the name is ${String(crm.at(-1)?.name)}`);
	return '1 link, 1 row per side';
}

async function deleteOne(sync: SyncInN8n): Promise<string> {
	const { databases } = sync;
	const accountsOf = async (customer: number): Promise<number | null> =>
		(await databases.billing.app.query('select 1 from public.accounts where external_id = $1', [customer])).rowCount;
	await databases.crm.app.query('delete from public.customers where id = 10');
	await waitUntil('the account to go', async () => (await accountsOf(10)) === 0);
	await waitUntilSettled(databases);
	await whileHeld(sync, async () => {
		await databases.crm.app.query('delete from public.customers where id = 11');
		await databases.billing.app.query(`update public.accounts set memo = 'still needed' where external_id = 11`);
	});
	await waitUntil('an item to be opened', async () => (await openReviews(databases)).length === 1);
	demand((await accountsOf(11)) === 1, 'the account was deleted although it was edited');
	const [review] = await openReviews(databases);
	await takeSide(sync, 'crm');
	await waitUntilSettled(databases);
	demand((await accountsOf(11)) === 0, 'the account is still there');
	return `1 open item (${review?.reason}); taken for crm`;
}

async function sharedRow(databases: SyncInN8n['databases'], ref: string): Promise<SharedRow> {
	const { crm } = await readBoth(databases);
	const row = crm.find((one) => one.ref === ref);
	if (!row) throw new Error(`customer ${ref} is gone`);
	return row;
}
