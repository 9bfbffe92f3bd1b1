import type { LinkState } from '../core/link';
import { type LinkDocument, unpackLink } from './link-document';
import { indexable } from './identity-text';
import type { RedisDatabase } from './redis-database';
import { SEPARATOR } from './redis-keys';
import { policyReading } from './redis-lua';
import type { DatesRequest } from './sync-store';

/** Arguments: from, up to (excluded), limit. @returns the documents, the earliest first */
const PASSED = policyReading(['dates', 'states'], /* lua */ `
local found = redis.call('ZRANGE', K.dates, ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3])
local states = {}
for _, member in ipairs(found) do
	local state = redis.call('HGET', K.states, member:match('%z([^%z]*)$'))
	if state then states[#states + 1] = state end
end
return states
`);

export async function findPassed(
	db: RedisDatabase,
	{ policy, system, untilMs, limit }: DatesRequest,
): Promise<readonly LinkState[]> {
	const of = indexable(system);
	// What stands behind a time begins with the separator, so nothing lies between it and the next character.
	const range = [`[${of}${SEPARATOR}`, `(${dateMember(system, untilMs)}\x01`, limit];
	const states = await db.policy<readonly string[]>(policy, PASSED, range);
	return states.map((state) => unpackLink(JSON.parse(state) as LinkDocument));
}

/** A system and a time as the beginning of a member: bytewise order is the order of times. */
export function dateMember(system: string, atMs: number): string {
	return `${indexable(system)}${SEPARATOR}${sortable(atMs)}`;
}

/** Sixteen hexadecimal digits in the order of the numbers: a positive double's bits are, a negative one's are once inverted. */
function sortable(value: number): string {
	const view = new DataView(new ArrayBuffer(8));
	view.setFloat64(0, value === 0 ? 0 : value);
	const bits = view.getBigUint64(0);
	const isNegative = bits >> 63n === 1n;
	return (isNegative ? BigInt.asUintN(64, ~bits) : bits | (1n << 63n)).toString(16).padStart(16, '0');
}
