import { formsOf } from '../test/support/fake-browser';
import { waitUntil } from '../test/support/wait-until';
import { type Checklist, demand } from './checklist';
import { readBoth } from './compare';
import { CONSOLE_PERSON } from './credentials';
import { whileHeld } from './hold';
import { activate, consoleAddress, type SyncInN8n } from './start-sync';
import { openReviews, waitUntilSettled } from './store-facts';

/** The record over whose phone both sides disagree. */
const REF = '8';

/** A conflict is decided on the pages of the console. */
export async function tellConsole(sync: SyncInN8n, checks: Checklist): Promise<void> {
	await activate(sync.client, sync.console.id);
	await checks.check('a person decides a conflict on the pages of the console', async () => {
		const stranger = await fetch(consoleAddress(sync));
		demand(stranger.status === 401, `without a password the answer is ${stranger.status}`);
		await makeConflict(sync);
		const list = await ask(sync, '?view=reviews');
		const [, link = ''] = /href="(\?view=review&amp;id=[^"]+)"/.exec(list.body) ?? [];
		const address = link.replaceAll('&amp;', '&');
		const form = formsOf((await ask(sync, address)).body).get('apply crm');
		demand(form !== undefined, 'the page of the conflict has no button for the CRM');
		const { status } = await ask(sync, address, form);
		demand(status === 303, `the decision was answered with ${status}`);
		await waitUntilSettled(sync.databases);
		const { crm, billing } = await readBoth(sync.databases);
		const phones = [crm, billing].map((rows) => rows.find(({ ref }) => ref === REF)?.phone);
		demand(phones.every((phone) => phone === '+1 81'), `the phone is ${phones.join(' and ')}`);
		return 'without a password 401; taken: the CRM\'s value, in both systems';
	});
}

/** Both sides change the same phone, unseen by each other: what waits then is left to whoever looks at the demo. */
export async function makeConflict(sync: SyncInN8n, [ours, theirs] = ['+1 81', '+1 82']): Promise<void> {
	const { crm, billing } = sync.databases;
	await whileHeld(sync, async () => {
		await crm.app.query(`update public.customers set phone = '${ours}' where id = ${REF}`);
		await billing.app.query(`update public.accounts set phone = '${theirs}' where external_id = ${REF}`);
	});
	// Not what is settled first: before anything is read, the two phones differ and nothing is due either.
	await waitUntil('the conflict to be found', async () => (await openReviews(sync.databases)).length === 1, { timeoutMs: 60_000, everyMs: 50 });
	await waitUntilSettled(sync.databases, { open: 1 });
}

interface Asked {
	readonly status: number;
	readonly body: string;
}

async function ask(sync: SyncInN8n, address: string, form?: Readonly<Record<string, string>>): Promise<Asked> {
	const { user, password } = CONSOLE_PERSON;
	const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
	const post = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
	const response = await fetch(`${consoleAddress(sync)}${address}`, { headers: { authorization }, redirect: 'manual', ...post });
	return { status: response.status, body: await response.text() };
}
