import { setTimeout as sleep } from 'node:timers/promises';

import { startDatabases } from '../demo/databases';
import type { StoredWorkflow } from '../demo/n8n-client';
import { say, timed } from '../demo/progress';
import { timeNode } from '../demo/run-node';
import { startN8n, type SyncInN8n } from '../demo/start-sync';
import { usageOf } from './process-usage';

export interface ListsResult {
	readonly node: string;
	readonly rows: number;
	/** Of the node alone; null: it was stopped after `LIMIT_MS`. */
	readonly seconds: number | null;
	/** Of n8n at most while the whole workflow ran, above what it had before. */
	readonly extraMb: number;
	readonly items: readonly number[];
}

/** Ours, and n8n's own node, which may have to be stopped, comparing by "id" and listing what differs. */
const NODES: Readonly<Record<string, { readonly type: string; readonly typeVersion: number; readonly parameters: object }>> = {
	'Reconcile Diff': { type: 'n8n-nodes-bisync.reconcileDiff', typeVersion: 1, parameters: { operation: 'compareLists', key: 'id' } },
	'Compare Datasets': { type: 'n8n-nodes-base.compareDatasets', typeVersion: 2.3, parameters: { mergeByFields: { values: [{ field1: 'id', field2: 'id' }] }, resolve: 'includeBoth', options: {} } },
};

/** Two lists of so many items in the real n8n; every hundredth item of the second one differs in a field, and one is missing on each side. */
export async function runListsBench(sizes: readonly number[], closeOnExit: (close: () => Promise<void>) => void): Promise<readonly ListsResult[]> {
	const results: ListsResult[] = [];
	let close = async (): Promise<void> => await Promise.resolve();
	closeOnExit(async () => await close());
	for (const rows of sizes) {
		const databases = await timed('starting Postgres 18', async () => await startDatabases());
		close = async () => await databases.stop();
		// One for both nodes, and a new one for each size: nothing is left of what the one before has used, or is still at.
		const running = await startN8n(databases, () => undefined, { NODE_OPTIONS: '--max-old-space-size=4096', EXECUTIONS_DATA_SAVE_MANUAL_EXECUTIONS: 'true' });
		close = async () => {
			await running.n8n.kill();
			await running.n8n.remove();
			await databases.stop();
		};
		for (const node of Object.keys(NODES)) {
			const result = await measure(running, node, rows);
			say(`  ${node}, ${rows.toLocaleString('en')} items on each side: ${secondsOf(result)} s`);
			results.push(result);
		}
		await close();
		close = async () => await Promise.resolve();
	}
	return results;
}

/** So long a comparison may take, with the workflow around it. */
const LIMIT_MS = 300_000;

const secondsOf = ({ seconds }: ListsResult): string => (seconds === null ? `> ${LIMIT_MS / 1_000}` : seconds.toFixed(2));

async function measure(sync: SyncInN8n, node: string, rows: number): Promise<ListsResult> {
	const workflow = await createWorkflow(sync, node, rows);
	const before = (await usageOf(sync.n8n.pid)).residentMb;
	let most = before;
	const watch = setInterval(() => void usageOf(sync.n8n.pid).then(({ residentMb }) => (most = Math.max(most, residentMb))), 200);
	try {
		const timed = timeNode(sync.client, workflow, 'Compare');
		// Once n8n is stopped, nobody waits for it.
		timed.catch(() => undefined);
		const done = await Promise.race([timed, sleep(LIMIT_MS, null, { ref: false })]);
		return { node, rows, seconds: done && done.ms / 1_000, extraMb: most - before, items: done?.items ?? [] };
	} finally {
		clearInterval(watch);
	}
}

async function createWorkflow({ client }: SyncInN8n, name: string, rows: number): Promise<StoredWorkflow> {
	const compare = NODES[name];
	if (!compare) throw new Error(`there is no ${name}`);
	const node = (id: string, type: string, parameters: object = {}, typeVersion = 1) => ({ id, name: id, type, typeVersion, position: [0, 0] as [number, number], parameters: { ...parameters } });
	const to = (id: string, index: number) => ({ node: id, type: 'main', index });
	return await client.createWorkflow({
		name: `${name} ${rows}`,
		nodes: [
			node('Start', 'n8n-nodes-base.manualTrigger'),
			node('A', 'n8n-nodes-base.code', { jsCode: listCode(rows, 'a') }, 2),
			node('B', 'n8n-nodes-base.code', { jsCode: listCode(rows, 'b') }, 2),
			node('Compare', compare.type, compare.parameters, compare.typeVersion),
		],
		connections: { Start: { main: [[to('A', 0), to('B', 0)]] }, A: { main: [[to('Compare', 0)]] }, B: { main: [[to('Compare', 1)]] } },
		settings: { executionOrder: 'v1' },
	});
}

/** Eight properties. */
function listCode(rows: number, side: 'a' | 'b'): string {
	const street = side === 'a' ? `'Street ' + n` : `n % 100 === 0 ? 'elsewhere' : 'Street ' + n`;
	return `return Array.from({ length: ${rows} }, (_, at) => { const n = at + ${side === 'a' ? 1 : 2}; return { json: {
		id: n, name: 'Name ' + n, street: ${street}, city: 'City ' + n % 100, email: 'someone' + n + '@example.com', quantity: n, price: n / 100, active: n % 2 === 0 } }; });`;
}

export function printLists(results: readonly ListsResult[]): void {
	console.log('\n                     items each   seconds of the node   MB of n8n above what it had (the whole run)');
	for (const result of results) {
		const { node, rows, seconds, extraMb, items } = result;
		const what = seconds === null ? 'stopped' : `outputs ${items.join(', ')}`;
		console.log(`${node.padEnd(20)}${rows.toLocaleString('en').padStart(11)}${secondsOf(result).padStart(22)}${extraMb.toFixed(0).padStart(14)}   (${what})`);
	}
}
