import { reviewChanges } from '../core/draft';
import { isDue } from '../core/decide';
import type { JournalEntry } from '../core/journal';
import { apiRecordOf } from '../core/api-record';
import { canonicalJson, equalJson } from '../core/canonical-json';
import type { ReviewItem } from '../core/review';
import { emptyLink, EXISTENCE, isStill, type Key, type LinkState } from '../core/link';
import { isFreshlyRefused } from '../core/obstacles';
import { observe, type Disposition, type PolicyInForce } from '../core/observe';
import { apiOf, type Policy } from '../core/policy';
import { commitOf, type Position } from '../core/position';
import { changeOfReading } from '../core/reading';
import type { RecordChange } from '../core/record-change';
import { matchText } from './identity-text';
import { spreadOfChange } from './spread-of-links';
import { BatchLinks, type Found } from './batch-identity';
import { withReferences } from './batch-references';
import type { CommitRequest, LinkCommit, LoadedLink, MatchKey, PublishedPolicy, StreamAdvance } from './sync-store';
import type { WorkingLink } from './working-link';

/** R1 over one batch, thought out but not committed. */
export interface PreparedObservation {
	readonly commit: CommitRequest;
	/** Every link the batch met, in its state after the batch. */
	readonly links: BatchLinks;
	/** By `dispositionId`. */
	readonly dispositions: ReadonlyMap<string, Disposition>;
	/** By `eventId`: the link that the event was led to. */
	readonly met: ReadonlyMap<string, string>;
	/** By link id; links that the batch did not change are not in it. */
	readonly due: ReadonlyMap<string, boolean>;
	/** Match keys that would be claimed without knowing whose they are: load these, and prepare again. */
	readonly unasked: readonly MatchKey[];
}

/** What a batch would make of its links. */
export type LookedThrough = Pick<PreparedObservation, 'links' | 'unasked'>;

/** What is known before a batch is observed. */
export interface RunInput {
	readonly links: readonly LoadedLink[];
	/** Match keys that were looked up: whoever holds one of them is among the links. */
	readonly asked: readonly MatchKey[];
	/** Items that records of the batch wait for; opened with the first of them. */
	readonly approvals?: readonly ReviewItem[];
	readonly published: PublishedPolicy;
	readonly policy: PolicyInForce;
}

/** Observes one transaction after the other, and commits each link once. Pure: nothing is loaded or committed here. */
export class ObservationRun {
	readonly links: BatchLinks;
	readonly #input: RunInput;
	readonly #work = new Map<string, LinkWork>();
	readonly #dispositions = new Map<string, Disposition>();
	readonly #met = new Map<string, string>();

	constructor(input: RunInput) {
		this.#input = input;
		this.links = new BatchLinks(input.policy.policy, input.links);
	}

	/**
	 * @param transaction - changes with the same commit in their positions, later than all before
	 * @param stopAt - where the stream's position must stop if one of the links loses; null outside of a stream
	 */
	observe(transaction: readonly RecordChange[], stopAt: Position | null): void {
		this.links.startTransaction(transaction);
		for (const plain of this.links.inOrder(transaction)) {
			const change = withReferences(this.links, plain);
			for (const found of this.links.find(change)) this.#observeFor(found, stopAt);
		}
	}

