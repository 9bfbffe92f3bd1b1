import type { INodeProperties } from 'n8n-workflow';

import { policy, shownWhen } from '../shared/properties';

const ROLL_BACK = { operation: ['rollBack'] };

export const ROLL_BACK_WAYS = ['preview', 'apply'] as const;
export const RUNS = ['time', 'execution'] as const;
export const CREATED_RECORDS = ['leave', 'delete'] as const;

const APPLY = { ...ROLL_BACK, rollBackDo: ['apply'] };
const BY_TIME = { ...ROLL_BACK, rollBackRun: ['time'] };

export const rollBackProperties: INodeProperties[] = [
	shownWhen(policy, ROLL_BACK),
	{
		displayName: 'Do',
		name: 'rollBackDo',
		type: 'options',
		displayOptions: { show: ROLL_BACK },
		options: [
			{ name: 'Preview', value: 'preview', description: 'Says what would be given back and what is left alone. Changes nothing.' },
			{ name: 'Roll Back', value: 'apply', description: 'Gives it back: the records become due, and the workflow of the sync writes them' },
		],
		default: 'preview',
		description: 'Whether to look first or to do it',
	},
	{
		displayName: 'This changes records in the systems. Run it as a preview first, with the same settings.',
		name: 'rollBackNotice',
		type: 'notice',
		displayOptions: { show: APPLY },
		default: '',
	},
	{
		displayName: 'By',
		name: 'by',
		type: 'string',
		required: true,
		displayOptions: { show: APPLY },
		default: '',
		placeholder: 'name@example.com',
		description: 'Who says so, for the journal',
	},
	{
		displayName: 'The Run',
		name: 'rollBackRun',
		type: 'options',
		displayOptions: { show: ROLL_BACK },
		options: [
			{ name: 'A Time', value: 'time', description: 'Everything that the sync decided between two moments' },
			{ name: 'An Execution', value: 'execution', description: 'What one execution of the sync’s workflow decided, by the number that n8n shows for it' },
		],
		default: 'time',
		description: 'How you say which writes of the sync are taken back',
	},
	{
		displayName: 'Execution ID',
		name: 'rollBackExecution',
		type: 'string',
		required: true,
		displayOptions: { show: { ...ROLL_BACK, rollBackRun: ['execution'] } },
		default: '',
		placeholder: '4711',
		description: 'As in n8n’s list of executions and in the address of an execution. Only of executions in which Field Authority Merge ran.',
	},
	{
		displayName: 'From',
		name: 'from',
		type: 'dateTime',
		required: true,
		displayOptions: { show: BY_TIME },
		default: '',
		description: 'Writes that were decided from this moment on, by the clock of the sync store',
	},
	{
		displayName: 'Until',
		name: 'until',
		type: 'dateTime',
		required: true,
		displayOptions: { show: BY_TIME },
		default: '',
		description: 'Writes that were decided before this moment. It must be past, so that what is rolled back is no part of the run.',
	},
	{
		displayName: 'Filters',
		name: 'runFilter',
		type: 'collection',
		placeholder: 'Add Filter',
		displayOptions: { show: ROLL_BACK },
		default: {},
		description: 'Take back a part of the run only: what fits all of these',
		options: [
			{ displayName: 'Entity', name: 'entity', type: 'string', default: '', placeholder: 'customer', description: 'Records of this kind only' },
			{ displayName: 'Fields', name: 'fields', type: 'string', default: '', placeholder: 'status, discount', description: 'These fields only, separated by commas' },
			{ displayName: 'Policy Hash', name: 'policyHash', type: 'string', default: '', placeholder: 'sha256:…', description: 'Writes that were decided under this version of the policy only' },
			{ displayName: 'Written System', name: 'system', type: 'string', default: '', placeholder: 'billing', description: 'Writes to this system only' },
		],
	},
	{
		displayName: 'Records That the Run Created',
		name: 'rollBackCreated',
		type: 'options',
		displayOptions: { show: ROLL_BACK },
		options: [
			{ name: 'Leave and List', value: 'leave', description: 'They stay, and the answer lists them' },
			{ name: 'Delete Everywhere', value: 'delete', description: 'They go, in all systems, the one they came from included, where nobody has changed them since' },
		],
		default: 'leave',
		description: 'What becomes of records that are there only because of the run, such as those of a bad import',
	},
	{
		displayName: 'These records are deleted in <b>all</b> systems, also in the one they came from, unless somebody has changed them since.',
		name: 'rollBackCreatedNotice',
		type: 'notice',
		displayOptions: { show: { ...ROLL_BACK, rollBackCreated: ['delete'] } },
		default: '',
	},
	{
		displayName: 'Records at Most',
		name: 'rollBackLimit',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: ROLL_BACK },
		default: 10000,
		description: 'Stops after so many records. The answer then says isCut, and where to go on.',
	},
	{
		displayName: 'After',
		name: 'rollBackAfter',
		type: 'string',
		displayOptions: { show: ROLL_BACK },
		default: '',
		placeholder: '{{ $json.next }}',
		description: 'To go on where an answer was cut (isCut): its value "next". Empty to begin with the first record.',
	},
];
