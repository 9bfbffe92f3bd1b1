import type { ReviewChange, ReviewItem, StoredReview } from '../core/review';
import { reviewRow, rememberPolicy } from './redis-commit';
import type { RedisDatabase } from './redis-database';
import { MEMBERS, NOW, policyReading, policyWriting } from './redis-lua';
import { REVIEWS } from './redis-review-script';
import type { PurgeRequest, ReviewFilter } from './sync-store';

/** Argument: the changes as JSON. */
const CHANGE = policyWriting(['reviews', 'asked', 'open', 'about'], NOW, REVIEWS, /* lua */ `
for _, change in ipairs(cjson.decode(ARGV[1])) do changeReview(change) end
return 1
`);

export async function changeReviews(db: RedisDatabase, policy: string, changes: readonly ReviewChange[]): Promise<void> {
	if (changes.length === 0) return;
	const rows = JSON.stringify(changes.map(reviewRow));
	await Promise.all([db.policy(policy, CHANGE, [rows]), rememberPolicy(db, policy, changes)]);
}

/**
 * Arguments: the link or nothing, kind or nothing, state or nothing, offset, limit, ids. Items that are named, or of one
 * link, all come; of the others a page. The number of items looked at is that of the page, but for those of other kinds.
 */
const LIST = policyReading(['reviews', 'asked', 'open', 'about'], MEMBERS, REVIEWS, /* lua */ `
local link, kind, state, offset, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local found = {}
local function isWanted(review)
	return (link == '' or review.link == link) and (kind == '' or review.kind == kind) and (state == '' or review.state == state)
end
local function add(id)
	local review, item = reviewOf(id)
	if review and isWanted(review) then found[#found + 1] = { cjson.encode(review), item } end
end
if #ARGV > 5 then
	for place = 6, #ARGV do add(ARGV[place]) end
	return found
end
if link ~= '' then
	for _, id in ipairs(members(K.about, link, -1)) do add(id) end
	return found
end
local set = state == 'open' and K.open or K.asked
local isPlain = kind == '' and (state == '' or state == 'open')
local first, skipped = isPlain and offset or 0, isPlain and offset or 0
local CHUNK = 100
while #found < limit do
	local ids = redis.call('ZRANGE', set, first, first + CHUNK - 1)
	for _, id in ipairs(ids) do
		local before = #found
		if before < limit then add(id) end
		if #found > before and skipped < offset then
			found[#found], skipped = nil, skipped + 1
		end
	end
	if #ids < CHUNK then break end
	first = first + CHUNK
end
return found
`);

/** Arguments: for how long they must have been closed, and how many at most. Whatever was asked later than that is not even looked at. */
const PURGE = policyWriting(['reviews', 'asked', 'open', 'about'], NOW, REVIEWS, /* lua */ `
local before, limit, gone, first = now - tonumber(ARGV[1]), tonumber(ARGV[2]), 0, 0
local CHUNK = 200
while gone < limit do
	local ids = redis.call('ZRANGEBYSCORE', K.asked, '-inf', before, 'LIMIT', first, CHUNK)
	local kept = 0
	for _, id in ipairs(ids) do
		local review = reviewOf(id)
		if gone < limit and review and review.state ~= 'open' and review.updatedAtMs <= before then
			redis.call('HDEL', K.reviews, id)
			redis.call('ZREM', K.asked, id)
			if review.link then redis.call('ZREM', K.about, review.link .. '\\0' .. id) end
			gone = gone + 1
		else
			kept = kept + 1
		end
	end
	if #ids < CHUNK then break end
	first = first + kept
end
return gone
`);

export async function purgeReviews(db: RedisDatabase, { policy, closedForMs, limit }: PurgeRequest): Promise<number> {
	return await db.policy<number>(policy, PURGE, [closedForMs, limit]);
}

type ReviewReply = readonly [string, string];
type Looked = Pick<StoredReview, 'state' | 'openedAtMs' | 'updatedAtMs'> & { readonly closedBy?: string };

/** Items of one policy come from one step; those of all policies from one step each. */
export async function listReviews(db: RedisDatabase, filter: ReviewFilter): Promise<readonly StoredReview[]> {
	const { policy, limit, offset = 0 } = filter;
	if (filter.ids?.length === 0) return [];
	const policies = policy === undefined ? await db.send<readonly string[]>('smembers', db.keys.policies) : [policy];
	const isPage = policy !== undefined && filter.ids === undefined && filter.link === undefined;
	const asked = isPage ? { ...filter, offset } : { ...filter, offset: 0, limit: offset + limit };
	const found = (await Promise.all(policies.map((one) => reviewsOf(db, one, asked)))).flat();
	found.sort((a, b) => a.openedAtMs - b.openedAtMs || (a.id < b.id ? -1 : 1));
	return isPage ? found : found.slice(offset, offset + limit);
}

async function reviewsOf(db: RedisDatabase, policy: string, { link, kind, state, offset = 0, limit, ids }: ReviewFilter): Promise<StoredReview[]> {
	if (link === '') return [];
	const args = [link ?? '', kind ?? '', state ?? '', offset, limit, ...new Set(ids)];
	const replies = await db.policy<readonly ReviewReply[]>(policy, LIST, args);
	return replies.map((reply) => reviewOf(policy, reply));
}

function reviewOf(policy: string, [looked, item]: ReviewReply): StoredReview {
	const { state, openedAtMs, updatedAtMs, closedBy } = JSON.parse(looked) as Looked;
	const by = closedBy === undefined ? null : (JSON.parse(closedBy) as string);
	return { ...(JSON.parse(item) as ReviewItem), policy, state, openedAtMs, updatedAtMs, closedBy: by };
}
