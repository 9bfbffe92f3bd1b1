import type { INodeProperties } from 'n8n-workflow';

export const OPERATIONS = ['check', 'measure', 'prometheus', 'history'] as const;
export type MonitorOperation = (typeof OPERATIONS)[number];

/** By operation, the labels of the outputs. */
export const OUTPUTS: Readonly<Record<MonitorOperation, readonly string[]>> = {
	check: ['Healthy', 'Warning', 'Critical'],
	measure: ['Measured'],
	prometheus: ['Metrics'],
	history: ['Samples'],
};

/** An expression, evaluated by the editor and by n8n. */
export const OUTPUTS_BY_OPERATION = `={{ (({
	check: ['Healthy', 'Warning', 'Critical'], measure: ['Measured'], prometheus: ['Metrics'], history: ['Samples']
})[$parameter.operation] || ['Healthy', 'Warning', 'Critical']).map((displayName) => ({ type: 'main', displayName })) }}` as const;

export const operation: INodeProperties = {
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Check Health',
			value: 'check',
			action: 'Check the health of a policy',
			description: 'Judges what was measured and what the sync store knows. By default, gives out an item only when there is news.',
		},
		{
			name: 'History',
			value: 'history',
			action: 'Get figures over time',
			description: 'The figures that earlier runs have kept, one item for each minute or hour, for a plot or a spreadsheet',
		},
		{
			name: 'Measure System',
			value: 'measure',
			action: 'Measure a system',
			description: 'Sends a heartbeat through the database of one system and looks at its replication slot. One node for each system.',
		},
		{
			name: 'Prometheus Text',
			value: 'prometheus',
			action: 'Get metrics for prometheus',
			description: 'The same as Check Health as text for Prometheus: put it behind a Webhook. Changes nothing.',
		},
	],
	default: 'check',
};
