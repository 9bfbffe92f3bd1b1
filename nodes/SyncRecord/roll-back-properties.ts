import type { INodeProperties } from 'n8n-workflow';

import { policy, shownWhen } from '../shared/properties';

const ROLL_BACK = { operation: ['rollBack'] };

export const ROLL_BACK_WAYS = ['preview', 'apply'] as const;

export const rollBackProperties: INodeProperties[] = [
	shownWhen(policy, ROLL_BACK),
	{
		displayName: 'Do',
		name: 'rollBackDo',
		type: 'options',
		displayOptions: { show: ROLL_BACK },
		options: [
			{ name: 'Preview', value: 'preview', description: 'Say what would be given back and what is left alone; change nothing' },
			{ name: 'Roll Back', value: 'apply', description: 'Give it back: the records become due, and the workflow of the sync writes them' },
		],
		default: 'preview',
		description: 'Whether to look first or to do it',
	},
	{
		displayName: 'From',
		name: 'from',
		type: 'dateTime',
		required: true,
		displayOptions: { show: ROLL_BACK },
		default: '',
		description: 'Writes that were decided from this moment on, by the clock of the sync store',
	},
	{
		displayName: 'Until',
		name: 'until',
		type: 'dateTime',
		required: true,
		displayOptions: { show: ROLL_BACK },
		default: '',
		description: 'Writes that were decided before this moment. It must be past, so that what is rolled back is no part of the run.',
	},
	{
		displayName: 'Only What Fits',
		name: 'runFilter',
		type: 'collection',
		placeholder: 'Add Condition',
		displayOptions: { show: ROLL_BACK },
		default: {},
		description: 'Further conditions for the writes that make up the run',
		options: [
			{ displayName: 'Entity', name: 'entity', type: 'string', default: '', placeholder: 'customer', description: 'Records of this kind only' },
			{ displayName: 'Fields', name: 'fields', type: 'string', default: '', placeholder: 'status, discount', description: 'These fields only, separated by commas' },
			{ displayName: 'Policy Hash', name: 'policyHash', type: 'string', default: '', placeholder: 'sha256:…', description: 'Writes that were decided under this version of the policy only' },
			{ displayName: 'Written System', name: 'system', type: 'string', default: '', placeholder: 'billing', description: 'Writes to this system only' },
		],
	},
	{
		displayName: 'Records at Most',
		name: 'rollBackLimit',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: ROLL_BACK },
		default: 10000,
		description: 'Stop after so many records; the answer then says where to go on',
	},
	{
		displayName: 'After',
		name: 'rollBackAfter',
		type: 'string',
		displayOptions: { show: ROLL_BACK },
		default: '',
		placeholder: '={{ $json.next }}',
		description: 'Where an answer that was cut says to go on; empty to begin with the first record',
	},
	{
		displayName: 'By',
		name: 'by',
		type: 'string',
		required: true,
		displayOptions: { show: { ...ROLL_BACK, rollBackDo: ['apply'] } },
		default: '',
		placeholder: 'name@example.com',
		description: 'Who says so, for the journal',
	},
];
