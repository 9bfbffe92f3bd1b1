import { readFile } from 'node:fs/promises';

import { Checklist } from '../../demo/checklist';
import { type DemoDatabases, startDatabases } from '../../demo/databases';
import { type N8nWorker, queueVariables, startWorker } from '../../demo/n8n-worker';
import { say } from '../../demo/progress';
import { activate, OWNER, startN8n, type SyncInN8n } from '../../demo/start-sync';
import { tellOutage } from '../../demo/story-crash';
import { tellEdits } from '../../demo/story-edits';
import { tellFirstContact } from '../../demo/story-first-contact';
import { tellWitness } from '../../demo/story-witness';
import { startWitness } from '../../demo/witness';
import { type RedisServer, startRedis } from '../support/redis-server';
import { waitUntil } from '../support/wait-until';

/**
 * n8n in queue mode: a main process with the triggers, two workers with the executions, Redis in between. And two main
 * processes with the same workflow, each an n8n of its own: that is all that several mains come to without a licence for them.
 */

const MINUTE_MS = 60_000;

let databases: DemoDatabases;
let redis: RedisServer;
let sync: SyncInN8n;
let second: SyncInN8n | undefined;
let queue: Record<string, string>;
const workers: N8nWorker[] = [];

const addWorker = async (): Promise<void> => {
	workers.push(await startWorker({ database: databases.n8nSettings, main: sync.n8n.folder, queue }));
};

beforeAll(async () => {
	databases = await startDatabases();
	redis = await startRedis();
	queue = queueVariables(redis);
	sync = await startN8n(databases, say, queue);
	await addWorker();
	await addWorker();
}, 15 * MINUTE_MS);

afterAll(async () => {
	await Promise.all(workers.map(async (worker) => await worker.remove()));
	await second?.n8n.remove();
	await sync?.n8n.remove();
	await redis?.stop();
	await databases?.stop();
}, 2 * MINUTE_MS);

async function failed(tell: (checks: Checklist) => Promise<void>): Promise<string[]> {
	const checks = new Checklist();
	await tell(checks);
	expect(checks.results).not.toHaveLength(0);
	return checks.results.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
}

test(
	'through two workers two systems become equal and stay so, and one of them being killed in the middle loses nothing',
	async () => {
		const witness = await startWitness(databases);
		expect(await failed(async (checks) => await tellFirstContact(sync, checks))).toEqual([]);
		expect(await failed(async (checks) => await tellEdits(sync, checks))).toEqual([]);
		const begun = await Promise.all(workers.map(async (worker) => await worker.executions()));
		expect(begun.every((count) => count > 0)).toBe(true);
		const outage = {
			changes: 200,
			perSecond: 20,
			what: 'a worker is killed with -9',
			async disturb() {
				// The one that has something to do: the other one may be idle at this moment.
				const [busy] = workers;
				const count = await busy!.executions();
				await waitUntil('an execution of this worker', async () => (await busy!.executions()) > count, { everyMs: 5 });
				await busy!.kill();
				say('  a worker is killed');
			},
		};
		expect(await failed(async (checks) => await tellOutage(sync, checks, outage))).toEqual([]);
		await addWorker();
		expect(await failed(async (checks) => await tellWitness(sync, checks, witness))).toEqual([]);
	},
	25 * MINUTE_MS,
);

test(
	'a second n8n with the same workflow stands by without a sound, and goes on within seconds when the first one dies',
	async () => {
		const other = { ...databases, n8nSettings: await databases.server.createDatabase('n8n_second') };
		second = await startN8n(other, say);
		await activate(second.client, second.sync.id);
		const { n8n } = second;
		const linesWith = async (text: string): Promise<string[]> =>
			(await readFile(n8n.folder.logFile, 'utf8')).split('\n').filter((line) => line.includes(text));
		// One for each of the two slots.
		await waitUntil('the second one to stand by', async () => (await linesWith('stands by')).length === 2);
		const edit = async (note: string): Promise<number> => {
			const started = performance.now();
			await databases.crm.app.query(`update public.customers set note = $1 where id = (select min(id) from public.customers)`, [note]);
			await waitUntil(`"${note}" in billing`, async () => {
				const { rows } = await databases.billing.app.query('select 1 from public.accounts where memo = $1', [note]);
				return rows.length > 0;
			}, { timeoutMs: MINUTE_MS });
			return Math.round(performance.now() - started);
		};
		say(`  an edit through the first: ${await edit('through the first')} ms`);
		await sync.n8n.kill();
		say(`  an edit while the first one is dead: ${await edit('through the second')} ms`);
		await sync.n8n.start();
		await sync.client.signIn(OWNER);
		await waitUntil('the first one to stand by', async () => {
			const text = await readFile(sync.n8n.folder.logFile, 'utf8');
			return text.split('\n').filter((line) => line.includes('stands by')).length === 2;
		});
		say(`  an edit when both are there: ${await edit('through the second again')} ms`);
		expect(await linesWith('stands by')).toHaveLength(2);
		expect(await linesWith('| error |')).toEqual([]);
	},
	15 * MINUTE_MS,
);
