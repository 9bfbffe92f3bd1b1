import type { INodeProperties } from 'n8n-workflow';

export const OPERATIONS = ['observe', 'observeApi', 'takeTicket', 'offerDue'] as const;
export type EchoOperation = (typeof OPERATIONS)[number];

/** By operation, the labels of the outputs. */
export const OUTPUTS: Readonly<Record<EchoOperation, readonly string[]>> = {
	observe: ['Foreign', 'Echo'],
	observeApi: ['Foreign', 'Echo', 'Read Again'],
	takeTicket: ['Read'],
	offerDue: ['Due'],
};

/** An expression, evaluated by the editor and by n8n. Without a sync store there is one operation only. */
export const OUTPUTS_BY_OPERATION =
	`={{ (($parameter.mode === 'marker' ? undefined : {
	observeApi: ['Foreign', 'Echo', 'Read Again'],
	takeTicket: ['Read'],
	offerDue: ['Due'],
}[$parameter.operation]) ?? ['Foreign', 'Echo']).map((displayName) => ({ type: 'main', displayName })) }}` as const;

export const operation: INodeProperties = {
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { mode: ['store'] } },
	options: [
		{
			name: 'Before Reading an API',
			value: 'takeTicket',
			action: 'Note what is known before a record is read',
			description: 'Notes what is known of a record before it is fetched from its API, so that an answer that has been overtaken is recognised',
		},
		{
			name: 'Observe Changes',
			value: 'observe',
			action: 'Observe changes',
			description: 'Of triggers of this pack',
		},
		{
			name: 'Observe Records of an API',
			value: 'observeApi',
			action: 'Observe records of an API',
			description: 'Webhooks that bring a record, and answers to requests that read one',
		},
		{
			name: 'Offer Due Records',
			value: 'offerDue',
			action: 'Offer due records',
			description: 'Behind a schedule, where no Postgres CDC Trigger of the policy runs: gives out the records that somebody has to look at',
		},
	],
	default: 'observe',
};
