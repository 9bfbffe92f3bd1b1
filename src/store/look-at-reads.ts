import { isAsKnown } from '../core/as-known';
import type { LinkState } from '../core/link';
import type { RecordChange } from '../core/record-change';
import { BatchLinks } from './batch-identity';
import { type LookedReads, lookThrough, readId } from './fresh-reads';
import { policyInForce } from './published-policy';
import type { LoadedLink, PublishedPolicy, RecordKey, SyncStore } from './sync-store';

/** What a row that was read outside of its stream would be to the sync. */
export interface LookedAt {
	readonly change: RecordChange;
	/**
	 * - `known`: the row is what the stream has shown.
	 * - `moving`: the stream has said something later of the record, or a write to it is under way: nothing can be said yet.
	 * - `differs`: it is not, or no stream has shown it.
	 */
	readonly found: 'known' | 'moving' | 'differs';
	/** No link has this row, as far as is known by now. It may have had another key when it was read. */
	readonly isNew: boolean;
	/** The record before; null: no link knows of it. */
	readonly before: LinkState | null;
	/** And with all rows that were looked at. */
	readonly after: LinkState | null;
}

/**
 * Says what rows would be to the sync that were read at places which their streams have passed, and observes none of
 * them. It is R1 itself that says so, so what is found to differ is what observing would change.
 */
export async function lookAtReads(
	store: Pick<SyncStore, 'load'>,
	published: PublishedPolicy,
	changes: readonly RecordChange[],
): Promise<readonly LookedAt[]> {
	const keys = changes.flatMap(({ system, entity, key }): RecordKey[] => (key === null ? [] : [{ system, entity, key }]));
	const { links } = await store.load({ policy: published.name, keys });
	const policy = policyInForce(published);
	const known = new BatchLinks(policy.policy, links);
	const sorted = changes.map((change) => ({ change, own: known.own(change)?.loaded ?? null }));
	const open = sorted.filter(({ change, own }) => stateOf(change, own, policy.policy.entities.get(change.entity)) === null);
	const after = open.length === 0 ? null : await lookThrough(store, { changes: open.map(({ change }) => change), published, policy, links });
	return sorted.map(({ change, own }) => {
		const before = own?.state ?? null;
		const found = stateOf(change, own, policy.policy.entities.get(change.entity));
		if (found !== null || after === null) return { change, found: found ?? 'known', isNew: own === null, before, after: before };
		return { change, isNew: own === null, ...judged(change, before, after) };
	});
}

/** What R1 has made of a read. */
function judged(change: RecordChange, before: LinkState | null, { links, overtaken }: LookedReads): Pick<LookedAt, 'found' | 'before' | 'after'> {
	const { system, entity, key } = change;
	const link = key === null ? undefined : links.whoHad(system, entity, key);
	const after = link?.state ?? before;
	if (after === null) return { found: 'known', before, after };
	if (overtaken.has(readId(change))) return { found: 'moving', before, after };
	const earlier = before ?? link?.loaded?.state ?? null;
	return { found: isSame(earlier, after, system) ? 'known' : 'differs', before: earlier, after };
}

/** What can be said without asking R1; null: that must be asked. */
function stateOf(change: RecordChange, own: LoadedLink | null, entity: Parameters<typeof isAsKnown>[2] | undefined): 'known' | 'moving' | null {
	if (entity === undefined) return 'known';
	if (own === null) return null;
	const { state } = own;
	if (isAsKnown(state, change, entity)) return 'known';
	const seen = state.seen[change.system];
	const isLater = seen !== undefined && seen > change.position;
	return isLater || Object.keys(state.inFlight).length > 0 ? 'moving' : null;
}

/** Another spelling of the same values is no difference. */
function isSame(before: LinkState | null, after: LinkState, system: string): boolean {
	if (before === null) return false;
	const names = new Set([...Object.keys(before.fields), ...Object.keys(after.fields)]);
	return [...names].every((name) => {
		const [then, now] = [before.fields[name]?.views[system], after.fields[name]?.views[system]];
		if (now === undefined || then === undefined) return now === then;
		return JSON.stringify(then.vector) === JSON.stringify(now.vector) && (then.unreadable === undefined) === (now.unreadable === undefined);
	});
}
