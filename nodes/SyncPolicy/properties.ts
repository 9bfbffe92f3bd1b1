import type { INodeProperties } from 'n8n-workflow';

import { connectWith, policy, shownWhen, system } from '../shared/properties';
import { operation } from './operations';
import { rehearsalProperties } from './rehearse';
import { whatIfProperties } from './what-if';
import { signOffProperties, subjectProperty } from './sign-off-properties';

/** Look at the version in force, or at a document. */
const OF_EITHER = ['signOffSheet', 'importSignOff', 'rehearse'];

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
	operation,
	{
		displayName: 'Document',
		name: 'document',
		type: 'string',
		typeOptions: { rows: 20 },
		required: true,
		displayOptions: { show: { operation: ['publish', 'lint', 'describeTables', 'whatIf'] } },
		default: EXAMPLE,
		description: 'The policy as YAML or JSON',
	},
	subjectProperty(OF_EITHER),
	{
		displayName: 'Document',
		name: 'document',
		type: 'string',
		typeOptions: { rows: 20 },
		required: true,
		displayOptions: { show: { operation: OF_EITHER, subject: ['document'] } },
		default: EXAMPLE,
		description: 'The policy as YAML or JSON',
	},
	shownWhen(connectWith, { operation: ['describeTables'] }),
	shownWhen(system, { operation: ['describeTables'] }),
	shownWhen(policy, {
		operation: ['show', 'firstContactReport', 'approveFirstContact', 'setMode', 'sign'],
	}),
	shownWhen(policy, { operation: OF_EITHER, subject: ['published'] }),
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
		displayOptions: { show: { operation: ['publish', 'approveFirstContact', 'sign'] } },
		default: '',
		placeholder: 'name@example.com',
		description: 'Who does this, for the journal; of a signature, the name of the person who has signed',
	},
	...signOffProperties,
	...whatIfProperties,
	...rehearsalProperties,
];
