import type { INodeProperties } from 'n8n-workflow';

export const STEPS = ['write', 'begin', 'check', 'report'] as const;
export type WriteStep = (typeof STEPS)[number];

/** By operation, the labels of the outputs. */
export const OUTPUTS: Readonly<Record<WriteStep, readonly string[]>> = {
	write: ['Applied', 'Stale', 'Failed'],
	begin: ['Go', 'Read First', 'Not Now'],
	check: ['Go', 'Not Now'],
	report: ['Applied', 'Read Again', 'Failed'],
};

/** An expression, evaluated by the editor and by n8n. */
export const OUTPUTS_BY_STEP =
	`={{ ({
	begin: ['Go', 'Read First', 'Not Now'],
	check: ['Go', 'Not Now'],
	report: ['Applied', 'Read Again', 'Failed'],
}[$parameter.step] ?? ['Applied', 'Stale', 'Failed']).map((displayName) => ({ type: 'main', displayName })) }}` as const;

/**
 * Not called `operation`: the editor takes a field of that name out of the panel where a choice of credentials
 * depends on it.
 */
export const step: INodeProperties = {
	displayName: 'Operation',
	name: 'step',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Write to Postgres',
			value: 'write',
			description: 'Each write is made by this node, compared with what was expected',
		},
		{
			name: 'Begin a Write to an API',
			value: 'begin',
			description: 'Before the node that sends the write: gives out what to send and on which condition, to one execution alone',
		},
		{
			name: 'Continue After Reading',
			value: 'check',
			description: 'After the node that reads the record, where Begin or Report Outcome asked for it: goes on if the record is what the write expects',
		},
		{
			name: 'Report the Outcome of a Write to an API',
			value: 'report',
			description: 'After the node that has sent the write: says what its answer means for the record',
		},
	],
	default: 'write',
};
