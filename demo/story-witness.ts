import { OUTCOMES } from '../src/core/marker';
import type { Operation } from '../src/core/link';
import { parsePolicy } from '../src/core/parse-policy';
import type { Policy } from '../src/core/policy';
import { replayJournal } from '../test/support/journaled-ops';
import { wrongWrites } from '../test/support/witnessed-writes';
import { demand, type Checklist } from './checklist';
import { readTemplate } from './install-pack';
import type { SyncInN8n } from './start-sync';
import { waitUntilSettled } from './store-facts';
import type { Witness } from './witness';

/** What somebody saw who read both logs beside the sync, held against the sync's own journal. */
export async function tellWitness(
	{ databases }: SyncInN8n,
	checks: Checklist,
	witness: Witness,
): Promise<void> {
	await waitUntilSettled(databases);
	let operations: ReadonlyMap<string, Operation> = new Map();
	await checks.check('replaying the journal leads to the stored states', async () => {
		const replayed = await replayJournal(databases.store);
		({ operations } = replayed);
		const { links, unfaithful } = replayed;
		const sample = unfaithful.slice(0, 3).join(', ');
		demand(
			unfaithful.length === 0,
			`${unfaithful.length} of ${links} links end in another state: ${sample}`,
		);
		return `${links} links, ${operations.size} operations`;
	});
	await checks.check(
		'a witness of both logs: each write found what it expected, and happened once',
		async () => {
			const policy = await publishedPolicy();
			const writes = await witness.testify(policy);
			const problems = wrongWrites(writes, { operations, policy });
			demand(
				problems.length === 0,
				`${problems.length} problems: ${problems.slice(0, 3).join('; ')}`,
			);
			const counts = OUTCOMES.map((outcome) => ({
				outcome,
				count: writes.filter(({ marker }) => marker.outcome === outcome).length,
			}));
			const words = counts
				.filter(({ count }) => count > 0)
				.map(({ outcome, count }) => `${count} ${outcome}`);
			return `${writes.length} marked writes: ${words.join(', ')}`;
		},
	);
}

async function publishedPolicy(): Promise<Policy> {
	const { nodes } = await readTemplate('setup-policy.json');
	const document = nodes.find(({ name }) => name === 'Publish')?.parameters['document'];
	return parsePolicy(String(document));
}
