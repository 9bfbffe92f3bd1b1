import type { PgSettings, SslSettings } from '../../src/postgres/connect';
import type { RedisSettings } from '../../src/store/redis-connect';
import { invalid, oneOf, optionalText, secret, text, wholeNumber } from './settings';

/** What n8n hands out for a credential. */
export type CredentialData = Readonly<Record<string, unknown>>;

/** The sync store that a credential of the type `bisyncStoreApi` names. */
export type StoreSettings = PostgresStoreSettings | RedisStoreSettings;

export interface PostgresStoreSettings {
	readonly backend: 'postgres';
	readonly database: PgSettings;
	/** The schema of its tables, unquoted. */
	readonly schema: string;
	readonly maxConnections: number;
}

export interface RedisStoreSettings {
	readonly backend: 'redis';
	readonly server: RedisSettings;
	/** What the names of its keys begin with. */
	readonly prefix: string;
}

/** @throws SyncError INVALID_SETTING, naming the field of the credential */
export function storeSettings(data: CredentialData): StoreSettings {
	const backend = oneOf('Backend', data['backend'] ?? 'postgres', ['postgres', 'redis']);
	if (backend === 'redis') return { backend, server: redisServer(data), prefix: prefixOf(data['redisPrefix'] ?? 'n8n_bisync') };
	return {
		backend,
		database: ownSettings(data),
		schema: text('Schema', data['schema'] ?? 'n8n_bisync'),
		maxConnections: wholeNumber('Max Connections', data['maxConnections'] ?? 5, 1),
	};
}

function redisServer(data: CredentialData): RedisSettings {
	return {
		host: text('Host', data['host']),
		port: wholeNumber('Port', data['redisPort'] ?? 6379, 1),
		user: optionalText('User', data['redisUser']),
		password: secret('Password', data['password']),
		database: wholeNumber('Database Number', data['redisDatabase'] ?? 0, 0),
		tls: sslOf(data),
	};
}

/** A brace or a colon would make two stores' keys look alike. */
function prefixOf(value: unknown): string {
	const prefix = text('Key Prefix', value);
	if (/^[\w.-]{1,100}$/.test(prefix)) return prefix;
	throw invalid('Key Prefix', 'must be made of letters, digits, dots, dashes and underscores');
}

/** Settings of a credential of this pack (`bisyncPostgresApi`, `bisyncStoreApi`). */
export function ownSettings(data: CredentialData): PgSettings {
	return { ...address(data), ssl: sslOf(data) };
}

function sslOf(data: CredentialData): RedisSettings['tls'] {
	const mode = oneOf('SSL', data['ssl'] ?? 'disable', ['disable', 'require', 'verify-full']);
	const ca = secret('CA Certificate', data['ca']);
	return ca.trim() === '' ? { mode } : { mode, ca };
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
