import type { INodeProperties } from 'n8n-workflow';

const WITHOUT_STORE = { useStore: [false] };

const operations: INodeProperties = {
	displayName: 'Operations',
	name: 'operations',
	type: 'multiOptions',
	options: [
		{ name: 'Delete', value: 'delete' },
		{ name: 'Insert', value: 'insert' },
		{ name: 'Truncate', value: 'truncate' },
		{ name: 'Update', value: 'update' },
	],
	default: ['insert', 'update', 'delete', 'truncate'],
	description: 'Which changes start the workflow',
	displayOptions: { show: WITHOUT_STORE },
};

const ruleTable: INodeProperties = {
	displayName: 'Table',
	name: 'table',
	type: 'string',
	default: '',
	placeholder: 'public.customers',
	description: 'One of the names under Tables',
};

const tableRules: INodeProperties = {
	displayName: 'Table Rules',
	name: 'tableRules',
	type: 'fixedCollection',
	typeOptions: { multipleValues: true },
	default: {},
	placeholder: 'Add Rule',
	displayOptions: { show: WITHOUT_STORE },
	description: 'Which columns and rows of a table are wanted. A table without a rule comes whole.',
	options: [
		{
			displayName: 'Rule',
			name: 'rule',
			values: [
				ruleTable,
				{
					displayName: 'Columns',
					name: 'columns',
					type: 'string',
					default: '',
					placeholder: 'name, city',
					description: 'Columns that items have besides the key, separated by commas. Empty: all. The others do not leave the trigger, and where Postgres allows it not even the server.',
				},
				{
					displayName: 'Only Rows Where',
					name: 'where',
					type: 'string',
					default: '',
					placeholder: "country = 'CH' and amount > 100",
					description: 'A condition in SQL on one row, which the server checks (Postgres 15 or later). A row that comes to fulfil it arrives as an insert, one that no longer does as a delete. Empty: all rows.',
				},
			],
		},
	],
};

const masks: INodeProperties = {
	displayName: 'Masked Columns',
	name: 'masks',
	type: 'fixedCollection',
	typeOptions: { multipleValues: true },
	default: {},
	placeholder: 'Add Mask',
	displayOptions: { show: WITHOUT_STORE },
	description: 'Columns whose values must not be seen in n8n. They are masked before an item leaves the trigger, in old and new values alike.',
	options: [
		{
			displayName: 'Mask',
			name: 'mask',
			values: [
				ruleTable,
				{
					displayName: 'Columns',
					name: 'columns',
					type: 'string',
					default: '',
					placeholder: 'email, phone',
					description: 'Names of columns, separated by commas',
				},
				{
					displayName: 'Mask',
					name: 'mask',
					type: 'options',
					options: [
						{ name: 'Drop', value: 'drop', description: 'The column is left out' },
						{ name: 'Hash', value: 'hash', description: 'HMAC-SHA-256 with the key below: equal values stay equal. The one mask that a key column can have.' },
						{ name: 'Redact', value: 'redact', description: 'The same sign stands for every value' },
					],
					default: 'hash',
					description: 'What stands in place of a value. Null stays null.',
				},
			],
		},
	],
};

const maskKey: INodeProperties = {
	displayName: 'Key for Hashes',
	name: 'maskKey',
	type: 'string',
	typeOptions: { password: true },
	default: '',
	placeholder: 'Only needed for the mask Hash',
	description: 'A secret of at least 16 characters, needed where a column is hashed. With another key all hashes are others.',
	displayOptions: { show: WITHOUT_STORE },
};

/** The fields that say which changes of tables without a policy are wanted, and what of them. */
export const ruleProperties: INodeProperties[] = [operations, tableRules, masks, maskKey];
