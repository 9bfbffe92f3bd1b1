import type { JournalEntry, StoredJournalEntry } from '../core/journal';
import type { StoreDatabase } from './postgres-database';
import type { JournalFilter } from './sync-store';

interface JournalRow {
	readonly seq: string;
	readonly link: string;
	readonly revision: number;
	readonly at: string;
	readonly entry: JournalEntry;
}

export async function readJournal(
	db: StoreDatabase,
	{ policy, link, kinds, afterSeq = '0', limit }: JournalFilter,
): Promise<readonly StoredJournalEntry[]> {
	const rows = await db.query<JournalRow>(
		`select seq, link, revision, floor(extract(epoch from at) * 1000) as at, entry
		from ${db.schema}.journal
		where policy = $1 and seq > $2::bigint
			and ($3::text is null or link = $3) and ($4::text[] is null or kind = any ($4))
		order by seq limit $5`,
		[policy, afterSeq, link, kinds, limit],
	);
	return rows.map(({ at, ...row }) => ({ ...row, atMs: Number(at) }));
}
