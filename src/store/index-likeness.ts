import { likenessOf } from '../core/likeness';
import type { EntityPolicy, Policy } from '../core/policy';
import type { LoadedLink, SyncStore } from './sync-store';

/** Links read in one store trip. */
const PAGE = 1_000;

/**
 * Lets records that are known already be found by their likeness, when a policy comes to ask for it, or by other
 * fields: before it is published, or one of two that resemble each other would be decided about while the other
 * cannot be found yet. A link that is committed meanwhile says it itself, once the policy is in force.
 */
export async function indexLikeness(
	store: Pick<SyncStore, 'scanLinks' | 'commit'>,
	{ before, after }: { readonly before: Policy | null; readonly after: Policy },
): Promise<void> {
	if (before === null) return;
	for (const entity of after.entities.values()) {
		const was = before.entities.get(entity.name)?.similar?.fields ?? [];
		const is = entity.similar?.fields ?? [];
		if (is.length > 0 && is.join() !== was.join()) await indexEntity(store, { policy: after.name, entity });
	}
}

async function indexEntity(
	store: Pick<SyncStore, 'scanLinks' | 'commit'>,
	{ policy, entity }: { readonly policy: string; readonly entity: EntityPolicy },
): Promise<void> {
	let links: readonly LoadedLink[] = [];
	do {
		const afterId = links.at(-1)?.state.id;
		links = await store.scanLinks({ policy, entity: entity.name, limit: PAGE, ...(afterId === undefined ? {} : { afterId }) });
		const lone = links.flatMap((link) => {
			const alike = likenessOf(link.state, entity);
			return alike === null ? [] : [{ ...unchanged(link), alike }];
		});
		if (lone.length > 0) await store.commit({ policy, links: lone });
	} while (links.length === PAGE);
}

function unchanged({ state, revision, due }: LoadedLink) {
	return { state, expectedRevision: revision, due, claims: [], journal: [], reviews: [], stopAt: null };
}