	/** What the link's work began with and has become is noted as the journal's input. */
	note(id: string, entry: JournalEntry, after: LinkState): void {
		const link = this.links.byId(id);
		if (!link) return;
		workOn(this.#work, link, null).journal.push(entry);
		link.state = after;
	}

	#observeFor(found: Found, stopAt: Position | null): void {
		const { link, change } = found;
		const mine = workOn(this.#work, link, stopAt);
		introduce(mine, found);
		const before = link.state;
		const seen = observe(before, change, this.#input.policy);
		this.links.update(found, seen.state);
		const gone = replacedRecord(before, { after: seen.state, change, policy: this.#input.policy.policy });
		if (gone) this.#observeFor(this.links.create(gone), stopAt);
		mine.journal.push(...seen.journal);
		mine.isForeign ||= seen.disposition === 'foreign';
		this.#dispositions.set(dispositionId(link.state.id, change.position), seen.disposition);
		for (const key of [change.key, change.previousKey]) {
			if (key) this.#met.set(eventId({ ...change, key }), link.state.id);
		}
	}

	/** @param advance - absent outside of a stream */
	finish(advance?: StreamAdvance): PreparedObservation {
		const { published, policy, asked, approvals = [] } = this.#input;
		const together = this.links.finish(this.#work.keys());
		const changed = this.#changed();
		const commits = changed.map(({ link, mine }): LinkCommit => ({ ...linkCommit(link, mine, { published, policy }), yields: this.links.yields(link) }));
		for (const item of approvals) openWith(commits, item);
		wakeWithin(commits);
		return {
			commit: { policy: published.name, links: commits, ...(advance ? { advance } : {}), together },
			links: this.links,
			dispositions: this.#dispositions,
			met: this.#met,
			due: new Map(commits.map(({ state, due }) => [state.id, due])),
			unasked: unasked(changed, asked),
		};
	}

	/** The same without its commit, for who only looks: most of what a commit carries is for others to find it. */
	leave(): LookedThrough {
		this.links.finish(this.#work.keys());
		return { links: this.links, unasked: unasked(this.#changed(), this.#input.asked) };
	}

	#changed(): Changed[] {
		return [...this.#work].flatMap(([id, mine]) => {
			const link = this.links.byId(id);
			return link && mine.journal.length > 0 ? [{ link, mine }] : [];
		});
	}
}

interface Changed {
	readonly link: WorkingLink;
	readonly mine: LinkWork;
}

/** The events of one transaction about the row with one key: a key that is used again stands for one link, then for another. */
export function eventId({ system, entity, key, position }: { system: string; entity: string; key: Key; position: Position }): string {
	return canonicalJson([system, entity, { ...key }, commitOf(position)]);
}

/** One disposition per link and transaction: its events were folded to one change. */
export function dispositionId(link: string, position: Position): string {
	return `${link} ${commitOf(position)}`;
}

/**
 * The record that an API had in the link, when another one has taken its place there: a record of its own from now on,
 * that is gone. What a webhook tells of it late would be taken for a new record otherwise.
 */
function replacedRecord(before: LinkState, { after, change, policy }: { after: LinkState; change: RecordChange; policy: Policy }): RecordChange | null {
	const { system, position } = change;
	const [key, now] = [before.keys[system], after.keys[system]];
	const entity = policy.entities.get(before.entity);
	if (key === undefined || equalJson({ ...key }, { ...now }) || !entity || apiOf(entity, system) === null) return null;
	const { version } = apiRecordOf(before, system);
	const facts = { whole: true, ...(version === undefined ? {} : { version }) };
	return changeOfReading({ system, entity: entity.name, key, exists: false, row: {}, facts, atMs: null }, position);
}

interface LinkWork {
	readonly before: LinkState;
	readonly journal: JournalEntry[];
	/**
	 * The event before the first transaction that concerns the link: if the link loses its commit, the
	 * stream has been observed up to there. Not within a transaction, whose rest would fold otherwise. Null outside of a stream.
	 */
	readonly stopAt: Position | null;
	isForeign: boolean;
}

function workOn(work: Map<string, LinkWork>, link: WorkingLink, stopAt: Position | null): LinkWork {
	const existing = work.get(link.state.id);
	if (existing) return existing;
	const { id, entity, generation } = link.state;
	const before = link.loaded?.state ?? emptyLink(id, entity, generation);
	const started = { before, journal: [], stopAt, isForeign: false };
	work.set(link.state.id, started);
	return started;
}

function introduce(mine: LinkWork, { link, how, change }: Found): void {
	const { system } = change;
	if (how === 'created' || how === 'ambiguous') {
		const { generation, entity } = link.state;
		mine.journal.push({ kind: 'created', generation, entity, by: system, ambiguous: how === 'ambiguous' });
	} else if (how === 'matched') {
		mine.journal.push({ kind: 'linked', system, detail: { by: 'match key', claims: [...link.claims] } });
	}
}

/** What a link of the batch has come to wait for, another one of the batch may bring: a commit wakes only those outside of it. */
function wakeWithin(commits: LinkCommit[]): void {
	const told = new Set(commits.flatMap(({ tells = [] }) => tells));
	commits.forEach((one, index) => {
		if (!one.due && one.waitsFor?.some((target) => told.has(target))) commits[index] = { ...one, due: true };
	});
}

/** The item comes to be together with the first record that waits for it. */
function openWith(commits: LinkCommit[], item: ReviewItem): void {
	const index = commits.findIndex(({ state }) => state.fields[EXISTENCE]?.frozen?.review === item.id);
	const first = commits[index];
	if (first) commits[index] = { ...first, reviews: [...first.reviews, { action: 'open', item }] };
}

function linkCommit(
	link: WorkingLink,
	{ before, journal, stopAt, isForeign }: LinkWork,
	{ published, policy }: Pick<RunInput, 'published' | 'policy'>,
): LinkCommit {
	return {
		state: link.state,
		expectedRevision: link.loaded?.revision ?? 0,
		due: isDueAfter(link, { isForeign, before, published, policy }),
		claims: [...link.claims],
		releases: [...link.releases],
		journal,
		reviews: reviewChanges(before, link.state, { policy: published.name, how: 'superseded', by: 'sync' }),
		stopAt,
		...spreadOfChange(before, link.state, policy),
	};
}

function isDueAfter(
	{ state, loaded }: WorkingLink,
	{ isForeign, before, published, policy }: Pick<LinkWork, 'isForeign' | 'before'> & Pick<RunInput, 'published' | 'policy'>,
): boolean {
	// A new link has no revision that a policy published meanwhile could have moved: it is looked at once. And whoever
	// has just asked if two records are one looks once more.
	if (loaded === null || (loaded.due && state.fields[EXISTENCE]?.frozen?.twin !== undefined)) return true;
	if (isFreshlyRefused(before, state)) return true;
	return (isForeign && policy.pending.size === 0 && !isHeld(state)) || isDue(state, policy, published.mode);
}

/** Where nothing is held, a foreign change has to be decided about, without asking what the decision would be. */
function isHeld({ fields }: LinkState): boolean {
	return Object.values(fields).some(isStill);
}

/** Whose claims a commit would judge without this batch having seen the holder: it could lose them for ever. */
function unasked(changed: readonly Changed[], asked: readonly MatchKey[]): MatchKey[] {
	const known = new Set(asked.map(matchText));
	const claimed = changed.flatMap(({ link }) => [...link.claims].map((match) => ({ entity: link.state.entity, match })));
	return claimed.filter((key) => !known.has(matchText(key)));
}
