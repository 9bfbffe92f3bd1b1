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
			{ name: 'Preview', value: 'preview', description: 'Says which slots would be dropped and why. Changes nothing.' },
			{ name: 'Drop', value: 'drop', description: 'Drops them: the log that they keep on disk is freed, with the changes in it that nobody has read' },
		],
		default: 'preview',
		description: 'Whether to look first or to do it',
	},
	{
		displayName: 'The changes that wait in a dropped slot are lost to its trigger: it finds that at its next start, and all rows may have to be read anew.',
		name: 'slotNotice',
		type: 'notice',
		displayOptions: { show: { ...DROP, slotDo: ['drop'] } },
		default: '',
	},
	{
		displayName: 'Unused for (Hours)',
		name: 'slotHours',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: DROP },
		default: 168,
		description:
			"How long nobody must have read from a slot of this policy before it is dropped, by the server's clock. Servers before Postgres 17 do not say since when: name the slot under Slots there.",
	},
	{
		displayName: 'Slots',
		name: 'slotNames',
		type: 'string',
		displayOptions: { show: DROP },
		default: '',
		placeholder: 'bisync_crm_billing_crm',
		description:
			'Only these, separated by commas, whoever they belong to and however short they have been unused. Empty: all of this policy that have been unused for the hours above. A slot that is being read is never dropped.',
	},
];
