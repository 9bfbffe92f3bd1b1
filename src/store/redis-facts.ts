import { openRedis, type RedisSettings } from './redis-connect';
import { RedisDatabase } from './redis-database';

const OLDEST_SERVER = 7;

export interface RedisFacts {
	/** "7.2.4" */
	readonly version: string;
	/** "noeviction"; empty where the server does not say. */
	readonly evictionPolicy: string;
	readonly isReplica: boolean;
	/** Whether writes go to a log on disk at all. */
	readonly isAppendOnly: boolean;
}

/** What `INFO` says; `CONFIG`, which managed servers often refuse, is not needed. Pure. */
export function readFacts(info: string): RedisFacts {
	const facts = new Map(info.split(/\r?\n/).map((line): [string, string] => [line.split(':', 1)[0] ?? '', line.slice(line.indexOf(':') + 1)]));
	return {
		version: facts.get('redis_version') ?? '0',
		evictionPolicy: facts.get('maxmemory_policy') ?? '',
		isReplica: facts.get('role') === 'slave',
		isAppendOnly: facts.get('aof_enabled') === '1',
	};
}

/** Looks at the server, and at none of the stores on it. @throws SyncError as a store does */
export async function probeRedis(settings: RedisSettings): Promise<RedisFacts> {
	const db = new RedisDatabase(openRedis(settings), { prefix: 'probe' });
	try {
		return readFacts(await db.send<string>('info'));
	} finally {
		await db.close();
	}
}

/** What keeps a server from holding the sync store, with what to do about it. Pure. */
export function unsuitable({ version, evictionPolicy, isReplica }: RedisFacts): string[] {
	const problems: string[] = [];
	if (Number(version.split('.')[0]) < OLDEST_SERVER) problems.push(`it is Redis ${version}, and version ${OLDEST_SERVER} or newer is needed`);
	if (isReplica) problems.push('it is a replica, which takes no writes: connect to its primary');
	if (evictionPolicy !== '' && evictionPolicy !== 'noeviction') {
		problems.push(`it forgets data when its memory is full (maxmemory-policy ${evictionPolicy}): CONFIG SET maxmemory-policy noeviction`);
	}
	return problems;
}
