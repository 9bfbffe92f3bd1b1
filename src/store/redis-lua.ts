import { createHash } from 'node:crypto';

import type { PolicyPart } from './redis-keys';

/** A script on keys of one policy. */
export interface PolicyScript {
	/** What the script touches, each as `K.<part>`. */
	readonly parts: readonly PolicyPart[];
	readonly script: RedisScript;
}

/** The text of a script and the hash it is called by. */
export interface RedisScript {
	readonly lua: string;
	readonly sha: string;
}

/** Refused as a whole while memory is short or the server is a replica, instead of ending half-way. */
const WRITES = '#!lua';
const READS = '#!lua flags=no-writes';
const WRITES_WHEN_FULL = '#!lua flags=allow-oom';

export function writing(lua: string): RedisScript {
	return scriptOf(`${WRITES}\n${lua}`);
}

/** For what little must be written before anything can be read. */
export function writingWhenFull(lua: string): RedisScript {
	return scriptOf(`${WRITES_WHEN_FULL}\n${lua}`);
}

export function policyWriting(parts: readonly PolicyPart[], ...lua: readonly string[]): PolicyScript {
	return { parts, script: writing([named(parts), ...lua].join('\n')) };
}

export function policyReading(parts: readonly PolicyPart[], ...lua: readonly string[]): PolicyScript {
	return { parts, script: scriptOf([READS, named(parts), ...lua].join('\n')) };
}

function scriptOf(lua: string): RedisScript {
	return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

function named(parts: readonly PolicyPart[]): string {
	return `local K = { ${parts.map((part, place) => `${part} = KEYS[${place + 1}]`).join(', ')} }`;
}

/** `now`: milliseconds since 1970 by the server's clock. */
export const NOW = /* lua */ `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** `raiseEpoch(key, began)`: see `nextEpoch`. Needs `now`. */
export const RAISE = /* lua */ `
local function raiseEpoch(key, began)
	local epoch = tonumber(redis.call('HGET', key, 'epoch') or 0)
	redis.call('HSET', key, 'epoch', math.max(epoch + 1, math.floor((now - began) / 60000)))
end
`;

/** `before(a, b)`: bytewise, because Lua's own order of texts follows the server's locale. */
export const BYTEWISE = /* lua */ `
local function before(a, b)
	for place = 1, math.min(#a, #b) do
		local x, y = a:byte(place), b:byte(place)
		if x ~= y then return x < y end
	end
	return #a < #b
end
`;

/** `fetched(hash, names)`: values by name, false where there is none. In pieces, because Lua hands over only so many arguments at once. */
export const FETCHED = /* lua */ `
local PIECE = 1000
local function fetched(hash, names)
	local values = {}
	for first = 1, #names, PIECE do
		local last = math.min(first + PIECE - 1, #names)
		for place, value in ipairs(redis.call('HMGET', hash, unpack(names, first, last))) do values[names[first + place - 1]] = value end
	end
	return values
end
`;

/**
 * `later(command, key, one, two)`: collects what one command can do for many links, because a call costs more than what
 * it does; `flush()` sends what is left. The order is lost, so nothing is named twice.
 */
export const LATER = /* lua */ `
local batches = {}
local function later(command, key, one, two)
	local name = command .. key
	local batch = batches[name]
	if not batch or #batch > PIECE then
		if batch then redis.call(unpack(batch)) end
		batch = { command, key }
		batches[name] = batch
	end
	batch[#batch + 1] = one
	batch[#batch + 1] = two
end
local function flush()
	for _, batch in pairs(batches) do redis.call(unpack(batch)) end
	batches = {}
end
`;

/**
 * `headsOf(ids)`: what scripts know of links, by id, false where there is none. Needs `FETCHED` and the parts `policy` and `heads`.
 *
 * A new version of a policy makes all its links due and moves their revisions. That is one number here (`bumps`)
 * instead of a write per link, which would hold the server up: a head says which bump it has seen, and is brought up to
 * date when it is read. What is 0, false or empty is left out.
 */
export const HEADS = /* lua */ `
local bumps = tonumber(redis.call('HGET', K.policy, 'bumps') or 0)
local function headOf(text)
	local head = cjson.decode(text)
	local missed = bumps - (head.bumps or 0)
	if missed > 0 then
		head.revision, head.bumps, head.due = head.revision + missed, bumps, true
		head.wakes, head.tries = nil, nil
	end
	return head
end
local function headsOf(ids)
	local heads = fetched(K.heads, ids)
	for id, text in pairs(heads) do heads[id] = text and headOf(text) end
	return heads
end
local function headText(head)
	if head.wakes == 0 then head.wakes = nil end
	if head.tries == 0 then head.tries = nil end
	if head.bumps == 0 then head.bumps = nil end
	return cjson.encode(head)
end
`;

/** `linksOf(ids)`: of those that are there, state, revision, whether it is due, and its match keys. Needs `HEADS` and the part `states`. */
export const LINKS = /* lua */ `
local function linksOf(ids)
	local heads, states, links = headsOf(ids), fetched(K.states, ids), {}
	for _, id in ipairs(ids) do
		local head, matches = heads[id], {}
		if head then
			for _, match in pairs(head.matches or {}) do matches[#matches + 1] = match end
			links[#links + 1] = { states[id], head.revision, head.due and 1 or 0, matches }
		end
	end
	return links
end
`;

/** `members(set, first, limit)`: what stands after `first` and a separator in members of a lexicographic set. */
export const MEMBERS = /* lua */ `
local function members(set, first, limit, after)
	local from = after and '(' .. first .. '\\0' .. after or '[' .. first .. '\\0'
	local found = redis.call('ZRANGE', set, from, '(' .. first .. '\\1', 'BYLEX', 'LIMIT', 0, limit)
	for place, member in ipairs(found) do found[place] = member:sub(#first + 2) end
	return found
end
`;
