import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import { EchoFilter } from '../../nodes/EchoFilter/EchoFilter.node';
import { ReconcileDiff } from '../../nodes/ReconcileDiff/ReconcileDiff.node';
import { executeNode } from '../support/fake-execute';
import { pump } from './pump';
import type { Rehearsal } from './rehearsal';
import { ScenarioError } from './scenario-error';
import type { Given } from './steps';

const MAX_MS = 60_000;

/**
 * Compares the first two systems, whose triggers must run meanwhile, and with `repair` approves all that was found: Echo
 * Filter learns of it, and what is due then is left to the next pump.
 */
export async function reconcile(rehearsal: Rehearsal, { repair }: Given<'reconcile'>): Promise<void> {
	let reads: INodeExecutionData[] = [];
	await whileSyncing(rehearsal, async () => {
		const [different = [], onlyInA = [], onlyInB = [], [summary] = []] = await run(rehearsal, { operation: 'compare' });
		rehearsal.differences = Number(summary?.json['differences']);
		const approved = [...different, ...onlyInA, ...onlyInB];
		if (repair && approved.length > 0) [reads = []] = await run(rehearsal, { operation: 'repair' }, approved);
	});
	if (reads.length > 0) await observe(rehearsal, reads);
}

async function whileSyncing(rehearsal: Rehearsal, work: () => Promise<void>): Promise<void> {
	let isOver = false;
	const working = work().finally(() => {
		isOver = true;
	});
	const [, outcome] = await Promise.allSettled([pump(rehearsal, { for: MAX_MS, until: () => isOver }), working]);
	if (outcome.status === 'rejected') throw new ScenarioError(`Reconcile failed: ${String(outcome.reason)}`, { cause: outcome.reason });
}

async function run(rehearsal: Rehearsal, parameters: IDataObject, items?: INodeExecutionData[]): Promise<INodeExecutionData[][]> {
	const [systemA, systemB] = [...rehearsal.databases.keys()];
	if (systemA === undefined || systemB === undefined) throw new ScenarioError('There are no two systems whose tables could be compared');
	const process = await rehearsal.process();
	const { outputs } = await executeNode(new ReconcileDiff(), {
		parameters: { policy: rehearsal.policyName, systemA, systemB, ...parameters },
		credentials: {
			bisyncStoreApi: { ...process.storeCredential },
			bisyncPostgresApi: process.databaseCredential(systemA),
			postgres: process.databaseCredential(systemB),
		},
		...(items ? { items } : {}),
	});
	return outputs;
}

async function observe(rehearsal: Rehearsal, items: INodeExecutionData[]): Promise<void> {
	const { storeCredential } = await rehearsal.process();
	await executeNode(new EchoFilter(), { parameters: { mode: 'store', policy: rehearsal.policyName }, credentials: { bisyncStoreApi: { ...storeCredential } }, items });
}
