import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

/** A Postgres database that takes part in a sync. */
export class BisyncPostgresApi implements ICredentialType {
	name = 'bisyncPostgresApi';

	displayName = 'Postgres Replication API';

	icon: Icon = { light: 'file:bisyncPostgres.svg', dark: 'file:bisyncPostgres.dark.svg' };

	documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-bisync';

	properties: INodeProperties[] = [
		{
			displayName:
				'The role needs LOGIN, REPLICATION (for the trigger) and SELECT, INSERT, UPDATE on the synced tables. The server needs wal_level = logical.',
			name: 'notice',
			type: 'notice',
			default: '',
		},
		{ displayName: 'Host', name: 'host', type: 'string', required: true, default: 'localhost' },
		{
			displayName: 'Port',
			name: 'port',
			type: 'number',
			required: true,
			default: 5432,
			description:
				'Of the server itself: a connection pooler such as PgBouncer cannot stream changes',
		},
		{
			displayName: 'Database',
			name: 'database',
			type: 'string',
			required: true,
			default: 'postgres',
		},
		{ displayName: 'User', name: 'user', type: 'string', required: true, default: 'bisync' },
		{
			displayName: 'Password',
			name: 'password',
			type: 'string',
			typeOptions: { password: true },
			default: '',
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
	];
}
