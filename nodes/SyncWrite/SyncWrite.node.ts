import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { databaseSettings } from '../shared/open-database';
import { noteOnMode } from '../shared/mode-hint';
import { withStore } from '../shared/open-store';
import { connectWith, policy, shownWhen, system } from '../shared/properties';
import { type Outputs, readSettings, runNode } from '../shared/run-node';
import { oneOf, text } from '../shared/settings';
import { apiProperties } from './api-properties';
import { beginItems } from './begin-items';
import { checkItems } from './check-items';
import { OUTPUTS, OUTPUTS_BY_STEP, step, STEPS } from './operations';
import { readWrites } from './read-writes';
import { reportItems } from './report-items';
import { routeResults, WRITE } from './route';
import { writeAll } from './write-all';

/** R3: writes operations to one system, each at most once, and only over the values that were expected. */
export class SyncWrite implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sync Write',
		name: 'syncWrite',
		icon: { light: 'file:syncWrite.svg', dark: 'file:syncWrite.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle:
			'={{ ({ begin: "begin: ", check: "continue: ", report: "report: " }[$parameter.step] ?? "to ") + $parameter.system }}',
		description:
			'Writes what Field Authority Merge decided, to Postgres by itself and to an API around the node that sends it, and never over a value that nobody has seen',
		defaults: { name: 'Sync Write' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: OUTPUTS_BY_STEP,
		credentials: [
			{
				name: 'bisyncPostgresApi',
				required: true,
				testedBy: 'testPostgresReplication',
				displayOptions: { show: { step: ['write'], connectWith: ['bisyncPostgresApi'] } },
			},
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references, n8n-nodes-base/node-class-description-credentials-name-unsuffixed -- the credential of n8n's own Postgres node
				name: 'postgres',
				required: true,
				displayOptions: { show: { step: ['write'], connectWith: ['postgres'] } },
			},
			{
				name: 'bisyncStoreApi',
				required: true,
				testedBy: 'testSyncStore',
				// Always true. Without a condition of its own the editor takes this credential for one of those
				// that "Connect With" chooses between, and offers the databases here.
				displayOptions: { show: { '@version': [1] } },
			},
		],
		hints: [
			{
				message:
					'Connect "Write to …" of Field Authority Merge here. All outputs may stay unconnected: what became of each write comes back with the change stream, and failed writes are tried again.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.step === "write" }}',
			},
			{
				message:
					'Go leads to the node that sends the write, Read First to one that reads the record and then to Sync Write (Continue After Reading). Not Now may stay unconnected: those writes are given out again.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.step === "begin" }}',
			},
			{
				message:
					'Connect Read Again to the node that reads the record, and Applied to Field Authority Merge. Both may stay unconnected: what is due is offered again, only later.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.step === "report" }}',
			},
		],
		properties: [step, shownWhen(connectWith, { step: ['write'] }), policy, system, ...apiProperties],
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const chosen = readSettings(this, () => oneOf('Operation', this.getNodeParameter('step', 0, 'write'), STEPS));
		const outputCount = OUTPUTS[chosen].length;
		const options = { node: WRITE, outputCount, safeOutput: outputCount - 1 };
		return await runNode(this, options, async (items) => {
			switch (chosen) {
				case 'write':
					return await writeItems(this, items);
				case 'begin':
					return await withStore(this, async (store) => await beginItems(this, store, items));
				case 'check':
					return await withStore(this, async (store) => await checkItems(this, store, items));
				case 'report':
					return await withStore(this, async (store) => await reportItems(this, store, items));
			}
		});
	}
}

/** Writes to Postgres. */
async function writeItems(context: IExecuteFunctions, items: readonly INodeExecutionData[]): Promise<Outputs> {
	const target = text('System', context.getNodeParameter('system', 0));
	const policyName = text('Policy', context.getNodeParameter('policy', 0));
	const database = await databaseSettings(context, context.getNodeParameter('connectWith', 0));
	const writes = readWrites(items, target);
	const { results, mode } = await withStore(
		context,
		async (store) => await writeAll({ store, database, policy: policyName, writes }),
	);
	const note = noteOnMode(mode);
	if (note !== null) context.addExecutionHints({ message: note });
	return routeResults(context, { writes, results });
}
