import { SIMULATED_POLICY } from '../support/simulated-policy';
import type { LinkState } from '../../src/core/link';
import type { LinkRecord } from '../../src/store/memory-data';
import type { Model } from './model';
import type { World } from './world';

/** The ids of due links, sorted. */
export function isDueLink(model: Model, { store }: World): readonly string[] {
	return model.once(`due ${model.worlds.interner.id(store)}`, () =>
		[...linksOf(store)].filter(([, { due }]) => due).map(([id]) => id).sort(),
	);
}

/** All links as stored. */
export function linksOf(store: World['store']): ReadonlyMap<string, LinkRecord> {
	return store.policies.get(SIMULATED_POLICY)?.links ?? new Map<string, LinkRecord>();
}

export function stateOf({ state }: LinkRecord): LinkState {
	return JSON.parse(state) as LinkState;
}
