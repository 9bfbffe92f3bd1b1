import type { INodeProperties } from 'n8n-workflow';

import { policy, shownWhen } from '../shared/properties';
import { readAgainProperties } from './read-again-properties';
import { rollBackProperties } from './roll-back-properties';
import { slotProperties } from './slot-properties';

const RECORD = ['explain', 'freeze', 'link', 'state', 'unfreeze', 'unlink'];
const CHANGES = ['freeze', 'link', 'unfreeze', 'unlink'];
const HOLDS = ['freeze', 'unfreeze'];

const operation: INodeProperties = {
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'Drop Unused Slots', value: 'dropSlots', action: 'Drop unused replication slots', description: "Drop replication slots that nobody reads any more, before they fill the server's disk. Says first which." },
		{ name: 'Explain', value: 'explain', action: 'Explain a record', description: 'What each system holds, what it should hold and why, and the history in sentences' },
		{ name: 'Freeze', value: 'freeze', action: 'Freeze fields of a record', description: 'Leave fields, or the whole record, alone until they are unfrozen; changes go on being observed' },
		{ name: 'Link', value: 'link', action: 'Link two records', description: 'Say that two records are one: their links become one, and where they differ the rules decide, or ask' },
		{ name: 'List Slots', value: 'listSlots', action: 'List replication slots', description: 'The replication slots of a server: whose each is, who reads from it, how much log it keeps on disk' },
		{ name: 'Read Rows Again', value: 'readAgain', action: 'Read rows again', description: 'Let the trigger of a system read its rows once more, all or from a key to a key, while it goes on with changes' },
		{ name: 'Read Rows Again (Without a Policy)', value: 'readTables', action: 'Read rows again without a policy', description: 'The same for a trigger without a sync store, by the name of its slot' },
		{ name: 'Roll Back a Run', value: 'rollBack', action: 'Roll back a run', description: 'Give back what stood there before a run of the sync, where nobody has changed it since. Says first what it would do.' },
		{ name: 'Show State', value: 'state', action: 'Show the state of a record', description: 'The link as the sync store holds it, for somebody who looks into the sync itself' },
		{ name: 'Unfreeze', value: 'unfreeze', action: 'Unfreeze fields of a record', description: 'Let the rules go on with what was frozen by hand' },
		{ name: 'Unlink', value: 'unlink', action: 'Unlink a record', description: "Say that one system's row is another record than the rest. Nothing is created before somebody has said so." },
	],
	default: 'explain',
};

/** Needed with a key alone: a link names the record whatever it is. */
const entity = (show: Record<string, string[]>): INodeProperties => ({
	displayName: 'Entity',
	name: 'entity',
	type: 'string',
	required: true,
	displayOptions: { show },
	default: '={{ $json.entity }}',
	placeholder: 'customer',
	description: 'What kind of record it is, as the policy names it',
});

/** Which record: the same fields twice, for the two that are linked. */
function recordFields(prefix: '' | 'other', operations: string[]): INodeProperties[] {
	const name = (plain: string): string => (prefix === '' ? plain : `other${plain[0]?.toUpperCase() ?? ''}${plain.slice(1)}`);
	const label = (plain: string): string => (prefix === '' ? plain : `Other ${plain}`);
	const given = (expression: string): string => (prefix === '' ? expression : '');
	const by = name('recordBy');
	const whenBy = (way: string): Pick<INodeProperties, 'displayOptions'> => ({ displayOptions: { show: { operation: operations, [by]: [way] } } });
	const system = { displayName: label('System'), name: name('system'), default: given('={{ $json.system }}'), placeholder: 'crm', description: 'The system of that row, as the policy names it' };
	const key = { displayName: label('Key'), name: name('key'), default: given('={{ JSON.stringify($json.key) }}'), placeholder: '42, or { "id": 42 }', description: 'The value of its key column, or an object where the key has several' };
	const link = { displayName: label('Link'), name: name('link'), default: given('={{ $json.link }}'), description: 'The ID of the link, as items, the journal and the console name it' };
	const options = [
		{ name: 'Key', value: 'key', description: 'The key of its row in one of the systems' },
		{ name: 'Link', value: 'link', description: 'The ID of the link' },
	];
	const text = { type: 'string', required: true } as const;
	// Of two records that are linked it is one entity; where the first is named by its link, the other may need it.
	const ofEntity = prefix === '' ? entity({ operation: operations, [by]: ['key'] }) : entity({ operation: operations, recordBy: ['link'], [by]: ['key'] });
	return [
		{ displayName: label('Record By'), name: by, type: 'options', displayOptions: { show: { operation: operations } }, options, default: 'key', description: 'Whether the record is named by the key of one of its rows, or by its link' },
		ofEntity,
		{ ...system, ...text, ...whenBy('key') },
		{ ...key, ...text, ...whenBy('key') },
		{ ...link, ...text, ...whenBy('link') },
	];
}

export const properties: INodeProperties[] = [
	operation,
	shownWhen(policy, { operation: RECORD }),
	...recordFields('', RECORD),
	...recordFields('other', ['link']),
	{
		displayName: 'Row To Take Out',
		name: 'part',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: ['unlink'] } },
		default: '',
		placeholder: 'billing',
		description: 'The system, as the policy names it, whose row does not belong to this record',
	},
	{
		displayName: 'Fields',
		name: 'fields',
		type: 'string',
		displayOptions: { show: { operation: HOLDS } },
		default: '',
		placeholder: 'email, phone',
		description: 'Fields of the policy, separated by commas; empty for the whole record, and whether it exists',
	},
	{
		displayName: 'By',
		name: 'by',
		type: 'string',
		required: true,
		displayOptions: { show: { operation: CHANGES } },
		default: '',
		placeholder: 'name@example.com',
		description: 'Who says so, for the journal',
	},
	{
		displayName: 'Reason',
		name: 'reason',
		type: 'string',
		displayOptions: { show: { operation: HOLDS } },
		default: '',
		placeholder: 'The customer is on the phone with us',
		description: 'One sentence for those who look at the record later',
	},
	{
		displayName: 'Field',
		name: 'field',
		type: 'string',
		displayOptions: { show: { operation: ['explain'] } },
		default: '',
		placeholder: 'email',
		description: 'Only the history of this field; empty for all',
	},
	{
		displayName: 'Lines',
		name: 'lines',
		type: 'number',
		typeOptions: { minValue: 1 },
		displayOptions: { show: { operation: ['explain'] } },
		default: 50,
		description: 'How many lines of the history are shown at most, the latest ones',
	},
	...rollBackProperties,
	...slotProperties,
	...readAgainProperties,
];
