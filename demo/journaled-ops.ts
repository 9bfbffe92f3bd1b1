import { canonicalJson, type Json } from '../src/core/canonical-json';
import type { LinkState, Operation } from '../src/core/link';
import { inForce, type PolicyInForce } from '../src/core/observe';
import { policyOf } from '../src/core/parse-policy';
import { replay, type ReplayedEntry } from '../src/core/replay';
import { type LinkDocument, unpackLink } from '../src/store/link-document';
import type { DemoDatabases } from './databases';

export interface ReplayedJournal {
	/** Every operation that was ever decided, by id. */
	readonly operations: ReadonlyMap<string, Operation>;
	readonly links: number;
	/** Links whose journal does not lead to the state that is stored. */
	readonly unfaithful: readonly string[];
}

/** Replays the journal of every link, and compares where it leads with the state in the store. */
export async function replayJournal({ store }: DemoDatabases): Promise<ReplayedJournal> {
	const policies = await readPolicies(store);
	const stored = await store.query<{ id: string; state: LinkDocument }>(
		'select id, state from n8n_bisync.links',
	);
	const journal = await store.query<{ link: string; entries: ReplayedEntry[] }>(
		`select link, json_agg(json_build_object('link', link, 'entry', entry) order by seq) as entries
		 from n8n_bisync.journal group by link`,
	);
	const byLink = new Map(journal.rows.map(({ link, entries }) => [link, entries]));
	const operations = new Map<string, Operation>();
	const unfaithful = stored.rows.filter(({ id, state }) => {
		const replayed = replayOne(byLink.get(id) ?? [], policies, operations);
		return canonicalJson(replayed as unknown as Json) !== canonicalJson(unpackLink(state) as unknown as Json);
	});
	return { operations, links: stored.rows.length, unfaithful: unfaithful.map(({ id }) => id) };
}

function replayOne(
	entries: readonly ReplayedEntry[],
	policies: ReadonlyMap<string, PolicyInForce>,
	operations: Map<string, Operation>,
): LinkState | null {
	return replay(
		entries,
		(hash) => policies.get(hash),
		({ inFlight }) => {
			for (const op of Object.values(inFlight)) operations.set(op.id, op);
		},
	);
}

async function readPolicies(store: DemoDatabases['store']): Promise<Map<string, PolicyInForce>> {
	const { rows } = await store.query<{ hash: string; document: Json }>(
		'select hash, document from n8n_bisync.policy_versions',
	);
	return new Map(rows.map(({ hash, document }) => [hash, inForce(policyOf(document))]));
}
