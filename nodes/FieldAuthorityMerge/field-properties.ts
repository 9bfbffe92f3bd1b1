import type { INodeProperties } from 'n8n-workflow';

const show = { mode: ['fields'] };

const ruleOptions: INodeProperties['options'] = [
	{
		name: 'Owner',
		value: 'owner',
		description: "The system's value stands, even when only the other one changed",
	},
	{
		name: 'Prefer',
		value: 'prefer',
		description: 'The system wins when both changed the field',
	},
	{ name: 'Review', value: 'review', description: 'A person decides when both changed the field' },
];

const version = (name: string, displayName: string, description: string): INodeProperties => ({
	displayName,
	name,
	type: 'json',
	displayOptions: { show },
	default: `={{ $json.${name} }}`,
	description,
});

/** Fields of the mode that merges versions which the items bring along. */
export const fieldProperties: INodeProperties[] = [
	version('base', 'Base', 'What both systems held when they last agreed; {} when they never did'),
	version(
		'a',
		'Version A',
		'What the first system holds now. A field that is missing says nothing; null is a value.',
	),
	version('b', 'Version B', 'What the second system holds now'),
	{
		displayName: 'Rules',
		name: 'rules',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		displayOptions: { show },
		placeholder: 'Add Rule',
		default: {},
		options: [
			{
				displayName: 'Rule',
				name: 'rule',
				values: [
					{ displayName: 'Field', name: 'field', type: 'string', default: '' },
					{
						displayName: 'Rule',
						name: 'rule',
						type: 'options',
						options: ruleOptions,
						default: 'prefer',
					},
					{
						displayName: 'System',
						name: 'system',
						type: 'string',
						displayOptions: { show: { rule: ['owner', 'prefer'] } },
						default: '',
						description: 'One of the names under Systems',
					},
				],
			},
		],
		description:
			'What decides a field. Fields without a rule: the side that changed wins, and a person decides when both did.',
	},
];
