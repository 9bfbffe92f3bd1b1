import type { ListedRecord } from '../../src/console/reviews-page';
import { shownKeys } from '../../src/console/shown-record';
import { canonicalJson } from '../../src/core/canonical-json';
import type { LinkState } from '../../src/core/link';
import type { Policy } from '../../src/core/policy';
import type { StoredReview } from '../../src/core/review';
import type { Visit } from './visit';

/** Which record each item is about, and which systems wait for an answer; by item. One store trip. */
export async function listedRecords({ store, policy }: Pick<Visit, 'store' | 'policy'>, reviews: readonly StoredReview[], rules: Policy): Promise<ReadonlyMap<string, ListedRecord>> {
	const links = [...new Set(reviews.flatMap(({ link }) => link ?? []))];
	if (links.length === 0) return new Map();
	const states = new Map((await store.load({ policy, links })).links.map(({ state }) => [state.id, state]));
	return new Map(
		reviews.flatMap((review): [string, ListedRecord][] => {
			const state = states.get(review.link ?? '');
			const entity = rules.entities.get(state?.entity ?? '');
			if (!state || !entity) return [];
			const keys = Object.entries(shownKeys(state, entity)).map(([system, key]) => `${system} ${key}`);
			return [[review.id, { keys: keys.join(' · '), waits: waitingSystems(state, review, entity.tables.keys()) }]];
		}),
	);
}

/** Systems that an answer would have to be written to: the one that refused a value, else all where the systems differ. */
function waitingSystems({ fields }: LinkState, review: StoredReview, systems: Iterable<string>): string[] {
	const held = review.fields.flatMap((name) => fields[name] ?? []);
	const refused = held.flatMap(({ frozen }) => frozen?.refusedBy ?? []);
	if (refused.length > 0) return [...new Set(refused)];
	const all = [...systems];
	const differs = held.some(({ views }) => new Set(all.map((system) => canonicalJson(views[system]?.canon ?? null))).size > 1);
	return differs ? all : [];
}
