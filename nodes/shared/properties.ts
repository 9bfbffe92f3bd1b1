import type { INodeProperties } from 'n8n-workflow';

/** Fields that two or more nodes show, so that they look and read the same everywhere. */

export const connectWith: INodeProperties = {
	displayName: 'Connect With',
	name: 'connectWith',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Postgres Replication',
			value: 'bisyncPostgresApi',
			description: "This pack's own credential, with the SSL modes of Postgres",
		},
		{
			name: 'Postgres (Built-In)',
			value: 'postgres',
			description: "The credential of n8n's own Postgres node",
		},
	],
	default: 'bisyncPostgresApi',
	description: 'Which kind of credential holds the address of the database',
};

export const policy: INodeProperties = {
	displayName: 'Policy',
	name: 'policy',
	type: 'string',
	required: true,
	default: 'crm-billing',
	placeholder: 'crm-billing',
	description:
		'Name of the policy that says which columns mean the same and who owns them. Publish it once with the Sync Policy node, with the same sync store.',
};

export const system: INodeProperties = {
	displayName: 'System',
	name: 'system',
	type: 'string',
	required: true,
	default: 'crm',
	placeholder: 'crm',
	description:
		'The name that the policy gives to the system behind this database, listed there under "systems"',
};

/** The same field, shown only when the given parameters have these values. */
export function shownWhen(
	property: INodeProperties,
	show: Record<string, string[]>,
): INodeProperties {
	return { ...property, displayOptions: { show } };
}
