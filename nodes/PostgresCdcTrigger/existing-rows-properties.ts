import type { INodeProperties } from 'n8n-workflow';

/** Never and Only are refused with a policy: see `rowsOfPolicy`. */
export const existingRowsOfPolicy: INodeProperties = {
	displayName: 'Existing Rows',
	name: 'existingRows',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { useStore: [true], readBy: ['log'] } },
	options: [
		{ name: 'Initial', value: 'initial', description: 'All rows once, then what changes. If changes are lost later, a person is asked before all rows are read anew.' },
		{
			name: 'When Needed',
			value: 'whenNeeded',
			description: 'As Initial, but if changes are lost later, all rows are read anew without asking, once an hour at most',
		},
	],
	default: 'initial',
	description:
		'What is done about rows that are there already. They are read in any case: a record whose row has not been read would be made a second time. Nothing is written before you have approved the first contact. Where another server answers, or the database was put back to an older copy, a person is always asked.',
};

export const existingRowsAlone: INodeProperties = {
	displayName: 'Existing Rows',
	name: 'existingRows',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { useStore: [false], readBy: ['log'] } },
	options: [
		{ name: 'Initial', value: 'initial', description: 'All rows (as items with op: r), then what changes, with nothing missing or double in between' },
		{ name: 'Never', value: 'never', description: 'Only what changes from now on' },
		{ name: 'Only', value: 'only', description: 'All rows as they are at one instant, no changes, no replication slot. Once more at each activation.' },
		{ name: 'When Needed', value: 'whenNeeded', description: 'As Initial, and all rows again, instead of an error, where changes may have been lost' },
	],
	default: 'never',
	description:
		'Whether rows that are there already are read. How far that has come is kept with the workflow: after a restart of n8n it goes on, and the rows of the last executions may come once more.',
};

export const tablesAtOnce: INodeProperties = {
	displayName: 'Tables Read at Once',
	name: 'tablesAtOnce',
	type: 'number',
	typeOptions: { minValue: 1, maxValue: 4 },
	default: 2,
	displayOptions: { show: { '/readBy': ['log'] } },
	description:
		'How many tables are read side by side where existing rows are read, each by a connection of its own, at the same instant. With a policy, tables whose records others name come first.',
};
