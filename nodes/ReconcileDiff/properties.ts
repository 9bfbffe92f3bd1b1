import type { INodeProperties } from 'n8n-workflow';

import { policy } from '../shared/properties';
import { operation } from './operations';

const bySystem = { operation: ['compare', 'repair'] };
const byLists = { operation: ['compareLists', 'compareTables'] };
const byTables = { operation: ['compareTables'] };

const systemField = (name: string, displayName: string, given: string): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	required: true,
	default: given,
	displayOptions: { show: bySystem },
	description: `The name that the policy gives to the ${name === 'systemA' ? 'first' : 'second'} system, listed there under "systems"`,
});

/** Which of the two credentials leads to A; the other one leads to B. */
const connectA = (what: 'System' | 'Table', show: Record<string, string[]>, description: string): INodeProperties => ({
	displayName: `Connect ${what} A With`,
	name: 'connectWith',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show },
	options: [
		{
			name: 'Postgres Replication',
			value: 'bisyncPostgresApi',
			description: `This pack's own credential; ${what.toLowerCase()} B is reached with the credential of n8n's own Postgres node`,
		},
		{
			name: 'Postgres (Built-In)',
			value: 'postgres',
			description: `The credential of n8n's own Postgres node; ${what.toLowerCase()} B is reached with this pack's own`,
		},
	],
	default: 'bisyncPostgresApi',
	description,
});

const tableField = (name: string, displayName: string, placeholder: string): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	required: true,
	default: '',
	placeholder,
	displayOptions: { show: byTables },
	description: 'Name of the table, with its schema unless that is "public"',
});

const onlyChanged = (description: string): INodeProperties => ({ displayName: 'Look Only at What Has Changed', name: 'onlyChanged', type: 'boolean', default: false, description });

export const properties: INodeProperties[] = [
	operation,
	{ ...policy, displayOptions: { show: bySystem } },
	systemField('systemA', 'System A', 'crm'),
	connectA('System', bySystem, 'A node can have one credential of each kind, so the two systems need one of each. Both must be allowed to replicate.'),
	tableField('tableA', 'Table A', 'sales.customers'),
	connectA('Table', byTables, 'A node can have one credential of each kind, so the databases of the two tables need one of each, even if it is one database'),
	tableField('tableB', 'Table B', 'billing.accounts'),
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
		description: 'Whether only that is mended which somebody has looked at, or all that is found now',
	},
	{
		displayName: 'Key',
		name: 'key',
		type: 'string',
		required: true,
		default: 'id',
		placeholder: 'ref, number = account_no',
		displayOptions: { show: byLists },
		description: 'Columns of the tables, or properties of the items, that together identify a record, separated by commas. Where they have other names in B: "ID = external_id".',
	},
	{
		displayName: 'Fields',
		name: 'fields',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		default: {},
		placeholder: 'Add Field',
		displayOptions: { show: byLists },
		description: 'What to compare. Without any: all properties of the items, or all columns that both tables have by the same name, as they are.',
		options: [
			{
				displayName: 'Field',
				name: 'field',
				values: [
					{ displayName: 'Name in A', name: 'a', type: 'string', default: '', placeholder: 'name', description: 'The column of table A, or the property of the items of input A' },
					{ displayName: 'Name in B', name: 'b', type: 'string', default: '', placeholder: 'Same as in A', description: 'The same of B. Empty: it has the name that it has in A.' },
					{
						displayName: 'Codec',
						name: 'codec',
						type: 'string',
						default: '',
						placeholder: 'trim',
						description: 'How values of both are made comparable before: trim, email, date, decimal(2) and the others of docs/codecs.md. Empty compares them as they are.',
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
						description: 'Whose value counts: the items say that the other side is to be updated',
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
				description: 'Kinds of records to compare, separated by commas, as the policy names them. Empty: all that both systems have.',
			},
			{
				displayName: 'Include Known Differences',
				name: 'withKnown',
				type: 'boolean',
				default: false,
				description: 'Whether to list also what people have accepted, what waits for a review, and what the rules let differ',
			},
			onlyChanged('Whether to compare only what has been written since the last run that had this on, and what differed then. The first run, and one a week, compares everything. Needs a sync store in Postgres.'),
			{
				displayName: 'Wait for Streams (Seconds)',
				name: 'waitSeconds',
				type: 'number',
				typeOptions: { minValue: 1 },
				default: 60,
				description: 'How long to wait at most until the triggers have come as far as the rows were read',
			},
		],
	},
	{
		displayName: 'Options',
		name: 'tableOptions',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		displayOptions: { show: byTables },
		options: [onlyChanged('Whether to compare only what has been written since the last run that had this on, and what differed then. The first run, and one a week, compares everything. Only runs of a published workflow leave something for the next one.')],
	},
];
