import type { INodeProperties } from 'n8n-workflow';

import { connectWith, policy, shownWhen, system } from '../shared/properties';

export const OPERATIONS = [
	'publish',
	'lint',
	'show',
	'firstContactReport',
	'approveFirstContact',
	'setMode',
	'describeTables',
] as const;

const EXAMPLE = `policy: crm-billing
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing: { table: public.accounts, key: [account_no] }
    match: [[email]]
    fields:
      email: { crm: email, billing: contact_email, owner: crm, codec: email }
      name: { crm: full_name, billing: name, owner: crm, codec: trim }
      phone: { crm: phone, billing: phone, owner: shared, resolve: review }
    sensitive: [email, phone]
`;

export const properties: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'Approve First Contact',
				value: 'approveFirstContact',
				action: 'Approve the first contact',
				description:
					'Turns a new policy on, or what is new in one that is on, after every system has been read; from then on it writes',
			},
			{
				name: 'Describe Tables',
				value: 'describeTables',
				action: 'Describe the tables of a system',
				description:
					'Reads from a database what Lint has to know about its tables; one node for each system, then Lint',
			},
			{
				name: 'First Contact Report',
				value: 'firstContactReport',
				action: 'Report on the first contact',
				description: 'What the systems have in common, and what turning the policy on would write',
			},
			{
				name: 'Lint',
				value: 'lint',
				action: 'Lint a policy',
				description:
					'Checks a document without publishing it, also against the tables that Describe Tables found; needs no sync store',
			},
			{
				name: 'Publish',
				value: 'publish',
				action: 'Publish a policy',
				description: 'Puts a version of the document into force for all nodes that name the policy',
			},
			{
				name: 'Set Mode',
				value: 'setMode',
				action: 'Set the mode of a policy',
				description: 'Live, shadow (decides and writes nothing), or stopped',
			},
			{
				name: 'Show',
				value: 'show',
				action: 'Show a policy',
				description: 'The version in force, its mode, and how far each system has been read',
			},
		],
		default: 'publish',
	},
	{
		displayName: 'Document',
		name: 'document',
		type: 'string',
		typeOptions: { rows: 20 },
		required: true,
		displayOptions: { show: { operation: ['publish', 'lint', 'describeTables'] } },
		default: EXAMPLE,
		description: 'The policy as YAML or JSON',
	},
	shownWhen(connectWith, { operation: ['describeTables'] }),
	shownWhen(system, { operation: ['describeTables'] }),
	shownWhen(policy, {
		operation: ['show', 'firstContactReport', 'approveFirstContact', 'setMode'],
	}),
	{
		displayName: 'Format',
		name: 'format',
		type: 'options',
		displayOptions: { show: { operation: ['firstContactReport'] } },
		options: [
			{
				name: 'Markdown',
				value: 'markdown',
				description: 'One item with a table to read or to send',
			},
			{
				name: 'Summary',
				value: 'summary',
				description:
					'One item: a sentence per entity, the counts, and how far the rows have been read',
			},
			{
				name: 'Table',
				value: 'table',
				description: 'One item per entity and field, for a spreadsheet',
			},
		],
		default: 'summary',
		description: 'How the report is returned',
	},
	{
		displayName: 'Mode',
		name: 'newMode',
		type: 'options',
		displayOptions: { show: { operation: ['setMode'] } },
		options: [
			{ name: 'Live', value: 'live', description: 'Observes, decides and writes' },
			{
				name: 'Shadow',
				value: 'shadow',
				description: 'Observes, decides and notes what would be written; writes nothing',
			},
			{
				name: 'Stopped',
				value: 'stopped',
				description:
					'Observes only; nothing is lost, and nothing is written until it is live again',
			},
		],
		default: 'stopped',
	},
	{
		displayName: 'By',
		name: 'by',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: ['publish', 'approveFirstContact'] } },
		default: '',
		placeholder: 'name@example.com',
		description: 'Who does this, for the journal',
	},
];
