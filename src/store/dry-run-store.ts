import type { ChangeEvent } from '../core/change-event';
import type { StoredJournalEntry } from '../core/journal';
import { STREAM_START } from '../core/position';
import type { ObservingStore } from './observe-batch';
import { requirePublished } from './published-policy';
import type { StoredReview } from '../core/review';
import type { Alike, CommitRequest, CommitResult, JournalFilter, Loaded, LoadedLink, LoadRequest, PublishedPolicy } from './sync-store';
import type { StreamRecord } from './stream-record';

/**
 * A store that looks like the one given and changes nothing in it: what is committed is kept for
 * the next load, and forgotten with this object. For test runs, which show what would be done.
 */
export class DryRunStore implements ObservingStore {
	readonly #store: Pick<ObservingStore, 'load' | 'countRecords' | 'findAlike' | 'readJournal'>;
	readonly #links = new Map<string, LoadedLink>();

	constructor(store: Pick<ObservingStore, 'load' | 'countRecords' | 'findAlike' | 'readJournal'>) {
		this.#store = store;
	}

	/** Every stream stands at its beginning: the events of a test run follow on nothing. */
	async load(request: LoadRequest): Promise<Loaded> {
		const loaded = await this.#store.load(request);
		const found = new Map(loaded.links.map((link) => [link.state.id, link]));
		for (const id of [...(request.links ?? []), ...found.keys()]) {
			const changed = this.#links.get(id);
			if (changed) found.set(id, changed);
		}
		return { ...loaded, links: [...found.values()], streams: EVERY_STREAM };
	}

	async commit({ links, advance }: CommitRequest): Promise<CommitResult> {
		for (const { state, expectedRevision, due, claims } of links) {
			this.#links.set(state.id, { state, revision: expectedRevision + 1, due, matches: claims });
		}
		return { links: links.map(() => 'committed' as const), position: advance?.to ?? null, woken: [] };
	}

	async countRecords(policy: string, entity: string): Promise<number> {
		return await this.#store.countRecords(policy, entity);
	}

	async findAlike(policy: string, blocks: readonly string[]): Promise<readonly Alike[]> {
		return await this.#store.findAlike(policy, blocks);
	}

	async readJournal(filter: JournalFilter): Promise<readonly StoredJournalEntry[]> {
		return await this.#store.readJournal(filter);
	}

	async listReviews(): Promise<readonly StoredReview[]> {
		return [];
	}

	async changeReviews(): Promise<void> {}

	async setMode(policy: string): Promise<PublishedPolicy> {
		return requirePublished(await this.#store.load({ policy }), policy);
	}
}

/** Has a stream of any system. */
const EVERY_STREAM: Readonly<Record<string, StreamRecord>> = new Proxy(
	{},
	{
		get: (_target, system): StreamRecord => ({
			policy: '',
			system: String(system),
			slot: '',
			systemId: '',
			timeline: 0,
			filterHash: '',
			start: STREAM_START,
			snapshot: 'none',
			position: STREAM_START,
			acknowledgedLsn: null,
			reading: null,
			columns: null,
		}),
	},
);

/** Events of a test run, each with the one before it as its predecessor, so that none is taken for a gap. */
export function chained(events: readonly ChangeEvent[]): ChangeEvent[] {
	const last = new Map<string, string>();
	const inOrder = [...events].sort((a, b) =>
		(a.source.position ?? '') < (b.source.position ?? '') ? -1 : 1,
	);
	const prevOf = new Map<ChangeEvent, string>();
	for (const event of inOrder) {
		prevOf.set(event, last.get(event.system) ?? STREAM_START);
		if (event.source.position !== null) last.set(event.system, event.source.position);
	}
	return events.map((event) => {
		const { position } = event.source;
		const prev = position === null ? null : (prevOf.get(event) ?? STREAM_START);
		return { ...event, source: { ...event.source, prev } };
	});
}
