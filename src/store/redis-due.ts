import { type LinkDocument, unpackLink } from './link-document';
import type { RedisDatabase } from './redis-database';
import { FETCHED, HEADS, LATER, NOW, policyWriting } from './redis-lua';
import type { DueLink, LeaseRequest } from './sync-store';

/** Any greatest delay is reached long before; 0 times infinity is no delay at all. */
const MAX_DOUBLINGS = 60;
const SEEDS = 2 ** 31;

/**
 * Arguments: limit, delay, greatest delay, greatest number of doublings, a seed for the spread, which keeps many links that
 * failed together from coming back together.
 */
const LEASE = policyWriting(['policy', 'heads', 'states', 'due'], NOW, FETCHED, LATER, HEADS, /* lua */ `
math.randomseed(tonumber(ARGV[5]))
local leased = {}
local ids = redis.call('ZRANGE', K.due, '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
local heads, states = headsOf(ids), fetched(K.states, ids)
for _, id in ipairs(ids) do
	local head = heads[id]
	local delay = math.min(ARGV[3], ARGV[2] * 2 ^ math.min(head.wakes or 0, ARGV[4])) * (0.8 + 0.4 * math.random())
	head.wakes, head.tries = (head.wakes or 0) + 1, (head.tries or 0) + 1
	later('HSET', K.heads, id, headText(head))
	later('ZADD', K.due, now + math.ceil(delay), id)
	leased[#leased + 1] = { states[id], head.tries }
end
flush()
return leased
`);

export async function leaseDue(db: RedisDatabase, { policy, limit, delayMs, maxDelayMs }: LeaseRequest): Promise<readonly DueLink[]> {
	const args = [limit, delayMs, maxDelayMs, MAX_DOUBLINGS, Math.floor(Math.random() * SEEDS)];
	const leased = await db.policy<readonly (readonly [string, number])[]>(policy, LEASE, args);
	return leased.map(([state, unattempted]) => ({ state: unpackLink(JSON.parse(state) as LinkDocument), unattempted }));
}

/** Arguments: ids. */
const NOTE_ATTEMPTS = policyWriting(['policy', 'heads'], FETCHED, LATER, HEADS, /* lua */ `
for id, head in pairs(headsOf(ARGV)) do
	if head and head.tries then
		head.tries = nil
		later('HSET', K.heads, id, headText(head))
	end
end
flush()
return 1
`);

export async function noteAttempts(db: RedisDatabase, policy: string, links: readonly string[]): Promise<void> {
	if (links.length > 0) await db.policy(policy, NOTE_ATTEMPTS, links);
}
