import type pg from 'pg';

import { canonicalJson, type Json } from '../../src/core/canonical-json';
import type { JournalEntry } from '../../src/core/journal';
import type { LinkState, Operation } from '../../src/core/link';
import { inForce, type PolicyInForce } from '../../src/core/observe';
import { policyOf } from '../../src/core/parse-policy';
import { replay, type ReplayedEntry } from '../../src/core/replay';
import { type LinkDocument, unpackLink } from '../../src/store/link-document';

export interface ReplayedJournal {
	/** Every operation that was decided in these links, by id. */
	readonly operations: ReadonlyMap<string, Operation>;
	readonly links: number;
	/** Links whose journal does not lead to the state that is stored. */
	readonly unfaithful: readonly string[];
	/** The number of the last entry there is. */
	readonly lastSeq: string;
}

/** One entry and what it led to. */
export interface ReplayedStep {
	/** Null before the link was created. */
	readonly before: LinkState | null;
	readonly after: LinkState;
	readonly entry: JournalEntry;
}

export interface ReplayOptions {
	/** Only links that have an entry after this one; default all. */
	readonly changedAfter?: string;
	/** Gets every entry of these links, in order. */
	readonly watch?: (step: ReplayedStep) => void;
}

/** Replays the journal of every link, and compares where it leads with the state in the store. */
export async function replayJournal(
	store: pg.Pool,
	{ changedAfter = '0', watch = () => undefined }: ReplayOptions = {},
): Promise<ReplayedJournal> {
	const policies = await readPolicies(store);
	const stored = await readChanged(store, changedAfter);
	const operations = new Map<string, Operation>();
	const unfaithful = stored.links.filter(({ state, entries }) => {
		const replayed = replayOne(entries, policies, (step) => {
			for (const op of Object.values(step.after.inFlight)) operations.set(op.id, op);
			watch(step);
		});
		return canonicalJson(replayed as unknown as Json) !== canonicalJson(unpackLink(state) as unknown as Json);
	});
	return {
		operations,
		links: stored.links.length,
		unfaithful: unfaithful.map(({ id }) => id),
		lastSeq: stored.lastSeq,
	};
}

interface StoredLink {
	readonly id: string;
	readonly state: LinkDocument;
	readonly entries: readonly ReplayedEntry[];
}

/** In one statement, so that the states are those that the entries lead to. */
async function readChanged(
	store: pg.Pool,
	changedAfter: string,
): Promise<{ links: readonly StoredLink[]; lastSeq: string }> {
	const { rows } = await store.query<{ links: StoredLink[] | null; last_seq: string }>(
		`with changed as (select distinct policy, link from n8n_bisync.journal where seq > $1)
		select (select coalesce(max(seq), 0)::text from n8n_bisync.journal) as last_seq,
			(select json_agg(json_build_object('id', id, 'state', state, 'entries', (
				select json_agg(json_build_object('link', j.link, 'entry', j.entry) order by j.seq)
				from n8n_bisync.journal j where j.policy = l.policy and j.link = l.id)))
			from n8n_bisync.links l join changed c on c.policy = l.policy and c.link = l.id) as links`,
		[changedAfter],
	);
	const [row] = rows;
	return { links: row?.links ?? [], lastSeq: row?.last_seq ?? '0' };
}

/** Replays the journal of one link. */
export function replayOne(
	entries: readonly ReplayedEntry[],
	policies: ReadonlyMap<string, PolicyInForce>,
	watch: (step: ReplayedStep) => void,
): LinkState | null {
	let before: LinkState | null = null;
	let at = 0;
	return replay(
		entries,
		(hash) => policies.get(hash),
		(after) => {
			const next = entries[at];
			at += 1;
			if (next) watch({ before, after, entry: next.entry });
			before = after;
		},
	);
}

async function readPolicies(store: pg.Pool): Promise<Map<string, PolicyInForce>> {
	const { rows } = await store.query<{ hash: string; document: Json }>(
		'select hash, document from n8n_bisync.policy_versions',
	);
	return new Map(rows.map(({ hash, document }) => [hash, inForce(policyOf(document))]));
}
