import type { INodeProperties } from 'n8n-workflow';

import { connectWith, policy, system } from '../shared/properties';

const WITH_STORE = { useStore: [true] };
const WITHOUT_STORE = { useStore: [false] };

const useStore: INodeProperties = {
	displayName: 'Use Sync Store',
	name: 'useStore',
	type: 'boolean',
	noDataExpression: true,
	default: true,
	description:
		'Whether a sync store keeps count of what has been observed, as a two-way sync needs. Without one, changes of the tables you name are handed to any workflow, and again until an execution succeeds.',
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
	description: 'Name of the publication on the server. It is made if the role may do that.',
	displayOptions: { show: WITHOUT_STORE },
};

const slot: INodeProperties = {
	displayName: 'Replication Slot',
	name: 'slot',
	type: 'string',
	required: true,
	default: 'n8n_changes',
	description:
		'Name of the slot on the server, made when the workflow is first activated. One workflow at a time can read from a slot.',
	displayOptions: { show: WITHOUT_STORE },
};

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
		displayName: 'Read Existing Rows',
		name: 'firstContact',
		type: 'boolean',
		default: true,
		description:
			'Whether the rows that are there already are read before their changes. Nothing is written before you have approved the first contact.',
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
	placeholder: 'Add option',
	default: {},
	options: [
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
	],
};

/** The trigger's fields in the editor. */
export const triggerProperties: INodeProperties[] = [
	connectWith,
	useStore,
	{ ...policy, displayOptions: { show: WITH_STORE } },
	{ ...system, displayOptions: { show: WITH_STORE } },
	tables,
	publication,
	slot,
	options,
];
