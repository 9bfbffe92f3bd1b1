import { answersInOrder } from './distinct-claims';
import type { RedisDatabase } from './redis-database';
import { NOW, type RedisScript, writing } from './redis-lua';
import type { Claim, ClaimRequest, HeldClaim } from './sync-store';

/**
 * A claim is a key of its own: whether it is held or done, its token, and until when. The server removes it an hour
 * after it lapsed; until then a lapsed lease that nobody took is still its holder's to complete.
 */
const KEPT_AFTER_MS = 3_600_000;

const CLAIMS = /* lua */ `
local function claimOf(key)
	local text = redis.call('GET', key)
	if not text then return nil end
	local state, token, untilMs = text:match('^(%a+) (%d+) (%d+)$')
	return { state = state, token = tonumber(token), untilMs = tonumber(untilMs) }
end
local function keepClaim(key, state, token, forMs)
	local untilMs = now + math.ceil(forMs)
	local text = state .. ' ' .. string.format('%d', token) .. ' ' .. string.format('%d', untilMs)
	redis.call('SET', key, text, 'PX', math.ceil(forMs) + ${KEPT_AFTER_MS})
end
`;

/** Tokens are no lower than the time, so that they grow even when the server has lost its data. Keys: the last token, claims. Argument: how long. @returns per claim its token, or who has it */
const CLAIM = writing(`${NOW}${CLAIMS}
local answers = {}
for place = 2, #KEYS do
	local known = claimOf(KEYS[place])
	if known and known.untilMs > now then
		answers[#answers + 1] = known.state
	else
		local token = math.max((redis.call('GET', KEYS[1]) or 0) + 1, now)
		redis.call('SET', KEYS[1], string.format('%d', token))
		keepClaim(KEYS[place], 'held', token, ARGV[1])
		answers[#answers + 1] = token
	end
end
return answers
`);

export async function claim(db: RedisDatabase, { scope, keys, leaseMs }: ClaimRequest): Promise<readonly Claim[]> {
	if (keys.length === 0) return [];
	const names = keys.map((key) => db.keys.claim(scope, key));
	const asked = [...new Set(names)];
	const replies = await db.run<readonly (number | string)[]>(CLAIM, [db.keys.claimToken(scope), ...asked], [leaseMs]);
	return answersInOrder(names, new Map(asked.map((name, place) => [name, claimOf(replies[place])])));
}

function claimOf(reply: number | string | undefined): Claim {
	if (typeof reply === 'number') return { state: 'new', token: reply };
	return { state: reply === 'done' ? 'duplicate' : 'in-progress' };
}

/** Keys: claims. Arguments: for how long, tokens. */
const COMPLETE = writing(`${NOW}${CLAIMS}
local answers = {}
for place, key in ipairs(KEYS) do
	local known = claimOf(key)
	local isHolder = known ~= nil and known.token == tonumber(ARGV[1 + place])
	if isHolder then keepClaim(key, 'done', known.token, ARGV[1]) end
	answers[place] = isHolder and 1 or 0
end
return answers
`);

export async function complete(db: RedisDatabase, claims: readonly HeldClaim[], retainMs: number): Promise<readonly boolean[]> {
	return await change(db, claims, { script: COMPLETE, retainMs });
}

/** As for `COMPLETE`, without a use for the time. */
const RELEASE = writing(`${NOW}${CLAIMS}
local answers = {}
for place, key in ipairs(KEYS) do
	local known = claimOf(key)
	local isHolder = known ~= nil and known.state == 'held' and known.token == tonumber(ARGV[1 + place])
	if isHolder then redis.call('DEL', key) end
	answers[place] = isHolder and 1 or 0
end
return answers
`);

export async function release(db: RedisDatabase, claims: readonly HeldClaim[]): Promise<readonly boolean[]> {
	return await change(db, claims, { script: RELEASE, retainMs: 0 });
}

/** One step per scope: each has keys of its own, and claims do not depend on each other. */
async function change(
	db: RedisDatabase,
	claims: readonly HeldClaim[],
	{ script, retainMs }: { script: RedisScript; retainMs: number },
): Promise<readonly boolean[]> {
	const changed = new Set<HeldClaim>();
	const scopes = [...new Set(claims.map(({ scope }) => scope))];
	await Promise.all(
		scopes.map(async (scope) => {
			const own = claims.filter((one) => one.scope === scope);
			const keys = own.map(({ key }) => db.keys.claim(scope, key));
			const replies = await db.run<readonly number[]>(script, keys, [retainMs, ...own.map(({ token }) => token)]);
			for (const [place, one] of own.entries()) if (replies[place] === 1) changed.add(one);
		}),
	);
	return claims.map((one) => changed.has(one));
}
