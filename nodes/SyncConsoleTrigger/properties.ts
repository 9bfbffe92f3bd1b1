import type { INodeProperties } from 'n8n-workflow';

import { policy } from '../shared/properties';

export const properties: INodeProperties[] = [
	{
		displayName: 'Put n8n behind HTTPS before you open this page from elsewhere: the password travels with each request.',
		name: 'notice',
		type: 'notice',
		default: '',
	},
	{
		displayName: 'Authentication',
		name: 'authentication',
		type: 'options',
		options: [
			{ name: 'Basic Auth', value: 'basicAuth', description: 'One name and password; the name stands in the journal beside each decision' },
			{ name: 'Header Auth', value: 'headerAuth', description: 'A proxy in front of n8n signs people in, sends a secret header, and names the person in another one' },
		],
		default: 'basicAuth',
		description: 'How people show who they are',
	},
	{
		displayName: 'Person Header',
		name: 'personHeader',
		type: 'string',
		required: true,
		default: 'X-Forwarded-User',
		displayOptions: { show: { authentication: ['headerAuth'] } },
		description: 'The header in which the proxy names the person. The proxy must remove it from what browsers send.',
	},
	{
		displayName: 'Path',
		name: 'path',
		type: 'string',
		required: true,
		default: 'sync-console',
		placeholder: 'sync-console',
		description: 'Where the pages are, below the address of the webhooks of this n8n',
	},
	policy,
	{
		displayName: 'May Only Look',
		name: 'readers',
		type: 'string',
		default: '',
		placeholder: 'anna, audit',
		description: 'Names of people who see everything and decide nothing, separated by commas',
	},
];
