import type { INodeType, INodeTypeDescription, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';

import { credentialTest } from '../shared/credential-tests';
import { properties } from './properties';
import { answerRequest } from './answer-request';

/** Serves the pages on which people look at a sync, and decide what it cannot. */
// eslint-disable-next-line @n8n/community-nodes/webhook-lifecycle-complete -- there is no third party: n8n itself serves the address
export class SyncConsoleTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Sync Console Trigger',
		name: 'syncConsoleTrigger',
		icon: { light: 'file:syncConsoleTrigger.svg', dark: 'file:syncConsoleTrigger.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter.policy }}',
		description: 'Serves web pages on which people see what waits for them and decide it; starts the workflow with each decision',
		eventTriggerDescription: 'Waiting for somebody to decide',
		activationMessage: 'The pages are there now, at the production address of this node.',
		defaults: { name: 'Sync Console Trigger' },
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		outputNames: ['Resolved'],
		credentials: [
			{ name: 'bisyncStoreApi', required: true, testedBy: 'testSyncStore' },
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references, n8n-nodes-base/node-class-description-credentials-name-unsuffixed -- n8n's own, as its Webhook node has it
				name: 'httpBasicAuth',
				required: true,
				displayOptions: { show: { authentication: ['basicAuth'] } },
			},
			{
				// eslint-disable-next-line @n8n/community-nodes/valid-credential-references -- n8n's own, as its Webhook node has it
				name: 'httpHeaderAuth',
				required: true,
				displayOptions: { show: { authentication: ['headerAuth'] } },
			},
		],
		webhooks: [
			{ name: 'setup', httpMethod: 'GET', responseMode: 'onReceived', isFullPath: true, path: '={{ $parameter.path }}' },
			{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', isFullPath: true, ndvHideUrl: true, path: '={{ $parameter.path }}' },
		],
		properties,
	};

	methods = { credentialTest };

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await answerRequest(this);
	}
}
