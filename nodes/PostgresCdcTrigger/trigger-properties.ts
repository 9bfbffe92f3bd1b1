import type { INodeProperties } from 'n8n-workflow';

import { connectWith, policy, system } from '../shared/properties';
import { existingRowsAlone, existingRowsOfPolicy, tablesAtOnce } from './existing-rows-properties';
import { ruleProperties } from './rule-properties';

const WITH_STORE = { useStore: [true] };
const WITHOUT_STORE = { useStore: [false] };
const FROM_LOG = { readBy: ['log'] };

const useStore: INodeProperties = {
	displayName: 'Use Sync Store',
	name: 'useStore',
	type: 'boolean',
	noDataExpression: true,
	default: true,
	description:
		'Whether a sync store keeps count of what has been observed, as a two-way sync needs. Without one, changes of the tables you name are handed to any workflow, and again until an execution succeeds.',
};

const readBy: INodeProperties = {
	displayName: 'Read Changes By',
	name: 'readBy',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Write-Ahead Log (Recommended)',
			value: 'log',
			description: 'Every change, in order, as soon as it is committed. Needs wal_level = logical on the server.',
		},
		{
			name: 'Polling',
			value: 'polling',
			description: 'For servers without logical replication. Of a row that changes twice between two polls, only the last state is seen.',
		},
	],
	default: 'log',
	description: 'How changes are found',
};

const pollSeconds: INodeProperties = {
	displayName: 'Poll Interval (Seconds)',
	name: 'pollSeconds',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: 30,
	description:
		'How long to wait from the end of one poll to the next. Each reads through the tables, about a second for a million rows; no index is needed, and none would help.',
	displayOptions: { show: { readBy: ['polling'] } },
};

const deletesEvery: INodeProperties = {
	displayName: 'Look for Deleted Rows (Every so Many Polls)',
	name: 'deletesEvery',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: 1,
	description:
		'A row that is gone leaves no trace, so all keys are compared with those of before. That takes several seconds for a million rows. 1: in every poll. 0: never, so that deletes are not told, nor whether a row is new; not possible with a sync store. Without one the keys are kept in memory, about 100 bytes each, and deletes made while the workflow is inactive are not found.',
	displayOptions: { show: { readBy: ['polling'] } },
};

const tables: INodeProperties = {
	displayName: 'Tables',
	name: 'tables',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'public.customers, public.orders',
	description: 'Tables whose changes are wanted, separated by commas. Each needs a primary key.',
	displayOptions: { show: WITHOUT_STORE },
};

const publication: INodeProperties = {
	displayName: 'Publication',
	name: 'publication',
	type: 'string',
	required: true,
	default: 'n8n_changes',
	description: 'Name of the Postgres publication that lists the tables for the log. It is made if the role may do that.',
};

const slot: INodeProperties = {
	displayName: 'Replication Slot',
	name: 'slot',
	type: 'string',
	required: true,
	default: 'n8n_changes',
	description:
		'Name of the place in the log that the server keeps for this trigger; made when the workflow is first activated. One workflow at a time can read from a slot.',
};

const withChanges = { show: { ...WITHOUT_STORE, ...FROM_LOG }, hide: { existingRows: ['only'] } };

const storeOptions: INodeProperties[] = [
	{
		displayName: 'Publication Name',
		name: 'publicationName',
		type: 'string',
		default: '',
		placeholder: 'bisync_crm_billing',
		description: 'Name of the publication on the server. Empty: made from the name of the policy.',
	},
	{
		displayName: 'Slot Name',
		name: 'slotName',
		type: 'string',
		default: '',
		placeholder: 'bisync_crm_billing_crm',
		description:
			'Name of the replication slot on the server. Empty: made from the names of policy and system. Do not change it later: a new slot knows nothing of changes before it.',
	},
	{
		displayName: 'Sweep Interval (Seconds)',
		name: 'sweepSeconds',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 5,
		description:
			'How often to look for records that wait: after a failed write, an answered review, a new version of the policy',
	},
].map(
	(property) =>
		({ ...property, displayOptions: { show: { '/useStore': [true] } } }) as INodeProperties,
);

const options: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	options: [
		{
			displayName: 'Failover Slot',
			name: 'failover',
			type: 'boolean',
			default: true,
			displayOptions: { show: { '/readBy': ['log'] } },
			description:
				'Whether standby servers keep the replication slot too, so that no change is lost when one of them takes over. Takes Postgres 17 or later, and settings on the standby: see docs/trigger.md. Without this option a slot stays as it is.',
		},
		{
			displayName: 'Max Changes per Execution',
			name: 'maxChanges',
			type: 'number',
			typeOptions: { minValue: 1 },
			default: 1000,
			description:
				'How many changes an execution gets at most. Transactions stay whole, so a larger one is an execution of its own; one of more than 4 MiB comes in several.',
		},
		{
			displayName: 'Max Wait (Milliseconds)',
			name: 'maxWaitMs',
			type: 'number',
			typeOptions: { minValue: 0 },
			default: 100,
			description:
				'How long changes in quick succession are gathered for one execution; up to five times as long while they only trickle. The first change after a quiet second goes at once.',
		},
		...storeOptions,
		tablesAtOnce,
	],
};

/** The trigger's fields in the editor. */
export const triggerProperties: INodeProperties[] = [
	connectWith,
	useStore,
	{ ...policy, displayOptions: { show: WITH_STORE } },
	{ ...system, displayOptions: { show: WITH_STORE } },
	tables,
	readBy,
	pollSeconds,
	deletesEvery,
	existingRowsOfPolicy,
	existingRowsAlone,
	{ ...publication, displayOptions: withChanges },
	{ ...slot, displayOptions: withChanges },
	...ruleProperties,
	options,
];
