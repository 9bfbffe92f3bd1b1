import type { ConnectionSettings } from '../test/support/embedded-postgres';
import type { DemoDatabases } from './databases';
import type { N8nClient, NewCredential } from './n8n-client';

/** Who signs in to the pages of the console. */
export const CONSOLE_PERSON = { user: 'demo', password: 'Demo-1234' };

/** The credentials that the templates ask for, by the names they use. */
export function templateCredentials({
	crm,
	billing,
	storeSettings,
}: Pick<DemoDatabases, 'crm' | 'billing' | 'storeSettings'>): NewCredential[] {
	return [
		{ name: 'CRM database', type: 'bisyncPostgresApi', data: connectionData(crm.syncSettings) },
		{
			name: 'Billing database',
			type: 'bisyncPostgresApi',
			data: connectionData(billing.syncSettings),
		},
		{ name: 'Billing database (Postgres)', type: 'postgres', data: connectionData(billing.syncSettings) },
		{
			name: 'Sync Store',
			type: 'bisyncStoreApi',
			data: {
				...connectionData(storeSettings),
				backend: 'postgres',
				schema: 'n8n_bisync',
				maxConnections: 5,
			},
		},
		{ name: 'Sync console', type: 'httpBasicAuth', data: CONSOLE_PERSON },
	];
}

/** What the form of a credential holds. */
export function connectionData({
	host,
	port,
	database,
	user,
	password,
}: ConnectionSettings): Record<string, unknown> {
	return { host, port, database, user, password, ssl: 'disable' };
}

/** @returns the ids, by name */
export async function createCredentials(
	client: N8nClient,
	credentials: readonly NewCredential[],
): Promise<Record<string, string>> {
	const ids: Record<string, string> = {};
	for (const credential of credentials)
		ids[credential.name] = await client.createCredential(credential);
	return ids;
}
