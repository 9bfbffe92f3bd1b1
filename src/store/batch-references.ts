import { existsIn } from '../core/link';
import type { RecordChange } from '../core/record-change';
import { recordsNamed } from '../core/references';
import { BatchLinks } from './batch-identity';
import type { ObservationInput } from './observe-step';
import type { RecordKey } from './sync-store';

/** Records to load before `prepareObservation`, because rows name them and their own links do not tell which they are. */
export function unknownReferences({
	changes,
	links: loaded,
	policy: { policy },
}: Pick<ObservationInput, 'changes' | 'links' | 'policy'>): RecordKey[] {
	const links = new BatchLinks(policy, loaded);
	const met = new Set<string>();
	return changes.flatMap((change) => {
		const own = ownLink(links, change)?.state;
		// What a key means to a record is known until it names another one: a second change may bring it back.
		const known = own && !met.has(own.id) ? own : undefined;
		if (own) met.add(own.id);
		return recordsNamed(policy.entities, change, known).map(({ field: _field, ...record }) => record);
	});
}

/** A row goes by its key; one that we inserted is known by its marker only. */
function ownLink(links: BatchLinks, { system, entity, key, previousKey, marker }: RecordChange) {
	const known = previousKey ?? key;
	return (known && links.byKey(system, entity, known)) ?? (marker ? links.byId(marker.link) : undefined);
}

/** The change with the links of the records that its row names, as far as they are known and there. */
export function withReferences(links: BatchLinks, change: RecordChange): RecordChange {
	const found = recordsNamed(links.policy.entities, change).flatMap(({ field, system, entity, key }) => {
		const named = links.byKey(system, entity, key);
		return named && existsIn(named.state, system) ? [[field, named.state.id] as const] : [];
	});
	return found.length === 0 ? change : { ...change, references: Object.fromEntries(found) };
}
