import type { Checklist } from './checklist';
import { demand } from './checklist';
import { fingerprint } from './compare';
import { runNode } from './run-node';
import {
	activate,
	approveFirstContact,
	firstContactReport,
	OWNER,
	publishPolicy,
	type SyncInN8n,
} from './start-sync';
import { openReviews, readJournal, waitUntilSettled } from './store-facts';
import { FIRST_CONTACT } from './tables';

/** Two systems that have never heard of each other, from the first look to equality. */
export async function tellFirstContact(sync: SyncInN8n, checks: Checklist): Promise<void> {
	const { databases } = sync;
	const untouched = await fingerprint(databases);
	await checks.check('first contact reads both tables and writes nothing', async () => {
		await publishPolicy(sync);
		await activate(sync.client, sync.sync.id);
		const { summary, entities } = await firstContactReport(sync);
		const [found] = entities;
		const counts = [
			found?.linkedEqual,
			found?.linkedDifferent,
			found?.onlyIn['crm'],
			found?.onlyIn['billing'],
		].join(' ');
		const { linkedEqual, linkedDifferent, onlyInCrm, onlyInBilling } = FIRST_CONTACT;
		demand(
			counts === [linkedEqual, linkedDifferent, onlyInCrm, onlyInBilling].join(' '),
			`it reports ${summary.join(' ')}`,
		);
		demand((await fingerprint(databases)) === untouched, 'rows were written before the approval');
		return summary.join(' ');
	});
	await checks.check(
		'after the approval both systems are equal, but for what a person decides',
		async () => {
			await approveFirstContact(sync);
			await waitUntilSettled(databases, { open: FIRST_CONTACT.reviews });
			const reviews = await openReviews(databases);
			demand(reviews.length === FIRST_CONTACT.reviews, `${reviews.length} items are open`);
			const writes = await readJournal(databases, { after: '0', kinds: ['op'] });
			return `${writes.length} writes, open: ${reviews.map(({ fields }) => fields.join()).join('; ')}`;
		},
	);
	await checks.check('a person takes one side, and both systems have it', async () => {
		await takeSide(sync, 'crm');
		await waitUntilSettled(databases);
		return `${(await openReviews(databases)).length} items open`;
	});
}

/** Somebody opens the review queue and decides the oldest item. */
export async function takeSide({ client, reviews }: SyncInN8n, system: string): Promise<void> {
	await runNode(client, reviews, 'Take One Side', { system, by: OWNER.email });
}
