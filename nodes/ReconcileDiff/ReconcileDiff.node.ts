import { type IExecuteFunctions, type INodeExecutionData, type INodeType, type INodeTypeDescription } from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { withStore } from '../shared/open-store';
import { readSettings, runNode } from '../shared/run-node';
import { oneOf } from '../shared/settings';
import { nodeError } from '../shared/sync-error-to-node';
import { compareItems } from './compare-items';
import { compareTables } from './compare-tables';
import { INPUTS_BY_OPERATION, OPERATIONS, OUTPUTS, OUTPUTS_BY_OPERATION } from './operations';
import { properties } from './properties';
import { compare, repair } from './reconcile';

const WITHOUT_STORE = ['compareLists', 'compareTables'];
const WITHOUT_DATABASES = ['compareLists'];

/** R6: finds where two systems have drifted apart, and lets the rules mend it. */
export class ReconcileDiff implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Reconcile Diff',
		name: 'reconcileDiff',
		icon: { light: 'file:reconcileDiff.svg', dark: 'file:reconcileDiff.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation.replace(/([A-Z])/g, " $1").toLowerCase() }}',
		description: 'Finds what differs between two systems, to the field and while both are being changed, and mends it by the rules of the policy',
		defaults: { name: 'Reconcile Diff' },
		usableAsTool: true,
		inputs: INPUTS_BY_OPERATION,
		outputs: OUTPUTS_BY_OPERATION,
		credentials: [
			{ name: 'bisyncStoreApi', displayName: 'Sync Store', required: true, testedBy: 'testSyncStore', displayOptions: { hide: { operation: WITHOUT_STORE } } },
			{ name: 'bisyncPostgresApi', displayName: 'Postgres Replication', required: true, testedBy: 'testPostgresReplication', displayOptions: { hide: { operation: WITHOUT_DATABASES } } },
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references, n8n-nodes-base/node-class-description-credentials-name-unsuffixed -- the credential of n8n's own Postgres node
				name: 'postgres',
				displayName: 'Postgres (Built-In)',
				required: true,
				displayOptions: { hide: { operation: WITHOUT_DATABASES } },
			},
		],
		hints: [
			{
				message: 'Connect To Echo Filter to the Echo Filter of the sync: only there, what was found becomes a change that the policy decides about.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.operation === "repair" }}',
			},
			{
				message: 'What a run leaves for the next one is kept by n8n for a published workflow only: a run by hand begins where the last published one ended.',
				type: 'info',
				location: 'ndv',
				whenToDisplay: 'beforeExecution',
				displayCondition: '={{ $parameter.operation === "compareTables" && $parameter.tableOptions?.onlyChanged === true }}',
			},
		],
		properties,
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const operation = readSettings(this, () => oneOf('Operation', this.getNodeParameter('operation', 0), OPERATIONS));
		if (operation === 'compareLists') {
			try {
				return compareItems(this);
			} catch (error) {
				throw nodeError(this.getNode(), error);
			}
		}
		const outputCount = OUTPUTS[operation].length;
		if (operation === 'compareTables') {
			return await runNode(this, { node: 'reconcileDiff', outputCount, safeOutput: outputCount - 1, runsOnEmptyItems: true }, async () => await compareTables(this));
		}
		const options = { node: 'reconcileDiff', outputCount, safeOutput: outputCount - 1, runsOnEmptyItems: true };
		return await runNode(this, options, async (items) =>
			await withStore(this, async (store) => (operation === 'compare' ? await compare(this, store) : await repair(this, store, items))),
		);
	}
}
