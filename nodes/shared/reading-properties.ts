import type { INodeProperties } from 'n8n-workflow';

/** Fields by which a node is told what an API has said of a record. */

type Show = Record<string, string[]>;

export const entityProperty = (show: Show): INodeProperties => ({
	displayName: 'Entity',
	name: 'entity',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'customer',
	displayOptions: { show },
	description: 'The kind of record, by the name that it has in the policy under "entities"',
});

export const recordProperty = (show: Show): INodeProperties => ({
	displayName: 'Record',
	name: 'record',
	type: 'string',
	required: true,
	default: '={{ $json }}',
	displayOptions: { show },
	description:
		'The object that the API sent, whole or in part. A property that is missing was not sent and stays as it is; null empties the field. Nested properties are named with dots in the policy.',
});

const version: INodeProperties = {
	displayName: 'Version',
	name: 'version',
	type: 'string',
	default: '',
	placeholder: '={{ $json.updated_at }}',
	description:
		'What the API counts up or sets with each change of the record: a whole number or a time in ISO 8601 form. Late, doubled and reordered webhooks are recognised by it.',
};

const etag: INodeProperties = {
	displayName: 'ETag',
	name: 'etag',
	type: 'string',
	default: '',
	placeholder: '={{ $json.headers.etag }}',
	description: 'What a write names as its condition (If-Match). Only from an answer that has the whole record.',
};

const complete: INodeProperties = {
	displayName: 'Record Is Complete',
	name: 'complete',
	type: 'boolean',
	default: false,
	description: 'Whether properties that are missing are null. Turn it on for answers of an API that leaves empty properties out, never for webhooks that bring only what changed.',
};

const earlier: INodeProperties = {
	displayName: 'Earlier States',
	name: 'earlier',
	type: 'string',
	default: '',
	description: 'A list of objects, oldest first: what the history of the API says that stood there before, at least since the record was read last. What a write has replaced unseen is found by it.',
};

const ticket: INodeProperties = {
	displayName: 'Ticket',
	name: 'ticket',
	type: 'string',
	default: '',
	placeholder: "={{ $('Before Reading').item.json.bisync.echoFilter.ticket }}",
	description: 'What Echo Filter noted before the record was read (Before Reading, Read Again). A reading that has been overtaken is recognised by it.',
};

const others: INodeProperties[] = [
	{
		displayName: 'Event ID',
		name: 'eventId',
		type: 'string',
		default: '',
		description: 'The ID that the provider gives to the event; becomes the changeId of the item',
	},
	{
		displayName: 'Occurred At',
		name: 'occurredAt',
		type: 'string',
		default: '',
		description: 'When the change was made, by the clock of the API, as a time or as milliseconds since 1970. Used by the rule "latest" alone.',
	},
	{
		displayName: 'Our Mark',
		name: 'mark',
		type: 'string',
		default: '',
		placeholder: '={{ $json.metadata.bisync }}',
		description: 'The idempotency key that the record itself carries, if you store it there with each new record. A record that we made is known by it, also when no match key says so.',
	},
];

/** Sorted by label, as the editor's rules ask. */
function collection(show: Show, options: INodeProperties[]): INodeProperties {
	return {
		displayName: 'What Is Known of the Reading',
		name: 'readingOptions',
		type: 'collection',
		placeholder: 'Add',
		default: {},
		displayOptions: { show },
		options: [...options].sort((a, b) => (a.displayName < b.displayName ? -1 : 1)),
	};
}

/** Of a record that came by itself, or was asked for. */
export const readingOptions = (show: Show): INodeProperties => collection(show, [version, etag, complete, earlier, ticket, ...others]);

/** Of a record that an operation asked for. */
export const checkOptions = (show: Show): INodeProperties => collection(show, [version, etag, complete, earlier]);

/** Of the answer to a write. */
export const replyOptions = (show: Show): INodeProperties =>
	collection(show, [
		version,
		etag,
		{
			displayName: 'Not Found Means Deleted',
			name: 'notFoundMeansDeleted',
			type: 'boolean',
			default: false,
			description: 'Whether the status 404 or 410 says that the record was deleted, and not that it is out of sight (moved, archived, of another account)',
		},
	]);
