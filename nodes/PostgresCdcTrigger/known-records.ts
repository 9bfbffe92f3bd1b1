import { canonicalJson } from '../../src/core/canonical-json';
import { hasRowIn, type Key, type LinkState, type Operation } from '../../src/core/link';
import { keyText } from '../../src/core/mapping';
import { formatMarker, type Marker, parseMarker } from '../../src/core/marker';
import type { EventTable } from '../../src/postgres/event-tables';
import type { SnapshotSession } from '../../src/postgres/snapshot';
import type { SnapshotChange } from '../../src/postgres/snapshot-events';
import type { LoadedLink, StreamId, SyncStore } from '../../src/store/sync-store';
import { rowsOf } from './snapshot-rows';

const PAGE = 1_000;

export interface KnownPage {
	readonly changes: readonly SnapshotChange[];
	/** The last link looked at; null: there are no more. */
	readonly after: string | null;
}

export interface KnownRequest {
	readonly store: Pick<SyncStore, 'scanLinks'>;
	readonly stream: StreamId;
	readonly table: EventTable;
	readonly macKey: string;
	/** Links after this one. */
	readonly after: string | null;
}

/**
 * Compares some records that the store knows of a system with the table as it is, for a stream
 * that is read anew after changes may have been lost: their deletes and the echoes of our own
 * writes would otherwise never be heard of.
 *
 * The stream must have been observed up to the instant of the snapshot, or a record that came
 * later would look like one that is gone.
 */
export async function lookForKnown(
	session: SnapshotSession,
	request: KnownRequest,
): Promise<KnownPage> {
	const { store, stream, table, macKey, after } = request;
	const { policy, system } = stream;
	const from = after === null ? {} : { afterId: after };
	const links = await store.scanLinks({ policy, entity: table.entity, limit: PAGE, ...from });
	const seen = await present(session, table, keysOf(links, stream.system));
	const changes = links.flatMap(({ state }) => leftOverOf(state, system, { seen, macKey }));
	return { changes, after: links.length < PAGE ? null : (links.at(-1)?.state.id ?? null) };
}

function keysOf(links: readonly LoadedLink[], system: string): Key[] {
	return links.flatMap(({ state }): Key[] => {
		const key = state.keys[system];
		return key && hasRowIn(state, system) ? [key] : [];
	});
}

async function present(
	session: SnapshotSession,
	table: EventTable,
	keys: readonly Key[],
): Promise<Set<string>> {
	// Of another table, which the policy named before: none of these can be in this one.
	const fitting = keys.filter((key) => table.key.every((column) => Object.hasOwn(key, column)));
	const texts = fitting.map((key) => table.key.map((column) => keyText(key[column] ?? null)));
	const found = rowsOf(await session.find(table, texts), table);
	return new Set(found.map(({ values }) => recordText(table.entity, table.keyOf(values))));
}

/** What one link's system no longer shows. Pure. */
export function leftOverOf(
	state: LinkState,
	system: string,
	{ seen, macKey }: { seen: ReadonlySet<string>; macKey: string },
): SnapshotChange[] {
	const changes: SnapshotChange[] = [];
	const { entity, keys, inFlight } = state;
	const key = keys[system];
	if (key && hasRowIn(state, system) && !seen.has(recordText(entity, key))) {
		changes.push({ kind: 'gone', entity, key });
	}
	const op = inFlight[system];
	if (op) changes.push({ kind: 'marker', marker: staleMarker(op, macKey) });
	return changes;
}

/**
 * The marker of a write in flight may have been among the lost changes, and a second attempt leaves
 * none. The table is being read, so "it found another value" is safe to say whatever became of
 * the write: it is decided anew from what is there, under a new number.
 */
function staleMarker({ id, link, system, entity, key }: Operation, macKey: string): Marker {
	const content = formatMarker({ op: id, link, system, entity, outcome: 'stale', key }, macKey);
	const marker = parseMarker(content);
	if (!marker) throw new TypeError('a marker that was just made cannot be read');
	return marker;
}

const recordText = (entity: string, key: Key): string => canonicalJson([entity, { ...key }]);
