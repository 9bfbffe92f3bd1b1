import { isIP } from 'node:net';

import { Redis } from 'ioredis';

/** Where a Redis is, and how to speak to it. */
export interface RedisSettings {
	readonly host: string;
	readonly port: number;
	/** Empty: the default user. */
	readonly user: string;
	/** Empty: none is asked for. */
	readonly password: string;
	/** The number of the database, 0 to 15 unless the server has more. */
	readonly database: number;
	/** `require` encrypts without checking who answers; `verify-full` checks certificate and name. */
	readonly tls: { readonly mode: 'disable' | 'require' | 'verify-full'; readonly ca?: string };
}

const CONNECT_MS = 10_000;
/** The largest commit takes a fraction of a second; who is silent this long is not there. */
const ANSWER_MS = 30_000;
/** How long a connection that is given up may take to end; a timer of that length is left behind. */
const LEAVE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/**
 * A client that connects with its first command. A command whose answer is lost fails, instead of being sent once more: what
 * it did must be looked up, not done twice.
 */
export function openRedis({ host, port, user, password, database, tls }: RedisSettings): Redis {
	return new Redis({
		...{ host, port, db: database, connectionName: 'n8n-nodes-bisync', lazyConnect: true },
		...(user === '' ? {} : { username: user }),
		...(password === '' ? {} : { password }),
		...(tls.mode === 'disable' ? {} : { tls: { ...tlsOptions(tls), ...(isIP(host) === 0 ? { servername: host } : {}) } }),
		...{ connectTimeout: CONNECT_MS, socketTimeout: ANSWER_MS, disconnectTimeout: LEAVE_MS },
		// The first lost connection fails what waits for it. Any other number would leave commands unanswered for ever that are not sent again.
		maxRetriesPerRequest: 0,
		autoResendUnfulfilledCommands: false,
		retryStrategy: (times) => Math.min(times * 100, LONGEST_PAUSE_MS),
	});
}

function tlsOptions({ mode, ca }: RedisSettings['tls']) {
	return { rejectUnauthorized: mode === 'verify-full', ...(ca === undefined ? {} : { ca }) };
}
