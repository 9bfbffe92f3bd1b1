import type { INodeProperties } from 'n8n-workflow';

import { checkOptions, recordProperty, replyOptions } from '../shared/reading-properties';

const OF_BEGIN = { step: ['begin'] };
const OF_CHECK = { step: ['check'] };
const OF_REPORT = { step: ['report'] };

/** Fields of the operations around a write to an API. */
export const apiProperties: INodeProperties[] = [
	{
		displayName:
			'An API that compares nothing (<b>api: blind</b> in the policy) may be changed by somebody else in the moment between reading and writing, and that change is then lost without anybody knowing. Only fields that other systems own are written to it, so what is lost would have been set back anyway. Without a condition (<b>verified</b>, too), a write whose answer was lost is made once more, with the same values, if the API does not show it yet when the record is read.',
		name: 'blindNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: OF_BEGIN },
	},
	{
		displayName: 'Lease (Seconds)',
		name: 'leaseSeconds',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 120,
		displayOptions: { show: OF_BEGIN },
		description: 'How long the request may take, reading and waiting included. If its outcome has not been reported by then, the write is given out again.',
	},
	{
		displayName: 'At Most (Requests)',
		name: 'rateCapacity',
		type: 'number',
		typeOptions: { minValue: 0 },
		default: 0,
		displayOptions: { show: OF_BEGIN },
		description: 'How many requests may be sent at once, by all executions together. What is beyond leaves by Not Now and is offered again. 0: as many as there are.',
	},
	{
		displayName: 'Per (Seconds)',
		name: 'rateSeconds',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 10,
		displayOptions: { show: OF_BEGIN },
		description: 'The time in which that many may be sent again; they come back one after the other',
	},
	{
		displayName: 'Begun Request',
		name: 'begun',
		type: 'string',
		required: true,
		default: '',
		placeholder: "={{ $('Send').item.json.bisync.begin }}",
		displayOptions: { show: { step: ['check', 'report'] } },
		description: 'The bisync.begin of the item that the request was made with. Put a node that does nothing (No Operation) before the request, and name it here.',
	},
	{
		displayName: 'Record Found',
		name: 'found',
		type: 'boolean',
		default: true,
		displayOptions: { show: OF_CHECK },
		description: 'Whether the API has such a record, as an expression: {{ $JSON.statusCode === 200 }}',
	},
	recordProperty(OF_CHECK),
	checkOptions(OF_CHECK),
	{
		displayName: 'Status Code',
		name: 'statusCode',
		type: 'string',
		default: '={{ $json.statusCode }}',
		displayOptions: { show: OF_REPORT },
		description: 'Of the answer; empty where none came. The HTTP Request node gives it with "Include Response Headers and Status" and "Never Error".',
	},
	{
		displayName: 'Headers',
		name: 'headers',
		type: 'string',
		default: '={{ $json.headers }}',
		displayOptions: { show: OF_REPORT },
		description: 'Of the answer: ETag and Retry-After are read',
	},
	{
		displayName: 'Error',
		name: 'error',
		type: 'string',
		default: '={{ $json.error }}',
		displayOptions: { show: OF_REPORT },
		description: 'What the node that sent the write says where no answer came (On Error: Continue)',
	},
	{
		displayName: 'Returned Record',
		name: 'returned',
		type: 'string',
		default: '',
		placeholder: '={{ $json.body }}',
		displayOptions: { show: OF_REPORT },
		description: 'The record as the answer shows it after the write, with its key. Needed for new records; without it, others count as they were written.',
	},
	replyOptions(OF_REPORT),
];
