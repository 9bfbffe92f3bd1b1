import { matchKeysOfLink } from '../core/match-keys';
import type { Policy } from '../core/policy';
import { matchText } from './identity-text';
import type { MatchKey } from './sync-store';
import type { WorkingLink } from './working-link';

/** Which link holds a match key, within one batch. */
export class BatchMatches {
	readonly #byMatch = new Map<string, WorkingLink>();

	constructor(readonly policy: Policy) {}

	add(link: WorkingLink): void {
		const { entity } = link.state;
		for (const match of link.loaded?.matches ?? []) this.#byMatch.set(matchText({ entity, match }), link);
	}

	holder(key: MatchKey): WorkingLink | undefined {
		return this.#byMatch.get(matchText(key));
	}

	/**
	 * A link holds the match keys that its records have now. One that another link holds stays
	 * there: the record is linked already, and a match key only ever makes links.
	 *
	 * @returns whether it gives up what it took in this batch: nothing would be left to find the link by
	 */
	claim(link: WorkingLink): boolean {
		const { entity } = link.state;
		const now = matchKeysOfLink(this.policy, link.state);
		for (const match of now) {
			if ((this.holder({ entity, match }) ?? link) !== link) continue;
			this.#byMatch.set(matchText({ entity, match }), link);
			link.releases.delete(match);
			if (!link.loaded?.matches.includes(match)) link.claims.add(match);
		}
		const lost = [...link.claims, ...(link.loaded?.matches ?? [])].filter((match) => !now.has(match));
		const isFresh = lost.some((match) => link.claims.has(match));
		for (const match of lost) {
			if (this.holder({ entity, match }) === link) this.#byMatch.delete(matchText({ entity, match }));
			link.claims.delete(match);
			if (link.loaded?.matches.includes(match)) link.releases.add(match);
		}
		return isFresh;
	}
}
