import type { INodeProperties } from 'n8n-workflow';

import { policy } from '../shared/properties';
import { operation } from './operations';

const bySystem = { operation: ['compare', 'repair'] };
const byLists = { operation: ['compareLists', 'compareTables'] };
const byTables = { operation: ['compareTables'] };
const withDatabases = { operation: [...bySystem.operation, ...byTables.operation] };

const systemField = (name: string, displayName: string, given: string): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	required: true,
	default: given,
	displayOptions: { show: bySystem },
	description: `The name that the policy gives to the ${name === 'systemA' ? 'first' : 'second'} system, listed there under "systems"`,
});

const tableField = (name: string, displayName: string): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	required: true,
	default: '',
	placeholder: 'sales.customers',
	displayOptions: { show: byTables },
	description: 'With its schema, unless that is "public"',
});

export const properties: INodeProperties[] = [
	operation,
	{ ...policy, displayOptions: { show: bySystem } },
	systemField('systemA', 'System A', 'crm'),
	{
		displayName: 'Connect System A With',
		name: 'connectWith',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: withDatabases },
		options: [
			{
				name: 'Postgres Replication',
				value: 'bisyncPostgresApi',
				description: "This pack's own credential; system B is reached with the credential of n8n's own Postgres node",
			},
			{
				name: 'Postgres (Built-In)',
				value: 'postgres',
				description: "The credential of n8n's own Postgres node; system B is reached with this pack's own",
			},
		],
		default: 'bisyncPostgresApi',
		description: 'A node can have one credential of each kind, so the two systems need one of each. Both must be allowed to replicate.',
	},
	tableField('tableA', 'Table A'),
	tableField('tableB', 'Table B'),
	systemField('systemB', 'System B', 'billing'),
	{
		displayName: 'Repair What',
		name: 'repairWhat',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { operation: ['repair'] } },
		options: [
			{
				name: 'All Differences Now',
				value: 'all',
				description: 'Compares first, and gives out all that is found. Nobody has looked at it before.',
			},
			{
				name: 'What the Items Name',
				value: 'approved',
				description: 'Items of an earlier comparison, which somebody has looked at. What is not as it was then is left alone.',
			},
		],
		default: 'approved',
	},
	{
		displayName: 'Key',
		name: 'key',
		type: 'string',
		required: true,
		default: 'id',
		placeholder: 'ref, number = account_no',
		displayOptions: { show: byLists },
		description: 'Properties that together identify a record, separated by commas. Where they have other names in B: "ID = external_id".',
	},
	{
		displayName: 'Fields',
		name: 'fields',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		default: {},
		placeholder: 'Add Field',
		displayOptions: { show: byLists },
		options: [
			{
				displayName: 'Field',
				name: 'field',
				values: [
					{ displayName: 'Name in A', name: 'a', type: 'string', default: '', description: 'The property that holds it in items of input A' },
					{ displayName: 'Name in B', name: 'b', type: 'string', default: '', description: 'Empty: the same as in A' },
					{
						displayName: 'Codec',
						name: 'codec',
						type: 'string',
						default: '',
						placeholder: 'trim',
						description: 'What makes values of both comparable, as in a policy: trim, email, date, decimal(2) and so on. Empty compares them as they are.',
					},
					{
						displayName: 'Owner',
						name: 'owner',
						type: 'options',
						options: [
							{ name: 'A', value: 'a' },
							{ name: 'B', value: 'b' },
							{ name: 'Nobody', value: '' },
						],
						default: '',
						description: 'Whose value counts; the other side is to be updated',
					},
				],
			},
		],
	},
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		displayOptions: { show: bySystem },
		options: [
			{
				displayName: 'Entities',
				name: 'entities',
				type: 'string',
				default: '',
				placeholder: 'customer, invoice',
				description: 'Kinds of records to compare, separated by commas. Empty: all that both systems have.',
			},
			{
				displayName: 'Include Known Differences',
				name: 'withKnown',
				type: 'boolean',
				default: false,
				description: 'Whether to list also what people have accepted, what waits for a review, and what the rules let differ',
			},
			{
				displayName: 'Wait for Streams',
				name: 'waitSeconds',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 60,
				description: 'How many seconds to wait at most until the triggers have come as far as the rows were read',
			},
		],
	},
];
