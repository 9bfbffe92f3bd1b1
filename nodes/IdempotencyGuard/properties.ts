import type { INodeProperties } from 'n8n-workflow';

export const properties: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'Claim',
				value: 'claim',
				action: 'Claim keys',
				description: 'Before the work: whoever comes first gets the item by New',
			},
			{
				name: 'Complete',
				value: 'complete',
				action: 'Complete claims',
				description: 'After the work: the same key is a duplicate from now on',
			},
			{
				name: 'Release',
				value: 'release',
				action: 'Release claims',
				description: 'After a failure: the same key is let through again',
			},
		],
		default: 'claim',
	},
	{
		displayName: 'Key',
		name: 'key',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: ['claim'] } },
		default: '={{ $json.bisync?.merge?.op?.id ?? $json.changeId }}',
		description:
			'What makes an item the same: the ID of a write or change of this pack, or an event ID of a provider. Never a time or a random value.',
	},
	{
		displayName: 'Scope',
		name: 'scope',
		type: 'string',
		required: true,
		default: '={{ $workflow.id }}',
		description:
			'Keeps the keys of different guards apart. Claim, Complete and Release of the same work need the same scope.',
	},
	{
		displayName: 'Policy',
		name: 'policy',
		type: 'string',
		displayOptions: { show: { operation: ['claim'] } },
		default: '',
		description:
			'Name of the sync policy, where the keys are writes of this pack: one whose outcome has been observed stays a duplicate for ever, without being remembered. Leave empty for anything else.',
	},
	{
		displayName: 'Lease (Seconds)',
		name: 'leaseSeconds',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: ['claim'] } },
		default: 300,
		description:
			'How long the work may take. If it has not been completed by then, the same key is let through again: longer than the slowest run.',
	},
	{
		displayName: 'Remember For (Days)',
		name: 'retainDays',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: ['complete'] } },
		default: 7,
		description:
			'How long a completed key stays a duplicate: longer than the sender repeats its events, which most give up within three days. Each key is forgotten by itself then, so that the memory of keys is never full.',
	},
];
