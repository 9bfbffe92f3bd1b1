import type { Json } from '../core/canonical-json';
import type { LinkState } from '../core/link';
import type { RedisDatabase } from './redis-database';
import { SEPARATOR } from './redis-keys';
import { FETCHED, HEADS, MEMBERS, NOW, policyReading, policyWriting } from './redis-lua';
import { REVIEWS } from './redis-review-script';
import { type FiguresRequest, type Grain, KEPT_MS, MAX_DUE_COUNTED, MAX_WAITING, type Sample, type SampleFilter, type StoreFigures, type WaitingLink } from './store-figures';

/** Due links whose heads are read to find those that were offered most often, and open items that are counted by kind. */
const MAX_READ = 5_000;
/** Journal entries that one step counts: a step holds the server up. */
const MAX_COUNTED = 10_000;

/** Arguments: how many are read, and are returned. @returns now, count, waiting (wakes at, wakes, state), items by kind (count, oldest), the last entry's number */
const FIGURES = policyReading(['policy', 'heads', 'states', 'due', 'reviews', 'asked', 'open', 'about'], NOW, FETCHED, HEADS, REVIEWS, /* lua */ `
local dues = redis.call('ZRANGE', K.due, 0, ARGV[1] - 1, 'WITHSCORES')
local ids, wakeAt = {}, {}
for place = 1, #dues, 2 do
	ids[#ids + 1] = dues[place]
	wakeAt[dues[place]] = tonumber(dues[place + 1])
end
local heads = headsOf(ids)
local function wakesOf(id) return heads[id] and heads[id].wakes or 0 end
table.sort(ids, function(a, b)
	if wakesOf(a) ~= wakesOf(b) then return wakesOf(a) > wakesOf(b) end
	if wakeAt[a] ~= wakeAt[b] then return wakeAt[a] < wakeAt[b] end
	return a < b
end)
for place = #ids, ARGV[2] + 1, -1 do ids[place] = nil end
local states, waiting = fetched(K.states, ids), {}
for _, id in ipairs(ids) do waiting[#waiting + 1] = { string.format('%.0f', wakeAt[id]), wakesOf(id), states[id] } end
local kinds, names = {}, {}
for _, id in ipairs(redis.call('ZRANGE', K.open, 0, ARGV[1] - 1)) do
	local review = reviewOf(id)
	if review and not kinds[review.kind] then
		kinds[review.kind] = { count = 0, oldest = review.openedAtMs }
		names[#names + 1] = review.kind
	end
	if review then kinds[review.kind].count = kinds[review.kind].count + 1 end
end
table.sort(names)
local items = {}
for _, name in ipairs(names) do items[#items + 1] = { name, kinds[name].count, string.format('%.0f', kinds[name].oldest) } end
return { string.format('%.0f', now), redis.call('ZCARD', K.due), waiting, items, redis.call('HGET', K.policy, 'seq') or '0' }
`);

type FiguresReply = readonly [string, number, readonly (readonly [string, number, string])[], readonly (readonly [StoreFigures['reviews'][number]['kind'], number, string])[], string];

/** Arguments: the number before the first, how many. @returns the last number, how many there were, kinds and their counts by turns */
const COUNT = policyReading(['journal'], /* lua */ `
local counts, last, found = {}, ARGV[1], 0
while found < tonumber(ARGV[2]) do
	local entries = redis.call('XRANGE', K.journal, '(' .. last .. '-0', '+', 'COUNT', 1000)
	for _, entry in ipairs(entries) do counts[entry[2][8]] = (counts[entry[2][8]] or 0) + 1 end
	found = found + #entries
	if #entries > 0 then last = entries[#entries][1]:match('^%d+') end
	if #entries < 1000 then break end
end
local answer = { last, found }
for kind, count in pairs(counts) do
	answer[#answer + 1] = kind
	answer[#answer + 1] = count
end
return answer
`);

