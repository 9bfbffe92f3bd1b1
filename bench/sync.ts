import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { startDatabases } from '../demo/databases';
import { say, timed } from '../demo/progress';
import { runNode } from '../demo/run-node';
import {
	activate,
	approveFirstContact,
	firstContactReport,
	startN8n,
	type SyncInN8n,
} from '../demo/start-sync';
import { dueCount, executionsStarted } from '../demo/store-facts';
import { waitUntil } from '../test/support/wait-until';
import { usageOf } from './process-usage';
import { COLUMNS, createTable, fillTable, type Side, timeToEquality } from './wide-table';

export interface SyncResult {
	readonly seconds: number;
	readonly executions: number;
	readonly peakResidentMb: number;
	/** Of n8n, this pack in it. */
	readonly cpuSeconds: number;
	/** Of the Postgres server with both systems, the sync store and n8n's own database. */
	readonly postgresCpuSeconds: number;
}

const CUSTOMERS = 'public.customers';
const ACCOUNTS = 'public.accounts';

/** The template of this pack in a real n8n, with a policy of 15 shared fields. */
export async function runSyncBench(
	rows: number,
	closeOnExit: (close: () => Promise<void>) => void,
): Promise<SyncResult> {
	const databases = await timed(
		'starting Postgres 18 for the sync',
		async () =>
			await startDatabases({
				crm: { create: createTable(CUSTOMERS), populate: fillTable(CUSTOMERS, 2 * rows) },
				billing: { create: createTable(ACCOUNTS), populate: fillTable(ACCOUNTS, 2 * rows) },
			}),
	);
	closeOnExit(async () => await databases.stop());
	const sync = await startN8n(databases, say);
	closeOnExit(async () => await sync.n8n.remove());
	await timed(
		`first contact of ${(2 * rows).toLocaleString('en')} rows per side`,
		async () => await makeContact(sync),
	);
	const sides: [Side, Side] = [
		{ settings: databases.crm.appSettings, table: CUSTOMERS, first: 1, count: rows },
		{ settings: databases.billing.appSettings, table: ACCOUNTS, first: rows + 1, count: rows },
	];
	say('sync: both sides change their rows …');
	return await measure(sync, sides);
}

async function makeContact(sync: SyncInN8n): Promise<void> {
	await runNode(sync.client, sync.setup, 'Publish', { document: policyText() });
	await activate(sync.client, sync.sync.id);
	const { summary } = await firstContactReport(sync);
	say(`  ${summary.join(' ')}`);
	await approveFirstContact(sync);
	await waitUntil(
		'all records to be looked at',
		async () => (await dueCount(sync.databases)) === 0,
		{ timeoutMs: 3_600_000, everyMs: 500 },
	);
}

async function measure({ databases, n8n }: SyncInN8n, sides: [Side, Side]): Promise<SyncResult> {
	const postgres = await postmasterPid(databases);
	const cpu = async (): Promise<[number, number]> => {
		const used = await Promise.all([usageOf(n8n.pid), usageOf(postgres)]);
		return [used[0].cpuSeconds, used[1].cpuSeconds];
	};
	const [before, executions] = [await cpu(), await executionsStarted(databases)];
	let peakResidentMb = 0;
	const { writing, equal } = await timeToEquality(sides, async () => {
		const { residentMb } = await usageOf(n8n.pid);
		peakResidentMb = Math.max(peakResidentMb, residentMb);
	});
	say(`  written in ${writing.toFixed(2)} s, equal after ${equal.toFixed(2)} s`);
	const after = await cpu();
	return {
		seconds: equal,
		executions: (await executionsStarted(databases)) - executions,
		peakResidentMb,
		cpuSeconds: after[0] - before[0],
		postgresCpuSeconds: after[1] - before[1],
	};
}

async function postmasterPid({ server }: SyncInN8n['databases']): Promise<number> {
	const file = join(server.record.directory, 'data', 'postmaster.pid');
	return Number.parseInt(await readFile(file, 'utf8'), 10);
}

/** Every column is a field of the same name; records are found by their e-mail addresses, and keep their own keys. */
function policyText(): string {
	const names = Object.keys(COLUMNS).filter((name) => name !== 'id' && name !== 'email');
	const fields = names.map(
		(name) =>
			`      ${name}: { crm: ${name}, billing: ${name}, owner: shared, resolve: prefer(crm) }`,
	);
	return `policy: crm-billing
systems: [crm, billing]
entities:
  customer:
    crm: { table: ${CUSTOMERS}, key: [id] }
    billing: { table: ${ACCOUNTS}, key: [id] }
    match: [[email]]
    fields:
      email: { crm: email, billing: email, owner: crm }
${fields.join('\n')}
`;
}
