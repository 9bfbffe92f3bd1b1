import type { INodeProperties } from 'n8n-workflow';

/** Never and Only are refused with a policy: see `rowsOfPolicy`. */
export const existingRowsOfPolicy: INodeProperties = {
	displayName: 'Existing Rows',
	name: 'existingRows',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { useStore: [true], readBy: ['log'] } },
	options: [
		{ name: 'Initial', value: 'initial', description: 'All rows are read once, then what changes. Where changes may have been lost later, a person is asked before all rows are read anew.' },
		{
			name: 'When Needed',
			value: 'whenNeeded',
			description:
				'As Initial, and where changes may have been lost, all rows are read anew without asking, once an hour at most. A person is still asked where another server answers, or the database was put back to an older copy.',
		},
	],
	default: 'initial',
	description:
		'What is done about rows that are there already. They are read in any case: a record whose row has not been read would be made a second time. Nothing is written before you have approved the first contact.',
};

export const existingRowsAlone: INodeProperties = {
	displayName: 'Existing Rows',
	name: 'existingRows',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { useStore: [false], readBy: ['log'] } },
	options: [
		{ name: 'Initial', value: 'initial', description: 'All rows, then what changes, with nothing missing or double in between. Rows are items with op: r.' },
		{ name: 'Never', value: 'never', description: 'Only what changes from now on' },
		{ name: 'Only', value: 'only', description: 'All rows as they are at one instant, and no changes. Takes no replication slot; reads them again when the workflow is activated again.' },
		{ name: 'When Needed', value: 'whenNeeded', description: 'As Initial, and all rows again where changes may have been lost, instead of an error' },
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
