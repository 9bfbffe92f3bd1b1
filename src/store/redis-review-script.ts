/**
 * `changeReview(change)`: opens, refreshes or closes a review item. Needs the parts `reviews`, `asked`, `open`, `about`
 * and `now`. An item is stored as two lines: what scripts look at (times, state, kind, link), and the item as it was given.
 */
export const REVIEWS = /* lua */ `
local function reviewOf(id)
	local text = redis.call('HGET', K.reviews, id)
	if not text then return nil end
	local line = text:find('\\n', 1, true)
	return cjson.decode(text:sub(1, line - 1)), text:sub(line + 1)
end
local function keepReview(id, review, item)
	redis.call('HSET', K.reviews, id, cjson.encode(review) .. '\\n' .. item)
end
local function closeReview(change, review, item)
	if not review or review.state ~= 'open' then return end
	review.state, review.closedBy, review.updatedAtMs = change.how, change.by, now
	keepReview(change.id, review, item)
	redis.call('ZREM', K.open, change.id)
end
local function openReview(change, known)
	local isOpen = known and known.state == 'open'
	local openedAtMs = isOpen and known.openedAtMs or now
	if known and known.link then redis.call('ZREM', K.about, known.link .. '\\0' .. change.id) end
	if change.link then redis.call('ZADD', K.about, 0, change.link .. '\\0' .. change.id) end
	redis.call('ZADD', K.asked, openedAtMs, change.id)
	redis.call('ZADD', K.open, openedAtMs, change.id)
	local review = { state = 'open', kind = change.kind, link = change.link, openedAtMs = openedAtMs, updatedAtMs = now }
	keepReview(change.id, review, change.item)
end
local function changeReview(change)
	local review, item = reviewOf(change.id)
	if change.how then closeReview(change, review, item) else openReview(change, review) end
end
`;