/** One step; counting what the journal has got since the last look takes one more for each ten thousand entries. */
export async function readFigures(db: RedisDatabase, { policy, afterSeq }: FiguresRequest): Promise<StoreFigures> {
	const [[now, count, waiting, items, seq], counted] = await Promise.all([
		db.policy<FiguresReply>(policy, FIGURES, [MAX_READ, MAX_WAITING]),
		afterSeq === undefined ? null : countEntries(db, policy, afterSeq),
	]);
	return {
		nowMs: Number(now),
		due: { count: Math.min(count, MAX_DUE_COUNTED), waiting: waiting.map(([wakeAt, wakes, state]) => waitingOf(Number(wakeAt), wakes, state)) },
		reviews: items.map(([kind, number, oldest]) => ({ kind, count: number, oldestAtMs: Number(oldest) })),
		journal: counted ?? { lastSeq: seq, counts: {} },
	};
}

function waitingOf(wakeAtMs: number, wakes: number, state: string): WaitingLink {
	const { inFlight } = JSON.parse(state) as Pick<LinkState, 'inFlight'>;
	return { wakeAtMs, wakes, inFlight: Object.keys(inFlight).sort() };
}

async function countEntries(db: RedisDatabase, policy: string, afterSeq: string): Promise<StoreFigures['journal']> {
	const counts: Record<string, number> = {};
	for (let lastSeq = afterSeq; ; ) {
		const [last, found, ...kinds] = await db.policy<readonly [string, number, ...(string | number)[]]>(policy, COUNT, [lastSeq, MAX_COUNTED]);
		lastSeq = last;
		for (let place = 0; place < kinds.length; place += 2) {
			const kind = String(kinds[place]);
			counts[kind] = (counts[kind] ?? 0) + Number(kinds[place + 1]);
		}
		if (found < MAX_COUNTED) return { lastSeq, counts };
	}
}

/** Arguments: how long minutes and hours are kept; then per sample its grain, its place and its values. */
const KEEP = policyWriting(['samples', 'sampled'], NOW, /* lua */ `
local kept = { minute = tonumber(ARGV[1]), hour = tonumber(ARGV[2]) }
for place = 3, #ARGV, 3 do
	local grain, member, values = ARGV[place], ARGV[place + 1], ARGV[place + 2]
	redis.call('HSET', K.samples, member, values)
	redis.call('ZADD', K.sampled, 0, member)
	if kept[grain] then
		local series = member:match('^(.*%z)')
		local oldest = string.format('%016.0f', math.max(0, now - kept[grain]))
		local old = redis.call('ZRANGE', K.sampled, '[' .. series, '(' .. series .. oldest, 'BYLEX', 'LIMIT', 0, 1000)
		if #old > 0 then
			redis.call('ZREM', K.sampled, unpack(old))
			redis.call('HDEL', K.samples, unpack(old))
		end
	end
end
return 1
`);

export async function keepSamples(db: RedisDatabase, policy: string, samples: readonly Sample[]): Promise<void> {
	if (samples.length === 0) return;
	const args = samples.flatMap(({ grain, series, atMs, values }) => [grain, placeOf(grain, series, atMs), JSON.stringify(values)]);
	await db.policy(policy, KEEP, [KEPT_MS.minute, KEPT_MS.hour, ...args]);
}

const DIGITS = 16;
const placeOf = (grain: Grain, series: string, atMs: number): string => [grain, series, String(atMs).padStart(DIGITS, '0')].join(SEPARATOR);

/** Argument: what the members begin with. @returns members and values by turns */
const READ = policyReading(['samples', 'sampled'], FETCHED, MEMBERS, /* lua */ `
local names = {}
for _, rest in ipairs(members(K.sampled, ARGV[1], -1)) do names[#names + 1] = ARGV[1] .. '\\0' .. rest end
local values, answer = fetched(K.samples, names), {}
for _, name in ipairs(names) do
	answer[#answer + 1] = name
	answer[#answer + 1] = values[name]
end
return answer
`);

export async function readSamples(db: RedisDatabase, { policy, grain, series, fromMs = 0 }: SampleFilter): Promise<readonly Sample[]> {
	const reply = await db.policy<readonly string[]>(policy, READ, [series === undefined ? grain : `${grain}${SEPARATOR}${series}`]);
	const samples: Sample[] = [];
	for (let place = 0; place < reply.length; place += 2) {
		const [, name = '', at = '0'] = (reply[place] ?? '').split(SEPARATOR);
		const atMs = Number(at);
		if (atMs >= fromMs) samples.push({ series: name, grain, atMs, values: JSON.parse(reply[place + 1] ?? 'null') as Json });
	}
	return samples;
}
