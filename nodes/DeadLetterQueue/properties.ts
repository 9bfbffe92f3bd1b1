import type { INodeProperties } from 'n8n-workflow';

import { policy, shownWhen } from '../shared/properties';
import { upkeepProperties } from './upkeep-properties';

export const OPERATIONS = ['push', 'list', 'get', 'resolve', 'approve', 'reject', 'dismiss', 'retry', 'succeed', 'escalate', 'export', 'purge'] as const;
export type Operation = (typeof OPERATIONS)[number];

const LISTS = ['list', 'export'];
const decisions = ['resolve', 'approve', 'reject', 'dismiss', 'retry'];

export const properties: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'Approve',
				value: 'approve',
				action: 'Approve an item',
				description: 'Let happen what the item waits for: a mass delete, a value that was proposed, or that two records that resemble each other become one',
			},
			{
				name: 'Dismiss',
				value: 'dismiss',
				action: 'Dismiss an item',
				description:
					'Accept that the systems differ; the next change by a person re-opens the matter',
			},
			{
				name: 'Escalate',
				value: 'escalate',
				action: 'Escalate items that wait for long',
				description: 'Items that have been open for some hours, each once per level and reminder: connect a message to somebody behind it',
			},
			{
				name: 'Export',
				value: 'export',
				action: 'Export items to a file',
				description: 'What List would give, as one CSV or JSON file',
			},
			{
				name: 'Get',
				value: 'get',
				action: 'Get an item',
				description: 'One item with both versions, the reason, and the token that a decision needs',
			},
			{
				name: 'List',
				value: 'list',
				action: 'List items',
				description: 'Items that wait, oldest first',
			},
			{
				name: 'Purge',
				value: 'purge',
				action: 'Purge items that were closed long ago',
				description: 'Forget items that have been closed for some days; what waits stays, and so does the journal of each record',
			},
			{
				name: 'Push',
				value: 'push',
				action: 'Push items',
				description: 'Keep what came in here: failed writes, or any item of any workflow',
			},
			{
				name: 'Reject',
				value: 'reject',
				action: 'Reject an item',
				description:
					'Undo what the item waits for: deleted records are created again, a proposed value is replaced by the one that stands, two records that resemble each other stay two',
			},
			{
				name: 'Resolve',
				value: 'resolve',
				action: 'Resolve an item',
				description:
					"Choose one system's value, or give the values; the sync brings them to every system",
			},
			{
				name: 'Retry',
				value: 'retry',
				action: 'Retry an item',
				description:
					'Let the rules decide again, after the cause was mended. A pushed item of another workflow comes out here again.',
			},
			{
				name: 'Succeed',
				value: 'succeed',
				action: 'Close items of records that were written',
				description:
					'For workflows of your own: this version of the record was written, so what waits of it and is not later is closed, and cannot be parked again',
			},
		],
		default: 'push',
	},
	shownWhen(policy, { operation: ['push', 'list', 'succeed', 'escalate', 'export', 'purge'] }),
	{
		displayName: 'Reason',
		name: 'reason',
		type: 'string',
		displayOptions: { show: { operation: ['push'] } },
		default: '={{ $json.error?.message ?? $json.error ?? "Sent here by the workflow" }}',
		description:
			'Why the item is kept, for items that do not come from a node of this pack. Name fields and records, no values: lists and messages show it.',
	},
	{
		displayName: 'Record',
		name: 'record',
		type: 'string',
		displayOptions: { show: { operation: ['push', 'succeed'] } },
		default: '',
		placeholder: 'customer {{ $json.customerId }}',
		description:
			'For items that do not come from a node of this pack: which record the item is about, as a text that is the same each time. Of each record the latest version waits, and an older one is never parked over it.',
	},
	{
		displayName: 'Version',
		name: 'recordVersion',
		type: 'string',
		displayOptions: { show: { operation: ['push', 'succeed'] } },
		default: '',
		placeholder: '{{ $json.updatedAt }}',
		description:
			'Which version of the record it is: a number that grows, or a time. When empty, what comes later is later.',
	},
	{
		displayName: 'State',
		name: 'state',
		type: 'options',
		displayOptions: { show: { operation: LISTS } },
		options: [
			{ name: 'Any', value: 'any' },
			{ name: 'Dismissed', value: 'dismissed' },
			{ name: 'Open', value: 'open' },
			{ name: 'Resolved', value: 'resolved' },
			{ name: 'Superseded', value: 'superseded', description: 'Settled by a newer change' },
		],
		default: 'open',
	},
	{
		displayName: 'Kind',
		name: 'kind',
		type: 'options',
		displayOptions: { show: { operation: LISTS } },
		options: [
			{ name: 'Any', value: 'any' },
			{ name: 'Approval', value: 'approval', description: 'First contact, mass deletes, gaps' },
			{ name: 'Conflict', value: 'conflict', description: 'Two systems changed the same field' },
			{ name: 'Failure', value: 'failure', description: 'A value that cannot be read or written' },
			{ name: 'Identity', value: 'identity', description: 'Which records belong together' },
		],
		default: 'any',
	},
	{
		displayName: 'Link',
		name: 'link',
		type: 'string',
		displayOptions: { show: { operation: LISTS } },
		default: '',
		description:
			'Only items about this link: the pair of records, as items and the journal name it',
	},
	{
		displayName: 'Limit',
		name: 'limit',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: LISTS } },
		default: 50,
		description: 'Max number of results to return',
	},
	{
		displayName: 'Skip',
		name: 'offset',
		type: 'number',
		typeOptions: { minValue: 0 },
		displayOptions: { show: { operation: LISTS } },
		default: 0,
		description: 'How many to leave out, oldest first',
	},
	...upkeepProperties,
	{
		displayName: 'Item ID',
		name: 'id',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: ['get', ...decisions] } },
		default: '={{ $json.id }}',
		description: 'As List gives it',
	},
	{
		displayName: 'Reveal Sensitive Values',
		name: 'reveal',
		type: 'boolean',
		displayOptions: { show: { operation: ['get'] } },
		default: false,
		description:
			'Whether values of fields that the policy calls sensitive are shown. They then end in the execution data of this workflow, if it is saved.',
	},
	{
		displayName: 'Token',
		name: 'token',
		// eslint-disable-next-line n8n-nodes-base/node-param-type-options-password-missing -- no secret: it names a version of the item, and must be seen to be compared
		type: 'string',
		displayOptions: { show: { operation: decisions } },
		default: '={{ $json.token }}',
		description:
			'The field "token" of the item as List or Get returned it: it proves that you decide on the values as they are now',
	},
	{
		displayName: 'Take',
		name: 'choice',
		type: 'options',
		displayOptions: { show: { operation: ['resolve'] } },
		options: [
			{ name: 'The Value of One System', value: 'apply' },
			{ name: 'Field by Field', value: 'fields', description: 'Of each field the value of another system' },
			{ name: 'Values Given Here', value: 'values' },
		],
		default: 'apply',
	},
	{
		displayName: 'System',
		name: 'system',
		type: 'string',
		displayOptions: { show: { operation: ['resolve'], choice: ['apply'] } },
		default: '',
		placeholder: 'crm',
		description: 'Whose value is taken, for every field of the item',
	},
	{
		displayName: 'Systems by Field',
		name: 'systems',
		type: 'json',
		displayOptions: { show: { operation: ['resolve'], choice: ['fields'] } },
		default: '{}',
		placeholder: '{ "phone": "crm", "note": "billing" }',
		description: 'By field name of the policy, the system whose value is taken. Fields of the item that are not named stay as they are in each system.',
	},
	{
		displayName: 'Values',
		name: 'values',
		type: 'json',
		displayOptions: { show: { operation: ['resolve'], choice: ['values'] } },
		default: '{}',
		placeholder: '{ "phone": "+1 555 0100" }',
		description:
			'By field name of the policy. Fields of the item that are not named stay as they are in each system.',
	},
	{
		displayName: 'By',
		name: 'by',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: decisions } },
		default: '',
		placeholder: 'name@example.com',
		description: 'Who decided, for the journal',
	},
];
