import { SyncError } from '../core/errors';
import type { StoredJournalEntry } from '../core/journal';
import type { LinkState } from '../core/link';
import { inForce, type PolicyInForce } from '../core/observe';
import { policyOf } from '../core/parse-policy';
import { firstState, replayStep } from '../core/replay';
import type { SyncStore } from './sync-store';

/** Entries read in one store trip. */
const PAGE = 500;

export type WalkingStore = Pick<SyncStore, 'readJournal' | 'findVersions'>;

/** What happens at one entry. */
export interface WalkStep {
	readonly stored: StoredJournalEntry;
	/** The state of the link before it, replayed. */
	readonly before: LinkState;
	readonly after: LinkState;
}

/** Replays the journals of links, one page at a time, under the versions of the policy that were in force then. */
export class JournalWalk {
	readonly #store: WalkingStore;
	readonly #policy: string;
	/** By hash; null: no version is kept for it. */
	readonly #versions = new Map<string, PolicyInForce | null>();

	constructor(store: WalkingStore, policy: string) {
		this.#store = store;
		this.#policy = policy;
	}

	/** @returns why the journal cannot be replayed; null: it was */
	async through(link: string, visit: (step: WalkStep) => void): Promise<string | null> {
		let state: LinkState | null = null;
		let afterSeq = '0';
		for (;;) {
			const page = await this.#store.readJournal({ policy: this.#policy, link, afterSeq, limit: PAGE });
			await this.#findVersions(page);
			for (const stored of page) {
				const step = this.#step(state, stored);
				if (step instanceof SyncError) return step.message;
				visit(step);
				state = step.after;
			}
			if (page.length < PAGE) return null;
			afterSeq = page.at(-1)?.seq ?? afterSeq;
		}
	}

	/** A version that the walk has come across. */
	versionOf(hash: string): PolicyInForce | null {
		return this.#versions.get(hash) ?? null;
	}

	#step(state: LinkState | null, stored: StoredJournalEntry): WalkStep | SyncError {
		try {
			const before = state ?? firstState(stored);
			return { stored, before, after: replayStep(before, stored.entry, (hash) => this.#require(hash, stored.link)) };
		} catch (error) {
			if (error instanceof SyncError) return error;
			throw error;
		}
	}

	#require(hash: string, link: string): PolicyInForce {
		const version = this.#versions.get(hash);
		if (version) return version;
		throw new SyncError('JOURNAL_INCOMPLETE', `The journal of link ${link} was made under the unknown policy ${hash}`);
	}

	async #findVersions(page: readonly StoredJournalEntry[]): Promise<void> {
		const named = page.flatMap(({ entry }) => ('policyHash' in entry ? entry.policyHash : []));
		const missing = [...new Set(named)].filter((hash) => !this.#versions.has(hash));
		if (missing.length === 0) return;
		const found = await this.#store.findVersions(this.#policy, missing);
		for (const hash of missing) {
			const document = found.get(hash);
			this.#versions.set(hash, document === undefined ? null : inForce(policyOf(document)));
		}
	}
}
