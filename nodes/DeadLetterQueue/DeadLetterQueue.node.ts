import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { withStore } from '../shared/open-store';
import { runNode } from '../shared/run-node';
import { oneOf } from '../shared/settings';
import { decideItems } from './decide-items';
import { escalate } from './escalate';
import { exportReviews } from './export-queue';
import { DEAD_LETTER } from './letters';
import { markSucceeded } from './mark-succeeded';
import { OPERATIONS, properties } from './properties';
import { purge } from './purge';
import { pushItems } from './push-items';
import { getReviews, listReviews } from './read-queue';

/** What a person must decide: conflicts, failed writes, approvals, and dead letters of any workflow. */
export class DeadLetterQueue implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dead Letter Queue',
		name: 'deadLetterQueue',
		icon: { light: 'file:deadLetterQueue.svg', dark: 'file:deadLetterQueue.dark.svg' },
		group: ['output'],
		version: 1,
		subtitle: '={{ $parameter.operation.replace(/([A-Z])/g, " $1").toLowerCase() }}',
		description: 'Keeps what the sync could not decide or write, until a person has looked at it',
		defaults: { name: 'Dead Letter Queue' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		outputNames: ['Items'],
		credentials: [{ name: 'bisyncStoreApi', required: true, testedBy: 'testSyncStore' }],
		properties,
	};

	methods = { credentialTest };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const options = { node: DEAD_LETTER, outputCount: 1, safeOutput: 0, runsOnEmptyItems: true };
		return await runNode(this, options, async (items) => {
			const operation = oneOf('Operation', this.getNodeParameter('operation', 0), OPERATIONS);
			return await withStore(this, async (store) => {
				switch (operation) {
					case 'push':
						return [await pushItems(this, store, items)];
					case 'succeed':
						return [await markSucceeded(this, store, items)];
					case 'list':
						return [await listReviews(this, store)];
					case 'get':
						return [await getReviews(this, store, items)];
					case 'escalate':
						return [await escalate(this, store, Date.now())];
					case 'export':
						return [await exportReviews(this, store)];
					case 'purge':
						return [await purge(this, store)];
					case 'resolve':
					case 'approve':
					case 'reject':
					case 'dismiss':
					case 'retry':
						return [await decideItems(this, store, { operation, items })];
				}
			});
		});
	}
}
