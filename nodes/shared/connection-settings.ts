import type { PgSettings, SslSettings } from '../../src/postgres/connect';
import { invalid, oneOf, optionalText, secret, text, wholeNumber } from './settings';

/** What n8n hands out for a credential. */
export type CredentialData = Readonly<Record<string, unknown>>;

/** The sync store that a credential of the type `bisyncStoreApi` names. */
export interface StoreSettings {
	readonly database: PgSettings;
	/** The schema of its tables, unquoted. */
	readonly schema: string;
	readonly maxConnections: number;
}

/** @throws SyncError INVALID_SETTING, naming the field of the credential */
export function storeSettings(data: CredentialData): StoreSettings {
	oneOf('Backend', data['backend'] ?? 'postgres', ['postgres']);
	return {
		database: ownSettings(data),
		schema: text('Schema', data['schema'] ?? 'n8n_bisync'),
		maxConnections: wholeNumber('Max Connections', data['maxConnections'] ?? 5, 1),
	};
}

/** Settings of a credential of this pack (`bisyncPostgresApi`, `bisyncStoreApi`). */
export function ownSettings(data: CredentialData): PgSettings {
	const mode = oneOf('SSL', data['ssl'] ?? 'disable', ['disable', 'require', 'verify-full']);
	const ca = secret('CA Certificate', data['ca']);
	return { ...address(data), ssl: ca.trim() === '' ? { mode } : { mode, ca } };
}

/** Settings of n8n's own `postgres` credential. */
export function builtInSettings(data: CredentialData): PgSettings {
	if (data['sshTunnel'] === true) {
		throw invalid(
			'SSH Tunnel',
			'of the Postgres credential is not supported by this node. Connect with "Postgres Replication" and open the tunnel outside of n8n',
		);
	}
	return { ...address(data), ssl: builtInSsl(data) };
}

/** As n8n's Postgres node understands it: any SSL checks the certificate, unless it is told to ignore it. */
function builtInSsl(data: CredentialData): SslSettings {
	if (data['allowUnauthorizedCerts'] === true) return { mode: 'require' };
	const ssl = optionalText('SSL', data['ssl']);
	return { mode: ssl === '' || ssl === 'disable' ? 'disable' : 'verify-full' };
}

function address(data: CredentialData): Omit<PgSettings, 'ssl'> {
	return {
		host: text('Host', data['host']),
		port: wholeNumber('Port', data['port'] ?? 5432, 1),
		user: text('User', data['user']),
		password: secret('Password', data['password']),
		database: text('Database', data['database']),
	};
}
