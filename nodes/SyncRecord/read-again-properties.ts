import type { INodeProperties } from 'n8n-workflow';

import { policy, shownWhen, system } from '../shared/properties';

const OF_POLICY = ['readAgain'];
const OF_SLOT = ['readTables'];

export const readAgainProperties: INodeProperties[] = [
	shownWhen(policy, { operation: OF_POLICY }),
	shownWhen(system, { operation: OF_POLICY }),
	{
		displayName: 'Entities',
		name: 'entities',
		type: 'string',
		displayOptions: { show: { operation: OF_POLICY } },
		default: '',
		placeholder: 'customer, order',
		description: 'Kinds of records whose rows are read, separated by commas, as the policy names them; empty for all of the system',
	},
	{
		displayName: 'Replication Slot',
		name: 'slot',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: OF_SLOT } },
		default: 'n8n_changes',
		description: 'The slot that the trigger reads from, as its settings name it',
	},
	{
		displayName: 'Tables',
		name: 'tables',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: OF_SLOT } },
		default: '',
		placeholder: 'public.customers, public.orders',
		description: 'Tables of that trigger, separated by commas',
	},
	{
		displayName: 'Key Range',
		name: 'range',
		type: 'collection',
		placeholder: 'Add Bound',
		displayOptions: { show: { operation: [...OF_POLICY, ...OF_SLOT] } },
		default: {},
		description: 'Only the rows of one table from a key to a key, both included. Without it all rows are read, and with a policy those that are gone are found as well.',
		options: [
			{ displayName: 'From Key', name: 'from', type: 'string', default: '', placeholder: '1000', description: 'The first key; where the key has several columns, their values separated by commas' },
			{ displayName: 'To Key', name: 'to', type: 'string', default: '', placeholder: '1999', description: 'The last key; where the key has several columns, their values separated by commas' },
		],
	},
];
