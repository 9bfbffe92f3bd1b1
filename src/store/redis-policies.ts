import type { Json } from '../core/canonical-json';
import { SyncError } from '../core/errors';
import type { StoredMode } from '../core/journal';
import { EPOCHS_BEGAN_MS } from './epoch';
import type { RedisDatabase } from './redis-database';
import { BYTEWISE, NOW, type PolicyScript, policyReading, policyWriting, RAISE, writing } from './redis-lua';
import { policyUnpublished } from './stream-errors';
import { MAX_SIGNATURES, type PolicyVersion, type PublishedPolicy, type PublishRequest, type Signature } from './sync-store';

/** Document, hash, version, mode, pending scopes and signatures as JSON, the last one null while there is none; null before the first publish. */
export type PolicyReply = readonly [string, string, string, StoredMode, string, string | null] | null;

/** What makes the store itself. */
export type StoreIdentity = Pick<PublishedPolicy, 'storeId' | 'macKey' | 'epoch'>;

/** `inForce()` */
export const IN_FORCE = /* lua */ `
local function inForce()
	local found = redis.call('HMGET', K.policy, 'document', 'hash', 'version', 'mode', 'pending', 'signatures')
	return found[1] and found or false
end
`;

/** `wakeAll()`: one number moves the revisions of all links (see `HEADS`), and one command offers them all to the sweep at once. */
const WAKE_ALL = /* lua */ `
local function wakeAll()
	redis.call('HINCRBY', K.policy, 'bumps', 1)
	redis.call('ZUNIONSTORE', K.due, 1, K.ids, 'WEIGHTS', now)
end
`;

const changing = (...lua: readonly string[]): PolicyScript =>
	policyWriting(['policy', 'versions', 'ids', 'due'], NOW, BYTEWISE, IN_FORCE, WAKE_ALL, ...lua);

/** Arguments: document, hash, by (JSON), initial mode, pending (JSON), whether worked out from a version, its hash. */
const PUBLISH = changing(/* lua */ `
local known = redis.call('HMGET', K.policy, 'hash', 'version', 'mode')
local isOutdated = ARGV[6] == '1' and (known[1] or '') ~= ARGV[7]
if known[1] and (known[1] == ARGV[2] or isOutdated) then return inForce() end
local version = (known[2] or 0) + 1
redis.call('HSET', K.policy, 'document', ARGV[1], 'hash', ARGV[2], 'version', version,
	'mode', known[3] or ARGV[4], 'pending', ARGV[5])
redis.call('HSET', K.versions, version, '{"hash":' .. cjson.encode(ARGV[2]) .. ',"at":' .. now .. ',"by":' .. ARGV[3]
	.. ',"document":' .. ARGV[1] .. '}')
wakeAll()
return inForce()
`);

export async function publishPolicy(db: RedisDatabase, request: PublishRequest): Promise<PublishedPolicy> {
	const { name, document, hash, by, initialMode, pending = [], after } = request;
	return await changed(db, name, PUBLISH, [
		...[JSON.stringify(document), hash, JSON.stringify(by), initialMode, JSON.stringify(pending)],
		...[after === undefined ? 0 : 1, after ?? ''],
	]);
}

/** Argument: hash. */
const APPROVE = changing(/* lua */ `
local known = redis.call('HMGET', K.policy, 'hash', 'mode', 'pending')
local isWaiting = known[2] == 'first-contact' or (known[3] and known[3] ~= '[]')
if known[1] ~= ARGV[1] or not isWaiting then return inForce() end
redis.call('HSET', K.policy, 'mode', known[2] == 'first-contact' and 'live' or known[2], 'pending', '[]')
wakeAll()
return inForce()
`);

export async function approve(db: RedisDatabase, policy: string, hash: string): Promise<PublishedPolicy> {
	return await changed(db, policy, APPROVE, [hash]);
}

/** Arguments: hash, scopes. */
const SUSPEND = changing(/* lua */ `
local known = redis.call('HMGET', K.policy, 'hash', 'pending')
if known[1] ~= ARGV[1] then return inForce() end
local scopes, met = {}, {}
local function add(scope)
	if not met[scope] then scopes[#scopes + 1] = scope end
	met[scope] = true
end
for _, scope in ipairs(cjson.decode(known[2])) do add(scope) end
for place = 2, #ARGV do add(ARGV[place]) end
table.sort(scopes, before)
redis.call('HSET', K.policy, 'pending', #scopes > 0 and cjson.encode(scopes) or '[]')
return inForce()
`);

export async function suspend(
	db: RedisDatabase,
	{ policy, hash, scopes }: { policy: string; hash: string; scopes: readonly string[] },
): Promise<PublishedPolicy> {
	return await changed(db, policy, SUSPEND, [hash, ...scopes]);
}

