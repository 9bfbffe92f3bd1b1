import { REVIEWS } from './redis-review-script';
import { BYTEWISE, FETCHED, HEADS, LATER, MEMBERS, NOW, policyWriting } from './redis-lua';

/**
 * The commit rule of `memory-commit.ts`, word for word: judged as a whole, then written as a whole. Nothing can fail
 * once the first write is done, because Redis does not take back what a failing script has written.
 */
const JUDGE = /* lua */ `
local heads, together = cjson.decode(ARGV[6]), ARGV[5] == '1'
local function has(list, wanted)
	for _, one in ipairs(list or {}) do
		if one == wanted then return true end
	end
	return false
end
local own = {}
for place, link in ipairs(heads) do own[place] = link.id end
local known = headsOf(own)
local wantedKeys, wantedMatches = {}, {}
for _, link in ipairs(heads) do
	link.newKeys = {}
	for _, key in ipairs(link.keys) do
		if not has(known[link.id] and known[link.id].keys, key) then
			link.newKeys[#link.newKeys + 1] = key
			wantedKeys[#wantedKeys + 1] = key
		end
	end
	for _, claim in ipairs(link.claims) do wantedMatches[#wantedMatches + 1] = claim[1] end
	for _, match in ipairs(link.releases) do wantedMatches[#wantedMatches + 1] = match end
end
local keyHolders, matchHolders = fetched(K.keys, wantedKeys), fetched(K.matches, wantedMatches)
local strangers = {}
for key, text in pairs(keyHolders) do
	local generation, id = (text or ''):match('^(%-?%d+) (.*)$')
	keyHolders[key] = id and { id = id, generation = tonumber(generation) }
	if id and known[id] == nil then strangers[#strangers + 1] = id end
end
for id, head in pairs(headsOf(strangers)) do known[id] = head end

local generations, claimants, released = {}, {}, {}
for _, link in ipairs(heads) do
	for _, match in ipairs(together and link.releases or {}) do released[match .. '\\0' .. link.id] = true end
end
local function isKeyTaken(key, link)
	local claimed = generations[key] or -math.huge
	generations[key] = math.max(claimed, link.generation)
	if claimed >= link.generation then return true end
	local holder = keyHolders[key]
	if not holder or holder.id == link.id or holder.generation < link.generation then return false end
	return has(known[holder.id] and known[holder.id].keys, key)
end
local function isMatchTaken(match, link)
	local holder = matchHolders[match] or link.id
	if released[match .. '\\0' .. holder] then holder = link.id end
	local claimant = claimants[match] or link.id
	claimants[match] = claimant
	return holder ~= link.id or claimant ~= link.id
end

local lost, met, inTheRunning = {}, {}, {}
for place, link in ipairs(heads) do
	local revision = known[link.id] and known[link.id].revision or 0
	if met[link.id] or revision ~= link.expected then lost[place] = true
	else inTheRunning[#inTheRunning + 1] = place end
	met[link.id] = true
end
for _, place in ipairs(inTheRunning) do
	local link = heads[place]
	for _, key in ipairs(together and {} or link.newKeys) do
		if isKeyTaken(key, link) then lost[place] = true end
	end
	for _, claim in ipairs(link.claims) do
		if isMatchTaken(claim[1], link) then lost[place] = true end
	end
end
if together and next(lost) then
	for place in ipairs(heads) do lost[place] = true end
end
`;

/** Whom the winners wake: looked up before anything is written, so that what they say themselves does not count. */
const WOKEN = /* lua */ `
local woken, told = {}, {}
local function hear(target)
	if told[target] then return end
	told[target] = true
	for _, id in ipairs(members(K.waits, target, ARGV[7] + #heads)) do
		if not met[id] then woken[#woken + 1] = id end
		met[id] = true
	end
end
for place, link in ipairs(heads) do
	for _, target in ipairs(not lost[place] and link.tells or {}) do hear(target) end
end
table.sort(woken, before)
for place = #woken, ARGV[7] + 1, -1 do woken[place] = nil end
local wakened = headsOf(woken)
`;

