import { pump } from './pump';
import type { Rehearsal } from './rehearsal';
import { setUpSystem } from './set-up';

/**
 * Brings a scenario to its start: tables and rows, the policy published, first contact made and
 * approved. What the sync writes for that does not count.
 */
export async function begin(rehearsal: Rehearsal): Promise<void> {
	const { scenario, databases } = rehearsal;
	await Promise.all([...databases].map(async ([system, { pool }]) => await setUpSystem(pool, scenario, system)));
	for (const [system, api] of rehearsal.apis) await api.populate(scenario.given[system] ?? {});
	await rehearsal.publish(scenario.policy);
	await pump(rehearsal); // Reads everything; nothing may be written before the approval.
	for (const system of rehearsal.apis.keys()) await (await rehearsal.process()).readApi(system);
	for (const system of databases.keys()) await rehearsal.openWitness(system);
	await rehearsal.policyNode('approveFirstContact');
	await pump(rehearsal);
	await keepCopies(rehearsal);
	await setBaseline(rehearsal);
}

/** Of what the scenario goes back to later. */
async function keepCopies(rehearsal: Rehearsal): Promise<void> {
	const steps = rehearsal.scenario.steps.map(({ step }) => step);
	const systems = new Set(steps.flatMap((step) => (step.name === 'restore' ? step.given.system : [])));
	const keepsStore = steps.some(({ name }) => name === 'store');
	if (systems.size === 0 && !keepsStore) return;
	await rehearsal.endProcess();
	if (keepsStore) await rehearsal.home.keepCopy();
	for (const system of systems) {
		await rehearsal.closeWitness(system);
		await rehearsal.databases.get(system)?.keepCopy();
		await rehearsal.openWitness(system);
	}
}

async function setBaseline(rehearsal: Rehearsal): Promise<void> {
	const { home, policyName, witnesses } = rehearsal;
	for (const api of rehearsal.apis.values()) await api.begin();
	const journal = await home.observer.readJournal({ policy: policyName, limit: 1_000_000 });
	rehearsal.baseline = {
		journalSeq: journal.at(-1)?.seq ?? '0',
		transactions: new Map([...witnesses].map(([system, { transactions }]) => [system, transactions.length])),
	};
	rehearsal.deliveries.length = 0;
	rehearsal.duplicates = 0;
}
