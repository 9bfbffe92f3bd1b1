import type { JournalEntry, StoredJournalEntry } from '../core/journal';
import type { RedisDatabase } from './redis-database';
import { MEMBERS, policyReading } from './redis-lua';
import type { JournalFilter } from './sync-store';

/** Number, link, revision, time, kind, entry. */
type EntryReply = readonly [string, string, string, string, JournalEntry['kind'], string];

/** Arguments: the link or nothing, the number before the first, limit. */
const READ = policyReading(['journal', 'history'], MEMBERS, /* lua */ `
local found = {}
local function add(entry)
	local fields = entry[2]
	found[#found + 1] = { entry[1]:match('^%d+'), fields[2], fields[4], fields[6], fields[8], fields[10] }
end
if ARGV[1] == '' then
	for _, entry in ipairs(redis.call('XRANGE', K.journal, '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])) do add(entry) end
	return found
end
for _, seq in ipairs(members(K.history, ARGV[1], ARGV[3], string.format('%016d', ARGV[2]))) do
	local place = tonumber(seq) .. '-0'
	add(redis.call('XRANGE', K.journal, place, place)[1])
end
return found
`);

const CHUNK = 1_000;

/** Entries never change and are only ever added at the end, so that reading on is reading the same journal. */
export async function readJournal(db: RedisDatabase, filter: JournalFilter): Promise<readonly StoredJournalEntry[]> {
	const { policy, link, kinds, afterSeq = '0', limit } = filter;
	if (link === '') return [];
	const found: StoredJournalEntry[] = [];
	for (let after = afterSeq; found.length < limit; ) {
		const wanted = kinds === undefined ? Math.min(CHUNK, limit - found.length) : CHUNK;
		const entries = await db.policy<readonly EntryReply[]>(policy, READ, [link ?? '', after, wanted]);
		found.push(...entries.filter(([, , , , kind]) => kinds?.includes(kind) ?? true).map(entryOf));
		after = entries.at(-1)?.[0] ?? after;
		if (entries.length < wanted) break;
	}
	return found.slice(0, limit);
}

function entryOf([seq, link, revision, at, , entry]: EntryReply): StoredJournalEntry {
	return { seq, link, revision: Number(revision), atMs: Number(at), entry: JSON.parse(entry) as JournalEntry };
}
