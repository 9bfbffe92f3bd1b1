import type { INodeProperties } from 'n8n-workflow';

/** Which policy a sheet is of, or a rehearsal. */
export const SUBJECTS = ['published', 'document'] as const;
export const SHEET_FORMATS = ['markdown', 'html', 'csv', 'csvSemicolon'] as const;

export function subjectProperty(operations: string[]): INodeProperties {
	return {
		displayName: 'Version',
		name: 'subject',
		type: 'options',
		displayOptions: { show: { operation: operations } },
		options: [
			{ name: 'In Force', value: 'published', description: 'The version that the nodes carry out now' },
			{ name: 'Document Given Here', value: 'document', description: 'One that is not published yet' },
		],
		default: 'published',
		description: 'Which version of the policy to look at',
	};
}

export const signOffProperties: INodeProperties[] = [
	{
		displayName: 'Format',
		name: 'sheetFormat',
		type: 'options',
		displayOptions: { show: { operation: ['signOffSheet'] } },
		options: [
			{ name: 'CSV, Commas', value: 'csv', description: 'For a spreadsheet; can be edited and imported' },
			{
				name: 'CSV, Semicolons',
				value: 'csvSemicolon',
				description: 'The same for spreadsheets in languages that write decimals with a comma',
			},
			{ name: 'HTML', value: 'html', description: 'A page to print or to send' },
			{ name: 'Markdown', value: 'markdown', description: 'For a repository or a chat' },
		],
		default: 'markdown',
		description: 'How the sheet is returned, as the text "sheet" of one item',
	},
	{
		displayName: 'Sheet',
		name: 'sheet',
		type: 'string',
		typeOptions: { rows: 8 },
		required: true,
		displayOptions: { show: { operation: ['importSignOff'] } },
		default: '',
		placeholder: '={{ $json.data }}',
		description: 'The text of the edited CSV file, such as Extract From File (Extract From Text File) reads it',
	},
	{
		displayName: 'Hash',
		name: 'hash',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: ['sign'] } },
		default: '',
		placeholder: 'sha256:…',
		description: 'As it stands on the sheet that was signed. A version can be signed before it is published.',
	},
];
