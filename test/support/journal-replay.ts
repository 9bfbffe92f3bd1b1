import { canonicalJson, type Json } from '../../src/core/canonical-json';
import type { StoredJournalEntry } from '../../src/core/journal';
import type { Operation } from '../../src/core/link';
import { policyInForce, requirePublished } from '../../src/store/published-policy';
import type { LoadedLink, SyncStore } from '../../src/store/sync-store';
import { replayOne, type ReplayedStep } from './journaled-ops';

const PAGE = 1_000;

export interface Replayed {
	/** Every operation that was decided in the links that have new entries, by id. */
	readonly operations: ReadonlyMap<string, Operation>;
	/** Links with new entries whose journal does not lead to the state that is stored. */
	readonly unfaithful: readonly string[];
}

/** Replays the journal of a policy of which one version was published, while nothing moves; reads only what is new each time. */
export class JournalReplay {
	readonly #entries = new Map<string, StoredJournalEntry[]>();
	#lastSeq = '0';

	constructor(
		private readonly store: SyncStore,
		private readonly policy: string,
	) {}

	/** The store went back to an older copy: what came after it is not there any more. */
	forget(): void {
		this.#entries.clear();
		this.#lastSeq = '0';
	}

	/** @param watch - gets every entry of the links that have new ones, in order */
	async read(watch: (step: ReplayedStep) => void): Promise<Replayed> {
		const changed = await this.#readOn();
		const published = requirePublished(await this.store.load({ policy: this.policy }), this.policy);
		const policies = new Map([[published.hash, policyInForce(published)]]);
		const operations = new Map<string, Operation>();
		const unfaithful: string[] = [];
		for (const { state } of await this.#states([...changed])) {
			const replayed = replayOne(this.#entries.get(state.id) ?? [], policies, (step) => {
				for (const op of Object.values(step.after.inFlight)) operations.set(op.id, op);
				watch(step);
			});
			if (canonicalJson(replayed as unknown as Json) !== canonicalJson(state as unknown as Json)) unfaithful.push(state.id);
		}
		return { operations, unfaithful };
	}

	/** @returns links with new entries */
	async #readOn(): Promise<Set<string>> {
		const changed = new Set<string>();
		for (;;) {
			const page = await this.store.readJournal({ policy: this.policy, afterSeq: this.#lastSeq, limit: PAGE });
			for (const entry of page) {
				changed.add(entry.link);
				const known = this.#entries.get(entry.link);
				if (known) known.push(entry);
				else this.#entries.set(entry.link, [entry]);
			}
			this.#lastSeq = page.at(-1)?.seq ?? this.#lastSeq;
			if (page.length < PAGE) return changed;
		}
	}

	async #states(ids: readonly string[]): Promise<LoadedLink[]> {
		const found: LoadedLink[] = [];
		for (let first = 0; first < ids.length; first += PAGE) {
			found.push(...(await this.store.load({ policy: this.policy, links: ids.slice(first, first + PAGE) })).links);
		}
		return found;
	}
}
