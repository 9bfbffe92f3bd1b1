import type { INodeProperties } from 'n8n-workflow';

/** Of the operations that look after the queue as a whole: export, escalate, purge. */
export const upkeepProperties: INodeProperties[] = [
	{
		displayName: 'Format',
		name: 'format',
		type: 'options',
		displayOptions: { show: { operation: ['export'] } },
		options: [
			{ name: 'CSV', value: 'csv', description: 'For a spreadsheet: what waits, since when and how it ended, without values of records' },
			{ name: 'JSON', value: 'json', description: 'Whole items, sensitive values masked' },
		],
		default: 'csv',
	},
	{
		displayName: 'Open for Hours',
		name: 'openForHours',
		type: 'number',
		typeOptions: { minValue: 0 },
		displayOptions: { show: { operation: ['escalate'] } },
		default: 4,
		description: 'Only items that have been open for at least so long',
	},
	{
		displayName: 'Again After Hours',
		name: 'againAfterHours',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: ['escalate'] } },
		default: 24,
		description: 'An item that is still open then comes once more',
	},
	{
		displayName: 'Level',
		name: 'level',
		type: 'string',
		displayOptions: { show: { operation: ['escalate'] } },
		default: '',
		placeholder: 'manager',
		description: 'Who is told: an item comes once for each level, so two nodes with two levels tell two groups of people',
	},
	{
		displayName: 'Closed for Days',
		name: 'closedForDays',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: ['purge'] } },
		default: 90,
		description: 'Only items that have been closed for at least so long. A dead letter also remembers which version of its record was written, and forgets that as well.',
	},
];
