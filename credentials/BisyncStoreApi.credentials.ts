import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

const POSTGRES = { show: { backend: ['postgres'] } };
const REDIS = { show: { backend: ['redis'] } };

/** Where links, claims, review items and the journal of a sync are kept. All nodes of a sync share it. */
export class BisyncStoreApi implements ICredentialType {
	name = 'bisyncStoreApi';

	displayName = 'Sync Store API';

	icon: Icon = { light: 'file:bisyncStore.svg', dark: 'file:bisyncStore.dark.svg' };

	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-bisync';

	properties: INodeProperties[] = [
		{
			displayName:
				'The sync store remembers what each system was last seen to hold. Give every node of a sync the same one. It may be a schema in any Postgres database, or a Redis that keeps its data on disk and never evicts; who can read it can read the synced values.',
			name: 'notice',
			type: 'notice',
			default: '',
		},
		{
			displayName: 'Backend',
			name: 'backend',
			type: 'options',
			options: [
				{ name: 'Postgres', value: 'postgres', description: 'Version 14 or newer: the choice where in doubt' },
				{ name: 'Redis', value: 'redis', description: 'Version 7 or newer, with appendonly yes and maxmemory-policy noeviction' },
			],
			default: 'postgres',
			description: 'The kind of database that keeps the sync store',
		},
		{ displayName: 'Host', name: 'host', type: 'string', required: true, default: 'localhost' },
		{ displayName: 'Port', name: 'port', type: 'number', required: true, displayOptions: POSTGRES, default: 5432 },
		{ displayName: 'Port', name: 'redisPort', type: 'number', required: true, displayOptions: REDIS, default: 6379 },
		{
			displayName: 'Database',
			name: 'database',
			type: 'string',
			required: true,
			displayOptions: POSTGRES,
			default: 'postgres',
		},
		{
			displayName: 'Database Number',
			name: 'redisDatabase',
			type: 'number',
			typeOptions: { minValue: 0 },
			displayOptions: REDIS,
			default: 0,
			description: 'Which of the databases of the server to use. A cluster has only number 0.',
		},
		{ displayName: 'User', name: 'user', type: 'string', required: true, displayOptions: POSTGRES, default: 'postgres' },
		{
			displayName: 'User',
			name: 'redisUser',
			type: 'string',
			displayOptions: REDIS,
			default: '',
			description: 'Leave empty for the default user',
		},
		{
			displayName: 'Password',
			name: 'password',
			type: 'string',
			typeOptions: { password: true },
			default: '',
		},
		{
			displayName: 'Schema',
			name: 'schema',
			type: 'string',
			required: true,
			displayOptions: POSTGRES,
			default: 'n8n_bisync',
			description: 'Where the tables of the sync store are made on first use',
		},
		{
			displayName: 'Key Prefix',
			name: 'redisPrefix',
			type: 'string',
			required: true,
			displayOptions: REDIS,
			default: 'n8n_bisync',
			description: 'What the names of all keys begin with: letters, digits, dots, dashes and underscores. Another prefix is another store.',
		},
		{
			displayName: 'SSL',
			name: 'ssl',
			type: 'options',
			options: [
				{ name: 'Disable', value: 'disable', description: 'The connection is not encrypted' },
				{
					name: 'Require',
					value: 'require',
					description: 'Encrypted, without checking who answers',
				},
				{
					name: 'Verify Full',
					value: 'verify-full',
					description: "Encrypted, and the server's certificate and name are checked",
				},
			],
			default: 'disable',
		},
		{
			displayName: 'CA Certificate',
			name: 'ca',
			type: 'string',
			typeOptions: { rows: 4 },
			displayOptions: { show: { ssl: ['verify-full'] } },
			default: '',
			placeholder: '-----BEGIN CERTIFICATE-----',
			description:
				'The certificate (PEM) of the authority that signed the server certificate. Empty: the authorities that Node.js trusts.',
		},
		{
			displayName: 'Max Connections',
			name: 'maxConnections',
			type: 'number',
			typeOptions: { minValue: 1 },
			displayOptions: POSTGRES,
			default: 5,
			description: 'How many connections this n8n process may hold to the sync store at once',
		},
	];
}
