import type { ChangeEvent } from '../../src/core/change-event';
import type { JournalEntry } from '../../src/core/journal';
import type { LinkState, Operation } from '../../src/core/link';
import { foldEvents } from '../../src/core/fold-events';
import { prepareDecision } from '../../src/store/decide-step';
import type { MemoryState } from '../../src/store/memory-state';
import type { PreparedObservation } from '../../src/store/observation-run';
import { prepareObservation, unknownMatches } from '../../src/store/observe-step';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import { sortOut } from '../../src/store/stream-order';
import type { LinkCommit, LoadedLink, MatchKey } from '../../src/store/sync-store';

/**
 * Echo Filter and Field Authority Merge as single atomic attempts over the synchronous store, so
 * that a search can put anything between two attempts. The thinking is the product's own.
 */
export interface CommittedLink {
	readonly before: LinkState | null;
	readonly after: LinkState;
	readonly journal: readonly JournalEntry[];
}

export interface ObservedOnce {
	/** Every link that the batch met, and whether it is due now. */
	readonly due: ReadonlyMap<string, boolean>;
	/** Links with a change that is not ours: all that leaves by Foreign when Due flows on is off. */
	readonly foreign: ReadonlySet<string>;
	/** Some events were refused because one before them is missing. */
	readonly refused: boolean;
	/** Links that lost their commit. */
	readonly lost: readonly string[];
	readonly committed: readonly CommittedLink[];
}

/** @param loses - whether another worker commits this link first */
export function observeOnce(
	store: MemoryState,
	batch: { policy: string; system: string; events: readonly ChangeEvent[] },
	loses: (link: string, index: number) => boolean = () => false,
): ObservedOnce {
	const { policy, system, events } = batch;
	const loaded = store.load({ policy, ...sought(events) });
	const published = requirePublished(loaded, policy);
	const inForce = policyInForce(published);
	const stream = loaded.streams[system];
	if (!stream) throw new Error(`no stream of ${system}`);
	const { fresh, from, gap } = sortOut(events, stream.position);
	const changes = foldEvents(fresh, published.macKey);
	const asked: MatchKey[] = [];
	let { links } = loaded;
	const prepare = (matches: readonly MatchKey[]): PreparedObservation => {
		links = distinct([...links, ...store.load({ policy, matches }).links]);
		asked.push(...matches);
		const attempt = prepareObservation({ system, events: fresh, changes, from, links, asked, published, policy: inForce });
		return attempt.unasked.length === 0 ? attempt : prepare(attempt.unasked);
	};
	const prepared = prepare(unknownMatches({ changes, links, policy: inForce }));
	const request = {
		...prepared.commit,
		links: prepared.commit.links.map((link, index) =>
			loses(link.state.id, index) ? { ...link, expectedRevision: -1 } : link,
		),
	};
	const results = fresh.length > 0 ? store.commit(request).links : [];
	const lost = request.links.filter((_, index) => results[index] === 'conflict');
	const won = request.links.filter((_, index) => results[index] === 'committed');
	return {
		...outcomeOf(prepared, events),
		refused: gap !== null,
		lost: lost.map(({ state }) => state.id),
		committed: committedLinks(won, links),
	};
}

export interface DecidedOnce {
	/** New and unsettled operations of all links. */
	readonly ops: readonly Operation[];
	/** The new ones alone. */
	readonly newOps: readonly Operation[];
	readonly committed: readonly CommittedLink[];
}

/** @param distort - what a faulty Merge makes of its decision */
export function decideOnce(
	store: MemoryState,
	{ policy, links }: { policy: string; links: readonly string[] },
	distort: (before: LinkState, after: LinkState) => LinkState = (_, after) => after,
): DecidedOnce {
	const loaded = store.load({ policy, links });
	const published = requirePublished(loaded, policy);
	const rules = { published, policy: policyInForce(published) };
	const prepared = loaded.links.map((link) => ({ link, ...prepareDecision(link, rules) }));
	const commits = prepared.flatMap(({ commit, link }) =>
		commit ? [{ ...commit, state: distort(link.state, commit.state) }] : [],
	);
	if (commits.length > 0) store.commit({ policy, links: commits });
	const ops = prepared.flatMap(({ decision }) => decision.ops);
	const known = new Set(loaded.links.flatMap(({ state }) => Object.values(state.inFlight).map(({ id }) => id)));
	return {
		ops,
		newOps: ops.filter(({ id }) => !known.has(id)),
		committed: committedLinks(commits, loaded.links),
	};
}

function outcomeOf(
	{ links, due, dispositions }: PreparedObservation,
	events: readonly ChangeEvent[],
): Pick<ObservedOnce, 'due' | 'foreign'> {
	const met = new Map<string, boolean>();
	for (const event of events) {
		const marked = event.marker ? links.byId(event.marker.link) : undefined;
		const link = links.whoHad(event.system, event.entity, event.key) ?? marked;
		if (link) met.set(link.state.id, due.get(link.state.id) ?? link.loaded?.due ?? false);
	}
	const foreign = [...dispositions].filter(([, what]) => what === 'foreign').map(([id]) => id.split(' ')[0] ?? '');
	return { due: met, foreign: new Set(foreign) };
}

function sought(events: readonly ChangeEvent[]): { keys: { system: string; entity: string; key: ChangeEvent['key'] }[]; links: string[] } {
	const rows = events.filter(({ op }) => op !== 'm');
	return {
		keys: rows.map(({ system, entity, key }) => ({ system, entity, key })),
		links: events.flatMap(({ marker }) => (marker ? [marker.link] : [])),
	};
}

function committedLinks(commits: readonly LinkCommit[], loaded: readonly LoadedLink[]): CommittedLink[] {
	const before = new Map(loaded.map(({ state }) => [state.id, state]));
	return commits.map(({ state, journal }) => ({ before: before.get(state.id) ?? null, after: state, journal }));
}

function distinct(links: readonly LoadedLink[]): LoadedLink[] {
	return [...new Map(links.map((link) => [link.state.id, link])).values()];
}
