import type { INodeProperties } from 'n8n-workflow';

import { connectWith, policy, shownWhen } from '../shared/properties';
import { WITH_DATABASE } from './operations';

const SLOTS = ['listSlots', 'dropSlots'];
const DROP = { operation: ['dropSlots'] };

export const slotProperties: INodeProperties[] = [
	shownWhen(connectWith, { operation: [...WITH_DATABASE] }),
	shownWhen(policy, { operation: SLOTS }),
	{
		displayName: 'Do',
		name: 'slotDo',
		type: 'options',
		displayOptions: { show: DROP },
		options: [
			{ name: 'Preview', value: 'preview', description: 'Say which slots would be dropped and why; change nothing' },
			{ name: 'Drop', value: 'drop', description: 'Drop them: the log that is kept for them is freed, and the changes in it are gone for whoever would have read them' },
		],
		default: 'preview',
		description: 'Whether to look first or to do it',
	},
	{
		displayName: 'Unused for (Hours)',
		name: 'slotHours',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: DROP },
		default: 168,
		description:
			"Slots of this policy from which nobody has read for so long, by the server's clock. Servers before Postgres 17 do not say since when: name the slot there.",
	},
	{
		displayName: 'Slots',
		name: 'slotNames',
		type: 'string',
		displayOptions: { show: DROP },
		default: '',
		placeholder: 'bisync_crm_billing_crm',
		description:
			'These slots only, separated by commas, however short they have been unused, and also those of triggers without a policy. Empty: the slots of this policy that have been unused for so long. One that is being read is never dropped.',
	},
];
