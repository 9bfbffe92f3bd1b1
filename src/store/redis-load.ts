import { indexable, keyText, matchText } from './identity-text';
import { type LinkDocument, unpackLink } from './link-document';
import type { RedisDatabase } from './redis-database';
import { FETCHED, HEADS, LINKS, MEMBERS, policyReading } from './redis-lua';
import { describedPolicy, IN_FORCE, type PolicyReply, requireIdentity } from './redis-policies';
import { type StreamReply, STREAMS, streamsOf } from './redis-streams';
import { type Alike, type Loaded, type LoadedLink, type LoadRequest, MAX_ALIKE, type ScanRequest } from './sync-store';

/** Document, revision, whether it is due, match keys as JSON. */
export type LinkReply = readonly [string, number, 0 | 1, readonly string[]];

/** Arguments: how many ids, ids, how many keys, keys, match keys. */
const LOAD = policyReading(['policy', 'streams', 'heads', 'states', 'keys', 'matches'], FETCHED, HEADS, LINKS, IN_FORCE, STREAMS, /* lua */ `
local lists, list = { {}, {}, {} }, { tonumber(ARGV[1]), tonumber(ARGV[1]) + tonumber(ARGV[2]) }
for place = 3, #ARGV do
	local kind = place - 2 <= list[1] and 1 or place - 2 <= list[2] and 2 or 3
	lists[kind][#lists[kind] + 1] = ARGV[place]
end
local ids, met = {}, {}
local function add(id)
	if id and not met[id] then ids[#ids + 1] = id end
	if id then met[id] = true end
end
for _, id in ipairs(lists[1]) do add(id) end
for _, holder in pairs(fetched(K.keys, lists[2])) do add(holder and holder:match('^%-?%d+ (.*)$')) end
for _, holder in pairs(fetched(K.matches, lists[3])) do add(holder) end
return { inForce(), streams(), linksOf(ids) }
`);

/** The policy's part is one step. The identity is asked for behind it: an epoch may be newer than the states, never older. */
export async function load(db: RedisDatabase, request: LoadRequest): Promise<Loaded> {
	const { policy, links = [], keys = [], matches = [] } = request;
	const texts = [...links, ...keys.map((key) => indexable(keyText(key))), ...matches.map((match) => indexable(matchText(match)))];
	const [[inForce, streams, found], identity] = await Promise.all([
		db.policy<readonly [PolicyReply, StreamReply, readonly LinkReply[]]>(policy, LOAD, [links.length, keys.length, ...texts]),
		requireIdentity(db),
	]);
	return {
		policy: inForce && describedPolicy(policy, inForce, identity),
		streams: streamsOf(policy, streams),
		links: found.map(loadedLink),
	};
}

/** Arguments: the entity or nothing, the id before the first, limit. */
const SCAN = policyReading(['policy', 'heads', 'states', 'ids', 'entities'], FETCHED, HEADS, LINKS, MEMBERS, /* lua */ `
local ids
if ARGV[1] ~= '' then ids = members(K.entities, ARGV[1], ARGV[3], ARGV[2] ~= '' and ARGV[2])
else ids = redis.call('ZRANGE', K.ids, ARGV[2] ~= '' and '(' .. ARGV[2] or '-', '+', 'BYLEX', 'LIMIT', 0, ARGV[3]) end
return linksOf(ids)
`);

/** A page of links in the order of their ids, bytewise. */
export async function scanLinks(db: RedisDatabase, { policy, entity = '', afterId = '', limit }: ScanRequest): Promise<readonly LoadedLink[]> {
	return (await db.policy<readonly LinkReply[]>(policy, SCAN, [entity, afterId, limit])).map(loadedLink);
}

export async function countRecords(db: RedisDatabase, policy: string, entity: string): Promise<number> {
	return Number((await db.send<string | null>('hget', db.keyOf(policy, 'counts'), entity)) ?? 0);
}

/** Arguments: limit per block, blocks. @returns per block, links and likenesses by turns */
const ALIKE = policyReading(['blocks', 'likeness'], MEMBERS, /* lua */ `
local all = {}
for place = 2, #ARGV do
	local found = {}
	for _, id in ipairs(members(K.blocks, ARGV[place], ARGV[1])) do
		found[#found + 1] = id
		found[#found + 1] = redis.call('HGET', K.likeness, id)
	end
	all[#all + 1] = found
end
return all
`);

export async function findAlike(db: RedisDatabase, policy: string, blocks: readonly string[]): Promise<readonly Alike[]> {
	const asked = [...new Set(blocks)];
	if (asked.length === 0) return [];
	const found = await db.policy<readonly (readonly string[])[]>(policy, ALIKE, [MAX_ALIKE, ...asked.map(indexable)]);
	return asked.flatMap((block, place) => pairs(found[place] ?? []).map(([link, values]) => ({ block, link, values: JSON.parse(values) as (string | null)[] })));
}

function pairs(flat: readonly string[]): [string, string][] {
	return flat.flatMap((first, place): [string, string][] => (place % 2 === 0 ? [[first, flat[place + 1] ?? '[]']] : []));
}

function loadedLink([state, revision, due, matches]: LinkReply): LoadedLink {
	const held = matches.map((match) => JSON.parse(match) as string).sort();
	return { state: unpackLink(JSON.parse(state) as LinkDocument), revision, due: due === 1, matches: held };
}

