import type { StoredJournalEntry } from '../../src/core/journal';
import { EXISTENCE } from '../../src/core/link';
import type { StoredReview } from '../../src/core/review';
import type { LoadedLink } from '../../src/store/sync-store';
import { CLIENT, type Version } from '../support/rest-crm/records';
import { allLinks } from './idle';
import { readReviews } from './operator';
import type { Rehearsal } from './rehearsal';
import type { WitnessedTransaction } from './witness';

/** What there is to be seen when the sync stands still. */
export interface Facts {
	readonly links: readonly LoadedLink[];
	/** The whole journal; what came before the start is needed to replay it. */
	readonly journal: readonly StoredJournalEntry[];
	/** Since the start. */
	readonly news: readonly StoredJournalEntry[];
	readonly reviews: readonly StoredReview[];
	/** Of systems that are APIs: the versions of their records since the start. */
	readonly versions: ReadonlyMap<string, readonly Version[]>;
	/** Since the start, by system. */
	readonly transactions: ReadonlyMap<string, readonly WitnessedTransaction[]>;
}

const JOURNAL_LIMIT = 1_000_000;

export async function readFacts(rehearsal: Rehearsal): Promise<Facts> {
	const { home, policyName, baseline, witnesses } = rehearsal;
	await Promise.all([...witnesses.values()].map(async (witness) => await witness.catchUp()));
	const journal = await home.observer.readJournal({ policy: policyName, limit: JOURNAL_LIMIT });
	const start = BigInt(baseline.journalSeq);
	const versions = [...rehearsal.apis].map(async ([system, api]) => [system, await api.news()] as const);
	return {
		versions: new Map(await Promise.all(versions)),
		links: await allLinks(home.observer, policyName),
		journal,
		news: journal.filter(({ seq }) => BigInt(seq) > start),
		reviews: await readReviews(rehearsal),
		transactions: new Map(
			[...witnesses].map(([system, { transactions }]) => [system, transactions.slice(baseline.transactions.get(system) ?? 0)]),
		),
	};
}

export const openReviews = ({ reviews }: Facts): StoredReview[] => reviews.filter(({ state }) => state === 'open');

/** Rows that operations of ours changed in a system since the start. */
export function writesIn({ transactions, versions }: Facts, system: string): number {
	const made = versions.get(system);
	if (made) return made.filter(({ by }) => by === CLIENT).length;
	const markers = (transactions.get(system) ?? []).flatMap(({ markers: found }) => found);
	return new Set(markers.flatMap(({ op, outcome }) => (outcome === 'applied' ? [op] : []))).size;
}

export const countOf = ({ news }: Facts, kind: StoredJournalEntry['entry']['kind']): number =>
	news.filter(({ entry }) => entry.kind === kind).length;

/** Whether a system has the record, as far as the sync knows. */
export function isLive({ state }: LoadedLink): boolean {
	return Object.values(state.fields[EXISTENCE]?.views ?? {}).some(({ canon }) => canon === true);
}
