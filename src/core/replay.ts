import { withAttempt } from './api-record';
import { decide } from './decide';
import { SyncError } from './errors';
import type { JournalEntry } from './journal';
import { hold } from './hold';
import { ambiguousLink, emptyLink, FIRST_EPOCH, type LinkState } from './link';
import { observe, type PolicyInForce } from './observe';
import { resolve } from './resolve';
import { rollBack } from './roll-back';

/** A journal entry with its link, as the store returns it; what else is known of it does not matter here. */
export interface ReplayedEntry {
	readonly link: string;
	readonly entry: JournalEntry;
}

/**
 * The state of one link after these entries of its journal, computed anew from the inputs alone:
 * what was created, observed, decided, attempted and resolved. It is how a past state is explained, how a
 * decision is proved to follow from its policy, and how a lost state is made again.
 *
 * @param entries - of one link, oldest first, from its first one on; up to any point in time
 * @param policyByHash - the policy that an entry was made under, by its hash
 * @param seen - gets the state after each entry
 * @returns null without entries
 * @throws SyncError JOURNAL_INCOMPLETE when the first entry is not the link's creation, when the entries
 * are of several links, or when a policy is unknown.
 */
export function replay(
	entries: readonly ReplayedEntry[],
	policyByHash: (hash: string) => PolicyInForce | undefined,
	seen: (state: LinkState) => void = () => undefined,
): LinkState | null {
	const [first] = entries;
	if (first === undefined) return null;
	const { link } = first;
	const begun = firstState(first);
	if (entries.some((other) => other.link !== link)) throw incomplete(link, 'is mixed with another one');
	const policyOf = (hash: string): PolicyInForce => {
		const policy = policyByHash(hash);
		if (policy === undefined) throw incomplete(link, `was made under the unknown policy ${hash}`);
		return policy;
	};
	return entries.reduce(
		(state, { entry: next }) => {
			const after = replayStep(state, next, policyOf);
			seen(after);
			return after;
		},
		begun,
	);
}

/** The state before anything was observed, from the entry about the link's creation. @throws SyncError JOURNAL_INCOMPLETE when it is another one */
export function firstState({ link, entry }: ReplayedEntry): LinkState {
	if (entry.kind !== 'created') throw incomplete(link, 'does not begin with its creation');
	const empty = entry.ambiguous ? ambiguousLink : emptyLink;
	return empty(link, entry.entity, entry.generation);
}

/** The state after one more entry: the empty link's for its creation. */
export function replayStep(
	state: LinkState,
	entry: JournalEntry,
	policyOf: (hash: string) => PolicyInForce,
): LinkState {
	const inForceFor = ({ policyHash, pending = [], epoch = FIRST_EPOCH }: Circumstances): PolicyInForce => ({
		...policyOf(policyHash),
		pending: new Set(pending),
		epoch,
	});
	switch (entry.kind) {
		case 'observed':
			return observe(state, entry.change, inForceFor(entry)).state;
		case 'decided':
			return decide(state, inForceFor(entry), entry.mode, entry.known).state;
		case 'resolved':
			return resolve(state, entry.resolution, policyOf(entry.policyHash)).state;
		case 'held':
			return hold(state, entry.hold, policyOf(entry.policyHash)).state;
		case 'rolled-back':
			return rollBack(state, entry.rollBack, policyOf(entry.policyHash)).state;
		case 'attempted':
			return withAttempt(state, entry.system, entry.attempt);
		default: // All others explain what the inputs led to.
			return state;
	}
}

/** What an entry was made under. */
interface Circumstances {
	readonly policyHash: string;
	readonly pending?: readonly string[];
	readonly epoch?: number;
}

function incomplete(link: string, what: string): SyncError {
	return new SyncError('JOURNAL_INCOMPLETE', `The journal of link ${link} ${what}`);
}
