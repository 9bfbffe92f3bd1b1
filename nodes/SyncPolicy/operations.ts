import type { INodeProperties } from 'n8n-workflow';

export const OPERATIONS = [
	'publish',
	'lint',
	'show',
	'firstContactReport',
	'approveFirstContact',
	'setMode',
	'describeTables',
	'signOffSheet',
	'importSignOff',
	'sign',
	'whatIf',
	'rehearse',
] as const;

export const operation: INodeProperties = {
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Approve First Contact',
			value: 'approveFirstContact',
			action: 'Approve the first contact',
			description:
				'Turns a new policy on, or what is new in one that is on, after every system has been read; from then on it writes',
		},
		{
			name: 'Describe Tables',
			value: 'describeTables',
			action: 'Describe the tables of a system',
			description:
				'Reads from a database what Lint has to know about its tables; one node for each system, then Lint',
		},
		{
			name: 'First Contact Report',
			value: 'firstContactReport',
			action: 'Report on the first contact',
			description: 'What the systems have in common, and what turning the policy on would write',
		},
		{
			name: 'Import Sign-Off',
			value: 'importSignOff',
			action: 'Import an edited sign off sheet',
			description: 'Reads a sign-off sheet that somebody has edited in a spreadsheet, and gives out the changed policy. Publishes nothing.',
		},
		{
			name: 'Lint',
			value: 'lint',
			action: 'Lint a policy',
			description:
				'Checks a document without publishing it, also against the tables that Describe Tables found; needs no sync store',
		},
		{
			name: 'Publish',
			value: 'publish',
			action: 'Publish a policy',
			description: 'Puts a version of the document into force for all nodes that name the policy',
		},
		{
			name: 'Rehearse Conflicts',
			value: 'rehearse',
			action: 'Rehearse the conflicts of a policy',
			description:
				'What each field ends with when both systems change it, one empties or deletes, or a write comes too late; found by carrying the rules out. Touches no data.',
		},
		{
			name: 'Set Mode',
			value: 'setMode',
			action: 'Set the mode of a policy',
			description: 'Live, shadow (decides and writes nothing), or stopped',
		},
		{
			name: 'Show',
			value: 'show',
			action: 'Show a policy',
			description: 'The version in force, its mode, and how far each system has been read',
		},
		{
			name: 'Sign',
			value: 'sign',
			action: 'Sign a policy',
			description: 'Notes who has signed which version, by its hash',
		},
		{
			name: 'Sign-Off Sheet',
			value: 'signOffSheet',
			action: 'Make the sign off sheet of a policy',
			description: 'The policy as it is carried out, in a table with plain words and lines to sign on',
		},
		{
			name: 'What-If',
			value: 'whatIf',
			action: 'Ask what a changed policy would have decided',
			description: 'Replays the journal under a changed document and lists which past decisions would differ. Changes nothing.',
		},
	],
	default: 'publish',
};
