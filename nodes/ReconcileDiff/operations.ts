import type { INodeProperties } from 'n8n-workflow';

export const OPERATIONS = ['compare', 'repair', 'compareLists', 'compareTables'] as const;
export type ReconcileOperation = (typeof OPERATIONS)[number];

/** By operation, the labels of the outputs. */
export const OUTPUTS: Readonly<Record<ReconcileOperation, readonly string[]>> = {
	compare: ['Different', 'Only in A', 'Only in B', 'Summary'],
	repair: ['To Echo Filter', 'Left Alone', 'Summary'],
	compareLists: ['Different', 'Only in A', 'Only in B', 'Summary'],
	compareTables: ['Different', 'Only in A', 'Only in B', 'Summary'],
};

/** Expressions, evaluated by the editor and by n8n. */
export const OUTPUTS_BY_OPERATION = `={{ ($parameter.operation === 'repair'
	? ['To Echo Filter', 'Left Alone', 'Summary']
	: ['Different', 'Only in A', 'Only in B', 'Summary']).map((displayName) => ({ type: 'main', displayName })) }}` as const;

export const INPUTS_BY_OPERATION = `={{ $parameter.operation === 'compareLists'
	? [{ type: 'main', displayName: 'A' }, { type: 'main', displayName: 'B' }]
	: ['main'] }}` as const;

export const operation: INodeProperties = {
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Compare Two Lists of Items',
			value: 'compareLists',
			action: 'Compare two lists of items',
			description: 'Pairs the items of two inputs by key and says what differs. Needs no policy and no store.',
		},
		{
			name: 'Compare Two Systems',
			value: 'compare',
			action: 'Compare two systems',
			description: 'Compares the tables of two systems with each other, and with what the sync knows of them. Changes nothing.',
		},
		{
			name: 'Compare Two Tables',
			value: 'compareTables',
			action: 'Compare two tables',
			description: 'Compares two Postgres tables by hashes that their servers compute. Needs no policy and no store.',
		},
		{
			name: 'Repair',
			value: 'repair',
			action: 'Repair what differs',
			description: 'Gives out what was found as changes for the Echo Filter, so that the rules of the policy decide about it',
		},
	],
	default: 'compare',
};