/** Argument: mode. */
const SET_MODE = changing(/* lua */ `
local mode = redis.call('HGET', K.policy, 'mode')
if not mode or mode == ARGV[1] then return inForce() end
redis.call('HSET', K.policy, 'mode', ARGV[1])
if ARGV[1] == 'live' then wakeAll() end
return inForce()
`);

export async function setMode(db: RedisDatabase, policy: string, mode: StoredMode): Promise<PublishedPolicy> {
	return await changed(db, policy, SET_MODE, [mode]);
}

const VERSIONS = policyReading(['versions'], /* lua */ `
return redis.call('HGETALL', K.versions)
`);

/** In any order. */
async function versionsOf(db: RedisDatabase, policy: string): Promise<PolicyVersion[]> {
	const pairs = await db.policy<readonly string[]>(policy, VERSIONS, []);
	return pairs.flatMap((number, place) => {
		if (place % 2 === 1) return [];
		const { hash, at, by, document } = JSON.parse(pairs[place + 1] ?? '') as { readonly hash: string; readonly at: number; readonly by: string; readonly document: Json };
		return [{ version: Number(number), hash, document, by, atMs: at }];
	});
}

export async function listVersions(db: RedisDatabase, policy: string, limit: number): Promise<PolicyVersion[]> {
	return (await versionsOf(db, policy)).sort((a, b) => b.version - a.version).slice(0, limit);
}

export async function findVersions(db: RedisDatabase, policy: string, hashes: readonly string[]): Promise<ReadonlyMap<string, Json>> {
	const versions = await versionsOf(db, policy);
	return new Map(versions.filter(({ hash }) => hashes.includes(hash)).map(({ hash, document }) => [hash, document]));
}

/** Arguments: hash, by, how many are kept. */
const SIGN = changing(/* lua */ `
local known = redis.call('HMGET', K.policy, 'hash', 'signatures')
if not known[1] then return false end
local list = known[2] and cjson.decode(known[2]) or {}
for _, one in ipairs(list) do
	if one.hash == ARGV[1] and one.by == ARGV[2] then return inForce() end
end
list[#list + 1] = { hash = ARGV[1], by = ARGV[2], atMs = now }
while #list > tonumber(ARGV[3]) do table.remove(list, 1) end
redis.call('HSET', K.policy, 'signatures', cjson.encode(list))
if known[1] == ARGV[1] then wakeAll() end
return inForce()
`);

export async function sign(
	db: RedisDatabase,
	{ policy, hash, by }: { policy: string; hash: string; by: string },
): Promise<PublishedPolicy> {
	return await changed(db, policy, SIGN, [hash, by, MAX_SIGNATURES]);
}

/** Key: the identity. Argument: when epochs began. */
const RAISE_EPOCH = writing(`${NOW}${RAISE}
raiseEpoch(KEYS[1], ARGV[1])
return 1
`);

export async function raiseEpoch(db: RedisDatabase): Promise<void> {
	await db.run(RAISE_EPOCH, [db.keys.identity], [EPOCHS_BEGAN_MS]);
}

async function changed(db: RedisDatabase, policy: string, script: PolicyScript, args: readonly (string | number)[]): Promise<PublishedPolicy> {
	const [inForce, identity] = await Promise.all([db.policy<PolicyReply>(policy, script, args), requireIdentity(db)]);
	if (!inForce) throw policyUnpublished(policy);
	return describedPolicy(policy, inForce, identity);
}

/** Null where the store has never been migrated, or has lost its data since. */
async function identityOf(db: RedisDatabase): Promise<StoreIdentity | null> {
	const [storeId, macKey, epoch] = await db.send<readonly (string | null)[]>('hmget', db.keys.identity, 'storeId', 'macKey', 'epoch');
	return storeId && macKey && epoch ? { storeId, macKey, epoch: Number(epoch) } : null;
}

/** @throws SyncError STORE_LOST */
export async function requireIdentity(db: RedisDatabase): Promise<StoreIdentity> {
	const identity = await identityOf(db);
	if (identity) return identity;
	throw new SyncError('STORE_LOST', 'The sync store in Redis is empty, though this process has used it before: the server has lost its data');
}

export function describedPolicy(name: string, reply: NonNullable<PolicyReply>, identity: StoreIdentity): PublishedPolicy {
	const [document, hash, version, mode, pending, signatures] = reply;
	const signed = signatures === null ? [] : (JSON.parse(signatures) as Signature[]);
	return { name, document: JSON.parse(document) as Json, hash, version: Number(version), mode, pending: JSON.parse(pending) as string[], signatures: signed, ...identity };
}
