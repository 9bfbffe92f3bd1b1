import { SyncError } from '../core/errors';
import { EXISTENCE, existsIn, type LinkState } from '../core/link';
import { matchKeysOfLink } from '../core/match-keys';
import type { EntityPolicy } from '../core/policy';
import { BY_HAND } from '../core/resolve';
import { checkPartable, partedLink } from '../core/split-link';
import { commitOfChoice, joinPair } from './join-pair';
import { type FoundRecord, loadRecord, type RecordRef } from './load-record';
import { policyInForce } from './published-policy';
import { retryContended } from './retry-contended';
import type { LinkCommit, LoadedLink, SyncStore } from './sync-store';

type LinkingStore = Pick<SyncStore, 'load' | 'commit'>;

/** Which links there are now. */
export interface Relinked {
	readonly link: string;
	/** The link that has been given up, or has come to be; null: nothing has changed. */
	readonly other: string | null;
}

/**
 * A person says that two records are one. Their links become one as if a match key had said so: where they differ, the rules
 * decide, or ask. Nothing when they are one already.
 *
 * @throws SyncError CANNOT_LINK, RECORD_UNKNOWN, COMMIT_CONTENDED, STORE_UNREACHABLE, POLICY_UNPUBLISHED
 */
export async function joinRecords(store: LinkingStore, { policy, records, by }: { policy: string; records: readonly [RecordRef, RecordRef]; by: string }): Promise<Relinked> {
	return await committed(store, policy, async () => {
		const [one, other] = [await loadRecord(store, policy, records[0]), await loadRecord(store, policy, records[1])];
		if (one.link.state.id === other.link.state.id) return { commits: [], done: { link: one.link.state.id, other: null } };
		const pair = { one: one.link, other: other.link, entity: entityOf(one, other), published: other.published };
		checkJoinable(pair);
		const commits = joinPair(pair, { review: BY_HAND, token: '', by });
		const [whole, rest] = commits.map(({ state }) => state.id);
		return { commits, done: { link: whole ?? '', other: rest ?? null } };
	});
}

/**
 * A person says that the row of one system is another record than the rest of its link. Two links come of it; neither makes
 * anything in the systems that lack it before somebody has said so.
 *
 * @throws SyncError CANNOT_PART, RECORD_UNKNOWN, COMMIT_CONTENDED, STORE_UNREACHABLE, POLICY_UNPUBLISHED
 */
export async function partRecord(store: LinkingStore, { policy, record, system, by }: { policy: string; record: RecordRef; system: string; by: string }): Promise<Relinked> {
	return await committed(store, policy, async () => {
		const { link, published } = await loadRecord(store, policy, record);
		checkPartable(link.state, system);
		const inForce = policyInForce(published);
		const begun = partedLink(link.state, system);
		const resolution = { review: BY_HAND, token: '', by };
		const rest = commitOfChoice(link, { published, policy: inForce }, { ...resolution, choice: { kind: 'part', system, into: begun.id } });
		const row = commitOfChoice(newLink(begun), { published, policy: inForce }, { ...resolution, choice: { kind: 'parted', system, from: link.state } });
		const { id, entity, generation } = begun;
		const created = { kind: 'created' as const, generation, entity, by: system, ambiguous: false };
		const kept = matchKeysOfLink(inForce.policy, rest.state);
		const claims = [...matchKeysOfLink(inForce.policy, row.state)].filter((match) => !kept.has(match));
		const releases = link.matches.filter((match) => !kept.has(match));
		const commits = [{ ...rest, releases }, { ...row, claims, journal: [created, ...row.journal] }];
		return { commits, done: { link: link.state.id, other: id } };
	});
}

const newLink = (state: LinkState): LoadedLink => ({ state, revision: 0, due: false, matches: [] });

interface Step {
	readonly commits: readonly LinkCommit[];
	readonly done: Relinked;
}

async function committed(store: LinkingStore, policy: string, think: () => Promise<Step>): Promise<Relinked> {
	return await retryContended(async (isLast) => {
		const { commits, done } = await think();
		if (commits.length === 0) return done;
		const { links } = await store.commit({ policy, links: commits, together: true });
		if (!links.includes('conflict')) return done;
		if (isLast) throw new SyncError('COMMIT_CONTENDED', `The record of link ${done.link} changes all the time`);
		return null;
	});
}

function entityOf(one: FoundRecord, other: FoundRecord): EntityPolicy {
	const { entity } = one.link.state;
	if (entity !== other.link.state.entity) throw cannot(`one is a ${entity}, the other a ${other.link.state.entity}`);
	const known = policyInForce(one.published).policy.entities.get(entity);
	if (known) return known;
	throw cannot(`the policy in force has no entity "${entity}"`);
}

function checkJoinable({ one: { state: a }, other: { state: b }, entity }: { one: LoadedLink; other: LoadedLink; entity: EntityPolicy }): void {
	const both = [...entity.tables.keys()].find((system) => hasOrGets(a, system) && hasOrGets(b, system));
	if (both !== undefined) throw cannot(`${both} has a row of each`);
	const isSingle = (state: LinkState): boolean => Object.keys(state.inFlight).length === 0 && Object.keys(state.keys).filter((system) => existsIn(state, system)).length === 1;
	if (![a, b].some(isSingle)) throw cannot('each of them has rows of two systems, or a write under way');
	if ([a, b].some(({ fields }) => ['approval', 'conflict'].includes(fields[EXISTENCE]?.frozen?.kind ?? ''))) throw cannot('whether one of them shall exist at all is an open question');
}

/** Rows that are gone count as well: what comes after a delete is another record. Not where a person has said that a system goes without. */
function hasOrGets({ fields, inFlight }: LinkState, system: string): boolean {
	const view = fields[EXISTENCE]?.views[system];
	return (view !== undefined && !(view.canon === false && view.accepted)) || inFlight[system]?.kind === 'insert';
}

function cannot(why: string): SyncError {
	return new SyncError('CANNOT_LINK', `The two records cannot become one: ${why}`);
}
