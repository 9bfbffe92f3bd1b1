import { decide } from '../../src/core/decide';
import type { LinkState } from '../../src/core/link';
import type { PolicyInForce } from '../../src/core/observe';
import type { Policy } from '../../src/core/policy';
import { referenceFields } from '../../src/core/reference-graph';
import { loadReferred } from '../../src/store/load-referred';
import type { SyncStore } from '../../src/store/sync-store';
import type { WakeDiagnosis } from './unwired';

/** Where the records of an entity wait for others. */
const placeOf = (entity: string): string => `waits-${entity}`;

/** All places where records of a policy may wait for others. */
export function waitingPlaces({ entities }: Policy): string[] {
	return [...entities.values()].filter((entity) => referenceFields(entity).length > 0).map(({ name }) => placeOf(name));
}

/**
 * Of links that are woken again and again, those that were decided about and wait for records that
 * they name: nothing is wired wrongly, but a person may know why those records do not come.
 */
export async function diagnoseWaits(
	store: Pick<SyncStore, 'load'>,
	states: readonly LinkState[],
	inForce: PolicyInForce,
): Promise<ReadonlyMap<string, WakeDiagnosis>> {
	const links = states.map((state) => ({ state, revision: 0, due: true, matches: [] }));
	const known = await loadReferred(store, links, inForce);
	return new Map(
		states.flatMap((state): [string, WakeDiagnosis][] => {
			const { changed, ops, waits } = decide(state, inForce, 'live', known.get(state.id));
			const [first] = waits;
			if (first === undefined || changed || ops.length > 0) return [];
			const { field, system, reason, kind } = first;
			const what = kind === 'write' ? `${field} cannot be written to ${system}` : `${field} of ${system} is not understood`;
			const where = placeOf(state.entity);
			return [[state.id, { where, reason: `Records of ${state.entity} wait, ${what}: ${reason}` }]];
		}),
	);
}
