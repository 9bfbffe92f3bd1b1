import { randomBytes, randomInt } from 'node:crypto';

import { SyncError } from '../core/errors';
import type { RedisDatabase } from './redis-database';
import { readFacts, type RedisFacts, unsuitable } from './redis-facts';
import { writing } from './redis-lua';

/** Of the layout that `redis-keys.ts` describes. */
const VERSION = 1;
const ID_LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 12;
const MAC_KEY_BYTES = 32;

/** Key: the identity. Arguments: version, store id, MAC key, the server's run. Does nothing where there is one. @returns the version that is there */
const FOUND = writing(`
if redis.call('EXISTS', KEYS[1]) == 0 then
	redis.call('HSET', KEYS[1], 'version', ARGV[1], 'storeId', ARGV[2], 'macKey', ARGV[3], 'epoch', 1, 'run', ARGV[4])
end
return redis.call('HGET', KEYS[1], 'version')
`);

/**
 * Makes sure that the server can be trusted with a sync, and that the store on it has an identity.
 *
 * @throws SyncError STORE_UNSUITABLE, STORE_READ_ONLY, STORE_TOO_NEW, STORE_UNREACHABLE, AUTH_FAILED
 */
export async function migrateStore(db: RedisDatabase): Promise<void> {
	requireSuitable(readFacts(await db.send<string>('info')));
	const id = Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
	const macKey = randomBytes(MAC_KEY_BYTES).toString('hex');
	const version = Number(await db.run<string>(FOUND, [db.keys.identity], [VERSION, id, macKey, await db.serverRun()]));
	if (version <= VERSION) return;
	throw new SyncError(
		'STORE_TOO_NEW',
		`The sync store's keys in Redis have version ${version}, but this version of the pack knows ${VERSION}`,
		{ details: { installed: version, known: VERSION } },
	);
}

function requireSuitable(facts: RedisFacts): void {
	const problems = unsuitable(facts);
	if (problems.length > 0) throw new SyncError('STORE_UNSUITABLE', `This Redis cannot keep a sync store: ${problems.join('; and ')}`);
}
