import type { LinkState } from '../../src/core/link';
import type { ReviewItem, StoredReview } from '../../src/core/review';
import type { DueLink, SyncStore } from '../../src/store/sync-store';

export type UnwiredStore = Pick<SyncStore, 'changeReviews' | 'listReviews' | 'load'>;

/** Woken so often without an attempt, a link is not late but forgotten: something is not connected. */
export const MAX_UNATTEMPTED = 5;

/**
 * The review items about outputs that lead nowhere: opened when links are woken again and again and
 * nobody acts, closed when the links that showed it are due no more.
 */
export class Unwired {
	/** Ids of open items; null until they were looked up, for an earlier run may have left some. */
	#open: Set<string> | null = null;

	/** @param places - the systems, and where else links may be found to wait */
	constructor(
		private readonly store: UnwiredStore,
		private readonly policy: string,
		private readonly places: readonly string[],
	) {}

	/**
	 * @param links - that are woken now
	 * @param waits - by link id, those that wait for other records, which no wire would bring
	 */
	async look(links: readonly DueLink[], waits: ReadonlyMap<string, WakeDiagnosis> = new Map()): Promise<void> {
		const { store, policy } = this;
		const items = unwiredItems(policy, links, waits);
		this.#open ??= await this.#leftOpen();
		const found = new Set(items.map(({ id }) => id));
		const mended = await this.#mended([...this.#open].filter((id) => !found.has(id)));
		if (items.length === 0 && mended.length === 0) return;
		await store.changeReviews(policy, [
			...items.map((item) => ({ action: 'open', item }) as const),
			...mended.map((id) => ({ action: 'close', id, how: 'superseded', by: 'sync' }) as const),
		]);
		for (const id of found) this.#open.add(id);
		for (const id of mended) this.#open.delete(id);
	}

	async #leftOpen(): Promise<Set<string>> {
		const ids = ['decide', ...this.places].map((where) => itemId(this.policy, where));
		return new Set((await this.#items(ids)).map(({ id }) => id));
	}

	/** Of the items, those whose links are due no more, or that a person has dismissed. */
	async #mended(ids: readonly string[]): Promise<string[]> {
		if (ids.length === 0) return [];
		const items = await this.#items(ids);
		const { links } = await this.store.load({ policy: this.policy, links: items.flatMap(examplesOf) });
		const due = new Set(links.flatMap((link) => (link.due ? [link.state.id] : [])));
		const standing = items.filter((item) => examplesOf(item).some((link) => due.has(link)));
		return ids.filter((id) => !standing.some((item) => item.id === id));
	}

	async #items(ids: readonly string[]): Promise<readonly StoredReview[]> {
		return await this.store.listReviews({ policy: this.policy, ids, state: 'open', limit: ids.length });
	}
}

/** The links that showed it. */
function examplesOf({ detail }: ReviewItem): readonly string[] {
	return (detail as { readonly examples?: readonly string[] } | null)?.examples ?? [];
}

const itemId = (policy: string, where: string): string => `unwired-${policy}-${where}`;

/** What is not connected, or not there, to judge by a link that is woken in vain. */
export interface WakeDiagnosis {
	/** The system whose writes go nowhere; 'decide' when not even a decision is made; or what is waited for. */
	readonly where: string;
	readonly reason: string;
}

/**
 * A link with an operation in flight was decided upon, so it is the write that does not happen; one
 * without was not even decided upon. Pure.
 */
export function diagnoseWake({ inFlight }: Pick<LinkState, 'inFlight'>): readonly WakeDiagnosis[] {
	const systems = Object.keys(inFlight).sort();
	if (systems.length === 0) {
		return [
			{
				where: 'decide',
				reason:
					'Output "Foreign" of Echo Filter, or "In Order" or "Concurrent" of Version Vector Check, leads nowhere: records wait for a decision, and Field Authority Merge does not see them. Connect these outputs up to Field Authority Merge, then activate the workflow again',
			},
		];
	}
	return systems.map((system) => ({
		where: system,
		reason: `Output "Write to ${system}" of Field Authority Merge leads nowhere: decided writes wait, and nobody tries them. Connect it to a Sync Write node of ${system}, then activate the workflow again`,
	}));
}

function unwiredItems(
	policy: string,
	links: readonly DueLink[],
	waits: ReadonlyMap<string, WakeDiagnosis>,
): ReviewItem[] {
	const found = new Map<string, { diagnosis: WakeDiagnosis; links: string[] }>();
	for (const { state, unattempted } of links) {
		if (unattempted < MAX_UNATTEMPTED) continue;
		const waiting = waits.get(state.id);
		for (const diagnosis of waiting ? [waiting] : diagnoseWake(state)) {
			const entry = found.get(diagnosis.where) ?? { diagnosis, links: [] };
			entry.links.push(state.id);
			found.set(diagnosis.where, entry);
		}
	}
	return [...found.values()].map(({ diagnosis, links: ids }) => ({
		id: itemId(policy, diagnosis.where),
		kind: 'failure',
		policy,
		link: null,
		entity: null,
		fields: [],
		reason: diagnosis.reason,
		token: `unwired-${diagnosis.where}`,
		detail: { waiting: ids.length, examples: ids.slice(0, 5) },
	}));
}
