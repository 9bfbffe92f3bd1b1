import { Checklist } from '../../demo/checklist';
import { type DemoDatabases, startDatabases } from '../../demo/databases';
import { say } from '../../demo/progress';
import { startN8n, type SyncInN8n } from '../../demo/start-sync';
import { tellCrash } from '../../demo/story-crash';
import { tellEdits } from '../../demo/story-edits';
import { tellFirstContact } from '../../demo/story-first-contact';
import { tellWitness } from '../../demo/story-witness';
import { startWitness } from '../../demo/witness';

const MINUTE_MS = 60_000;

let databases: DemoDatabases;
let sync: SyncInN8n;

beforeAll(async () => {
	databases = await startDatabases();
	sync = await startN8n(databases, say);
}, 10 * MINUTE_MS);

afterAll(async () => {
	await sync.n8n.remove();
	await databases.stop();
}, MINUTE_MS);

/** The demo's own checks; those that failed, with what they say. */
async function failed(tell: (checks: Checklist) => Promise<void>): Promise<string[]> {
	const checks = new Checklist();
	await tell(checks);
	expect(checks.results).not.toHaveLength(0);
	return checks.results.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
}

test('n8n knows every node of the templates and finds its credentials by name', async () => {
	const known = await sync.client.nodeTypes();
	for (const { id } of [sync.sync, sync.setup, sync.reviews]) {
		const { nodes } = await sync.client.readWorkflow(id);
		expect(nodes.filter(({ type }) => !known.includes(type))).toEqual([]);
		const credentials = nodes.flatMap((node) => Object.values(node.credentials ?? {}));
		expect(credentials.filter((credential) => credential.id === null)).toEqual([]);
	}
});

test(
	'two populated systems become equal, stay equal, and survive a kill of n8n',
	async () => {
		const witness = await startWitness(databases);
		expect(await failed(async (checks) => await tellFirstContact(sync, checks))).toEqual([]);
		expect(await failed(async (checks) => await tellEdits(sync, checks))).toEqual([]);
		const short = { changes: 200, perSecond: 20 };
		expect(await failed(async (checks) => await tellCrash(sync, checks, short))).toEqual([]);
		expect(await failed(async (checks) => await tellWitness(sync, checks, witness))).toEqual([]);
	},
	15 * MINUTE_MS,
);
