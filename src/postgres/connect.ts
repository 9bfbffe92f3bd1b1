import pg from 'pg';

import { toSyncError } from './sql';

/** How to reach a database. */
export interface PgSettings {
	/** A name, an address, or the folder of a Unix socket. */
	readonly host: string;
	readonly port: number;
	readonly user: string;
	readonly password: string;
	readonly database: string;
	/** Default: no encryption. */
	readonly ssl?: SslSettings | undefined;
	/** What `pg_stat_activity` shows; default "n8n-nodes-bisync". */
	readonly applicationName?: string | undefined;
	/** Default 15,000. */
	readonly connectTimeoutMs?: number | undefined;
	/** How long a statement may go unanswered before the connection counts as broken; default: for ever. See {@link answeringSoon}. */
	readonly answerTimeoutMs?: number | undefined;
}

export interface SslSettings {
	/**
	 * As libpq's sslmode: `require` encrypts without checking who answers, `verify-ca` checks the
	 * certificate's authority, `verify-full` its host name as well.
	 */
	readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
	/** PEM. Default: the authorities that Node trusts. */
	readonly ca?: string | undefined;
	/** PEM, for servers that ask for a client certificate. */
	readonly cert?: string | undefined;
	readonly key?: string | undefined;
}

const APPLICATION_NAME = 'n8n-nodes-bisync';
const CONNECT_TIMEOUT_MS = 15_000;

/** How long a quiet connection goes unprobed: firewalls forget connections that say nothing. */
const TCP_KEEPALIVE_MS = 30_000;

/**
 * Settings that decide how the server prints values. A role or database may have others (a DateStyle
 * of "SQL, DMY" turns up in a change stream), so whoever reads values sets these first.
 */
export const OUTPUT_SETTINGS: Readonly<Record<string, string>> = {
	DateStyle: 'ISO',
	IntervalStyle: 'postgres',
	TimeZone: 'UTC',
	extra_float_digits: '1',
	bytea_output: 'hex',
	lc_monetary: 'C',
};

const SOON_MS = 20_000;

/** For small questions to the catalogue: a connection that is dead without a word would otherwise keep whoever asks for a quarter of an hour. */
export function answeringSoon(settings: PgSettings): PgSettings {
	return { answerTimeoutMs: SOON_MS, ...settings };
}

/** Asks a server a few small questions on a connection of its own. @throws SyncError as `connect` */
export async function askServer<T>(settings: PgSettings, work: (client: pg.Client) => Promise<T>): Promise<T> {
	const client = await connect(answeringSoon(settings));
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}

/** What `pg.Client` takes. */
export function clientConfig(settings: PgSettings): pg.ClientConfig {
	return {
		host: settings.host,
		port: settings.port,
		user: settings.user,
		password: settings.password,
		database: settings.database,
		ssl: tlsOptions(settings.ssl),
		application_name: settings.applicationName ?? APPLICATION_NAME,
		connectionTimeoutMillis: settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
		...(settings.answerTimeoutMs === undefined ? {} : { query_timeout: settings.answerTimeoutMs }),
		keepAlive: true,
		keepAliveInitialDelayMillis: TCP_KEEPALIVE_MS,
	};
}

function tlsOptions(ssl: SslSettings | undefined): NonNullable<pg.ClientConfig['ssl']> {
	if (!ssl || ssl.mode === 'disable') return false;
	const given = Object.fromEntries(
		Object.entries({ ca: ssl.ca, cert: ssl.cert, key: ssl.key }).filter(
			([, pem]) => pem !== undefined,
		),
	);
	if (ssl.mode === 'require') return { ...given, rejectUnauthorized: false };
	if (ssl.mode === 'verify-ca') return { ...given, checkServerIdentity: () => undefined };
	return given;
}

/**
 * Connects, for one session.
 *
 * @throws SyncError DATABASE_UNREACHABLE, DATABASE_MISSING, AUTH_FAILED, TLS_FAILED
 */
export async function connect(settings: PgSettings): Promise<pg.Client> {
	return await connectClient(clientConfig(settings), settings);
}

/**
 * Connects for replication commands. The session also takes SQL, in the simple protocol only (no
 * parameters), prints values by {@link OUTPUT_SETTINGS} and has no timeouts of its own.
 *
 * @throws SyncError as {@link connect}, and PRIVILEGE_MISSING when the role may not replicate
 */
export async function connectForReplication(settings: PgSettings): Promise<pg.Client> {
	const parameters = {
		...OUTPUT_SETTINGS,
		statement_timeout: '0',
		idle_in_transaction_session_timeout: '0',
		client_min_messages: 'warning',
	};
	const options = Object.entries(parameters).map(([name, value]) => `-c ${name}=${value}`);
	// `replication` is known to pg, but not to its type declarations.
	const config = { ...clientConfig(settings), replication: 'database', options: options.join(' ') };
	return await connectClient(config, settings);
}

async function connectClient(config: pg.ClientConfig, settings: PgSettings): Promise<pg.Client> {
	const client = new pg.Client(config);
	// A connection that breaks while nobody waits for an answer emits "error", and without a listener
	// that would end the process. Whoever uses the client next gets the error.
	client.on('error', () => undefined);
	try {
		await client.connect();
		return client;
	} catch (error) {
		// The driver leaves the socket open when it gives up itself, for want of a password for example. A
		// session that hangs in its log-in blocks every `drop database` of the server for a minute.
		client.connection.stream.destroy();
		throw toSyncError(
			error,
			`database "${settings.database}" on ${settings.host}:${settings.port}`,
		);
	}
}
