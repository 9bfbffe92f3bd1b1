import type { INodeProperties } from 'n8n-workflow';

import { connectWith, policy, shownWhen, system } from '../shared/properties';
import { operation } from './operations';
import { thresholdOptions } from './threshold-properties';

const onCheck = { show: { operation: ['check'] } };

export const properties: INodeProperties[] = [
	operation,
	shownWhen(connectWith, { operation: ['measure'] }),
	policy,
	shownWhen(system, { operation: ['measure'] }),
	{
		displayName: 'Tell',
		name: 'tell',
		type: 'options',
		noDataExpression: true,
		displayOptions: onCheck,
		options: [
			{ name: 'Always', value: 'always', description: 'An item at each run, for a dashboard or a file' },
			{ name: 'When There Is News', value: 'news', description: 'An item when it gets worse, when it has been better for a while, and as a reminder' },
		],
		default: 'news',
		description: 'When an item is given out. What is behind the outputs may be a message to a person.',
	},
	{
		displayName: 'Every',
		name: 'grain',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { operation: ['history'] } },
		options: [
			{ name: 'Hour', value: 'hour', description: 'Kept for 90 days' },
			{ name: 'Minute', value: 'minute', description: 'Kept for 7 days' },
		],
		default: 'hour',
		description: 'How long a time one item is about',
	},
	{
		displayName: 'Hours Back',
		name: 'hours',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: ['history'] } },
		default: 24,
		description: 'How far back to begin',
	},
	{
		displayName: 'Thresholds',
		name: 'thresholds',
		type: 'collection',
		placeholder: 'Add Threshold',
		displayOptions: { show: { operation: ['check', 'prometheus'] } },
		default: {},
		description: 'From where on something is a warning, or critical. What you do not add has the default that the editor shows when you add it.',
		options: thresholdOptions,
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		displayOptions: { show: { operation: ['check', 'measure'] } },
		default: {},
		options: [
			{
				displayName: 'Better for (Minutes)',
				name: 'calmMinutes',
				type: 'number',
				typeOptions: { minValue: 0 },
				displayOptions: { show: { '/operation': ['check'] } },
				default: 5,
				description: 'How long it must have been better before that is told. Keeps a figure that goes back and forth from sending a message each time.',
			},
			{
				displayName: 'Remind Every (Hours)',
				name: 'remindHours',
				type: 'number',
				typeOptions: { minValue: 0 },
				displayOptions: { show: { '/operation': ['check'] } },
				default: 4,
				description: 'After how long the same trouble is told again. 0: never.',
			},
			{
				displayName: 'Wait for Heartbeat (Seconds)',
				name: 'waitSeconds',
				type: 'number',
				typeOptions: { minValue: 0 },
				displayOptions: { show: { '/operation': ['measure'] } },
				default: 10,
				description: 'How long to wait at most until the heartbeat has arrived. One that comes later is seen by the next run.',
			},
		],
	},
];
