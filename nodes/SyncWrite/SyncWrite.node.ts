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
import { connectWith, policy, system } from '../shared/properties';
import { runNode } from '../shared/run-node';
import { text } from '../shared/settings';
import { FAILED, OUTPUTS, routeResults, WRITE } from './route';
import { readWrites } from './read-writes';
import { writeAll } from './write-all';

/** R3: writes operations to one system, each at most once, and only over the values that were expected. */
export class SyncWrite implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sync Write',
		name: 'syncWrite',
		icon: { light: 'file:syncWrite.svg', dark: 'file:syncWrite.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: '={{ "to " + $parameter.system }}',
		description:
			'Writes to a Postgres system what Field Authority Merge decided, and never over a value that nobody has seen',
		defaults: { name: 'Sync Write' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main, NodeConnectionTypes.Main],
		outputNames: [...OUTPUTS],
		credentials: [
			{
				name: 'bisyncPostgresApi',
				required: true,
				testedBy: 'testPostgresReplication',
				displayOptions: { show: { connectWith: ['bisyncPostgresApi'] } },
			},
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references, n8n-nodes-base/node-class-description-credentials-name-unsuffixed -- the credential of n8n's own Postgres node
				name: 'postgres',
				required: true,
				displayOptions: { show: { connectWith: ['postgres'] } },
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
			},
		],
		properties: [connectWith, policy, system],
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const options = { node: WRITE, outputCount: OUTPUTS.length, safeOutput: FAILED };
		return await runNode(this, options, async (items) => {
			const target = text('System', this.getNodeParameter('system', 0));
			const policyName = text('Policy', this.getNodeParameter('policy', 0));
			const database = await databaseSettings(this, this.getNodeParameter('connectWith', 0));
			const writes = readWrites(items, target);
			const { results, mode } = await withStore(
				this,
				async (store) => await writeAll({ store, database, policy: policyName, writes }),
			);
			const note = noteOnMode(mode);
			if (note !== null) this.addExecutionHints({ message: note });
			return routeResults(this, { writes, results });
		});
	}
}
