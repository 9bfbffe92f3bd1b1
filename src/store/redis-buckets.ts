import type { RedisDatabase } from './redis-database';
import { writing } from './redis-lua';
import type { Taken, TakeRequest } from './token-bucket';

/**
 * A bucket is a key of its own: tokens, the time at which it held them, and until when it is paused. It is forgotten when
 * it would have filled up long since, because a bucket that nothing was ever taken from is full.
 */
const KEPT_MS = 3_600_000;

/** Times with fractions: who waited as long as he was told must not come a part of a millisecond too early. */
const BUCKET = /* lua */ `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local function bucketOf(key)
	local text = redis.call('GET', key)
	if not text then return nil end
	local tokens, at, pausedUntil = text:match('^(%S+) (%S+) (%S+)$')
	return tonumber(tokens), tonumber(at), tonumber(pausedUntil)
end
local function keepBucket(key, tokens, at, pausedUntil, forMs)
	local text = string.format('%.17g %.17g %.17g', tokens, at, pausedUntil)
	redis.call('SET', key, text, 'PX', string.format('%.0f', math.min(forMs, 1e12) + ${KEPT_MS}))
end
`;

/** Does what `takeFrom` does. Arguments: per request wanted, capacity and tokens per second, both -1 without a rate. @returns granted and wait by turns */
const TAKE = writing(`${BUCKET}
local answers = {}
local function take(wanted, capacity, perSecond)
	local tokens, at, pausedUntil = bucketOf(KEYS[1])
	if not tokens then tokens, at, pausedUntil = math.max(0, capacity), now, 0 end
	if pausedUntil > now then return 0, pausedUntil - now end
	if capacity < 0 then
		keepBucket(KEYS[1], tokens, now, pausedUntil, 0)
		return wanted, 0
	end
	local there = math.min(capacity, tokens + math.max(0, now - at) / 1000 * perSecond)
	local granted = math.min(wanted, math.floor(there + 1e-6))
	local left = math.max(0, there - granted)
	keepBucket(KEYS[1], left, now, pausedUntil, capacity / perSecond * 1000)
	return granted, granted < wanted and (1 - left) / perSecond * 1000 or 0
end
for place = 1, #ARGV, 3 do
	local granted, wait = take(tonumber(ARGV[place]), tonumber(ARGV[place + 1]), tonumber(ARGV[place + 2]))
	answers[#answers + 1] = string.format('%.17g', granted)
	answers[#answers + 1] = string.format('%.17g', wait)
end
return answers
`);

/** One step per bucket, in the order of its requests. */
export async function take(db: RedisDatabase, requests: readonly TakeRequest[]): Promise<readonly Taken[]> {
	const taken = new Map<TakeRequest, Taken>();
	const buckets = [...new Set(requests.map(({ bucket }) => bucket))];
	await Promise.all(
		buckets.map(async (bucket) => {
			const own = requests.filter((one) => one.bucket === bucket);
			const args = own.flatMap(({ wanted, rate }) => [wanted, rate?.capacity ?? -1, rate?.perSecond ?? -1]);
			const reply = await db.run<readonly string[]>(TAKE, [db.keys.bucket(bucket)], args);
			for (const [place, one] of own.entries()) {
				taken.set(one, { granted: Number(reply[place * 2]), waitMs: Number(reply[place * 2 + 1]) });
			}
		}),
	);
	return requests.map((request) => taken.get(request) ?? { granted: 0, waitMs: 0 });
}

/** Argument: for how long. */
const PAUSE = writing(`${BUCKET}
local _, _, pausedUntil = bucketOf(KEYS[1])
local untilMs = now + ARGV[1]
if not pausedUntil or pausedUntil < untilMs then keepBucket(KEYS[1], 0, untilMs, untilMs, tonumber(ARGV[1])) end
return 1
`);

export async function pause(db: RedisDatabase, bucket: string, forMs: number): Promise<void> {
	await db.run(PAUSE, [db.keys.bucket(bucket)], [forMs]);
}
