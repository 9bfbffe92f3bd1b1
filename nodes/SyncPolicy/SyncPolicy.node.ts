import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { withStore } from '../shared/open-store';
import { runNode } from '../shared/run-node';
import { oneOf, secret, text } from '../shared/settings';
import { approveFirstContact } from './approve-first-contact';
import { firstContactReport } from './first-contact-report';
import { OPERATIONS, properties } from './properties';
import { lintDocument, publish } from './publish';
import { changeMode, MODES } from './set-mode';
import { show } from './show';

/** Publishes the document that says who owns each field, and turns its switch. */
export class SyncPolicy implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sync Policy',
		name: 'syncPolicy',
		icon: { light: 'file:syncPolicy.svg', dark: 'file:syncPolicy.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation }}',
		description:
			'Publishes the policy of a sync, shows what it would do, and turns it on, to shadow or off',
		defaults: { name: 'Sync Policy' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [
			{
				name: 'bisyncStoreApi',
				required: true,
				testedBy: 'testSyncStore',
				displayOptions: { hide: { operation: ['lint'] } },
			},
		],
		properties,
	};

	methods = { credentialTest };

	/** Runs once, whatever the number of items: a policy is published by a person, not by data. */
	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const options = { node: 'syncPolicy', outputCount: 1, safeOutput: 0, runsOnEmptyItems: true };
		return await runNode(this, options, async () => {
			const operation = oneOf('Operation', this.getNodeParameter('operation', 0), OPERATIONS);
			const json = await runOperation(this, operation);
			return [[{ json, pairedItem: { item: 0 } }]];
		});
	}
}

async function runOperation(
	context: IExecuteFunctions,
	operation: (typeof OPERATIONS)[number],
): Promise<IDataObject> {
	const read = (name: string): unknown => context.getNodeParameter(name, 0);
	const document = (): string => secret('Document', read('document'));
	const name = (): string => text('Policy', read('policy'));
	const by = (): string => text('By', read('by'));
	if (operation === 'lint') return lintDocument(document());
	return await withStore(context, async (store) => {
		switch (operation) {
			case 'publish':
				return await publish(store, { document: document(), by: by() });
			case 'show':
				return await show(store, name());
			case 'firstContactReport':
				return await firstContactReport(store, name());
			case 'approveFirstContact':
				return await approveFirstContact(store, { policy: name(), by: by() });
			case 'setMode':
				return await changeMode(store, name(), oneOf('Mode', read('newMode'), MODES));
		}
	});
}