const WRITE = /* lua */ `
local wakeAt = now + ARGV[4]
local taken, owners = {}, {}
for place, link in ipairs(heads) do
	for _, key in ipairs(lost[place] and {} or together and link.keys or link.newKeys) do
		if not (together and has(link.yields, key)) then taken[#taken + 1] = { key, link.generation, link.id, #taken } end
	end
end
-- Of two generations that take a key in one request, the key leads to the newer one.
table.sort(taken, function(a, b)
	if a[2] ~= b[2] then return a[2] < b[2] end
	return a[4] < b[4]
end)
for _, take in ipairs(taken) do owners[take[1]] = take[2] .. ' ' .. take[3] end
for key, owner in pairs(owners) do later('HSET', K.keys, key, owner) end

local function replace(set, old, new, id)
	for _, one in ipairs(old or {}) do
		if not has(new, one) then later('ZREM', set, one .. '\\0' .. id) end
	end
	for _, one in ipairs(new or {}) do
		if not has(old, one) then later('ZADD', set, 0, one .. '\\0' .. id) end
	end
end
local changedMatches = {}
local function keepMatches(link, held)
	for _, match in ipairs(link.releases) do
		if matchHolders[match] == link.id then matchHolders[match], changedMatches[match] = false, true end
		held[match] = nil
	end
	for _, claim in ipairs(link.claims) do
		matchHolders[claim[1]], changedMatches[claim[1]] = link.id, true
		held[claim[1]] = claim[2]
	end
	return next(held) and held or nil
end
local counts = {}
local function countRecord(old, link)
	local was, is = old and not old.gone and old.entity, not link.gone and link.entity
	if was then counts[was] = (counts[was] or 0) - 1 end
	if is then counts[is] = (counts[is] or 0) + 1 end
end
local function keepPlace(link, old)
	if not old then later('ZADD', K.ids, 1, link.id) end
	if old and old.entity == link.entity then return end
	if old then later('ZREM', K.entities, old.entity .. '\\0' .. link.id) end
	later('ZADD', K.entities, 0, link.entity .. '\\0' .. link.id)
end
local function keepDue(link, old)
	if link.due then later('ZADD', K.due, wakeAt, link.id)
	elseif old and old.due then later('ZREM', K.due, link.id) end
end
local function keepLikeness(link)
	if link.likeness then later('HSET', K.likeness, link.id, link.likeness)
	elseif link.blocks then later('HDEL', K.likeness, link.id) end
end
local function filled(list)
	return list and #list > 0 and list or nil
end
local function keepLink(link, state)
	local old = known[link.id] or nil
	local waits, blocks = link.waits or (old and old.waits), link.blocks or (old and old.blocks)
	replace(K.dates, old and old.dates, link.dates, link.id)
	if link.waits then replace(K.waits, old and old.waits, waits, link.id) end
	if link.blocks then replace(K.blocks, old and old.blocks, blocks, link.id) end
	keepLikeness(link)
	countRecord(old, link)
	keepPlace(link, old)
	keepDue(link, old)
	later('HSET', K.states, link.id, state)
	later('HSET', K.heads, link.id, headText({
		revision = link.expected + 1, bumps = bumps, due = link.due or nil, entity = link.entity, gone = link.gone or nil,
		keys = filled(link.keys), dates = filled(link.dates), waits = filled(waits), blocks = filled(blocks),
		matches = keepMatches(link, old and old.matches or {}),
	}))
end
local function wake(id, head)
	head.revision, head.due, head.wakes, head.tries = head.revision + 1, true, nil, nil
	later('HSET', K.heads, id, headText(head))
	later('ZADD', K.due, wakeAt, id)
end
`;

/** Entries and items follow the states in the arguments, in the order of their links. */
const EXPLAIN = /* lua */ `
local argument = 7 + #heads
local written = 0
for _, link in ipairs(heads) do written = written + #link.journal end
local seq = redis.call('HINCRBY', K.policy, 'seq', 0)
local function keepJournal(link, isLost)
	for _, kind in ipairs(link.journal) do
		argument = argument + 1
		if not isLost then
			seq = seq + 1
			redis.call('XADD', K.journal, seq .. '-0', 'link', link.id, 'revision', link.expected + 1, 'at', now,
				'kind', kind, 'entry', ARGV[argument])
			later('ZADD', K.history, 0, link.id .. '\\0' .. string.format('%016d', seq))
		end
	end
end
for place, link in ipairs(heads) do
	if not lost[place] then keepLink(link, ARGV[7 + place]) end
end
for match in pairs(changedMatches) do
	local holder = matchHolders[match]
	if holder then later('HSET', K.matches, match, holder) else later('HDEL', K.matches, match) end
end
for entity, change in pairs(counts) do
	if change ~= 0 then redis.call('HINCRBY', K.counts, entity, change) end
end
for id, head in pairs(wakened) do
	if head then wake(id, head) end
end
for place, link in ipairs(heads) do keepJournal(link, lost[place]) end
flush()
if written > 0 then redis.call('HSET', K.policy, 'seq', seq) end
for place, link in ipairs(heads) do
	for _, change in ipairs(link.reviews) do
		if not lost[place] then changeReview(change) end
	end
end
`;

const OPENING = /* lua */ `
local position
if ARGV[1] ~= '' then
	position = redis.call('HGET', K.streams, 'position:' .. ARGV[1])
	if not position then return { 'unknown' } end
	if before(position, ARGV[2]) then return { 'gap', position } end
end
`;

const CLOSING = /* lua */ `
if position then
	local reached = ARGV[3]
	for place, link in ipairs(heads) do
		local stop = link.stop or ARGV[2]
		if lost[place] and before(stop, reached) then reached = stop end
	end
	if before(position, reached) then
		redis.call('HSET', K.streams, 'position:' .. ARGV[1], reached)
		position = reached
	end
end
local places = {}
for place in pairs(lost) do places[#places + 1] = place - 1 end
return { 'done', position or false, places, woken }
`;

/**
 * Arguments: the stream's system (or nothing), from, to, the grace, whether together, the heads (see `headOf` in
 * `redis-commit.ts`), how many links are woken at most; then the states, then the journal entries.
 *
 * @returns ['unknown'], ['gap', position], or ['done', position, places of those that lost, links woken]
 */
export const COMMIT = policyWriting(
	[
		...(['policy', 'streams', 'heads', 'states', 'ids', 'entities', 'counts', 'keys', 'matches', 'due', 'dates'] as const),
		...(['waits', 'blocks', 'likeness', 'journal', 'history', 'reviews', 'asked', 'open', 'about'] as const),
	],
	...[NOW, BYTEWISE, FETCHED, LATER, HEADS, MEMBERS, REVIEWS],
	...[OPENING, JUDGE, WOKEN, WRITE, EXPLAIN, CLOSING],
);
