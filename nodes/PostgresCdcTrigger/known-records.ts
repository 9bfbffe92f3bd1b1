import { canonicalJson } from '../../src/core/canonical-json';
import { hasRowIn, type Key, type LinkState, type Operation } from '../../src/core/link';
import { keyText } from '../../src/core/mapping';
import { formatMarker, type Marker, type Outcome, parseMarker } from '../../src/core/marker';
import type { EventTable } from '../../src/postgres/event-tables';
import { fateOf, type LedgerEntry } from '../../src/postgres/ledger-claims';
import type { SnapshotSession } from '../../src/postgres/snapshot';
import type { SnapshotChange } from '../../src/postgres/snapshot-events';
import type { LoadedLink, SyncStore } from '../../src/store/sync-store';
import type { StreamId } from '../../src/store/stream-record';
import { rowsOf } from '../../src/postgres/snapshot-rows';

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
	readonly storeId: string;
	readonly macKey: string;
	/** Links after this one. */
	readonly after: string | null;
	/** Whether markers of our own writes may be gone. Where none are, the stream has told, or will tell, what became of each. Default: they may. */
	readonly asksLedger?: boolean | undefined;
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
	const { store, stream, table, storeId, macKey, after, asksLedger = true } = request;
	const { policy, system } = stream;
	const from = after === null ? {} : { afterId: after };
	const links = await store.scanLinks({ policy, entity: table.entity, limit: PAGE, ...from });
	const ops = asksLedger ? links.flatMap(({ state }) => state.inFlight[system] ?? []) : [];
	const ends = endsOf(ops, ops.length === 0 ? new Map() : await session.ledger(storeId, ops));
	const seen = await present(session, table, [...keysOf(links, system), ...madeKeys(ends)]);
	const changes = links.flatMap(({ state }) => leftOverOf(state, system, { seen, ends, macKey }));
	return { changes, after: links.length < PAGE ? null : (links.at(-1)?.state.id ?? null) };
}

/** What became of a write in flight, before the instant of the snapshot. */
export interface End {
	readonly outcome: Outcome;
	/** The row, where it is known. */
	readonly key: Key | null;
	readonly error: string | null;
}

/** By operation id. */
export type Ends = ReadonlyMap<string, End>;

/**
 * What has become of writes in flight; those that have not been tried are left out, and still may be.
 *
 * Their markers may have been among the lost changes, and a second attempt leaves none. Where the ledger cannot tell,
 * or has a later operation of the record (the store went back to an older copy), "it found another value" is safe to
 * say: the table is being read, and the write is decided anew from what is there, under a new number.
 *
 * @param entries - null: the ledger cannot be read
 */
export function endsOf(
	ops: readonly Operation[],
	entries: ReadonlyMap<string, LedgerEntry> | null,
): Ends {
	const ended = ops.flatMap((op): [string, End][] => {
		const entry = entries?.get(op.id);
		const fate = entries === null ? 'later' : entry ? fateOf(op, entry) : null;
		if (fate === null) return [];
		if (fate === 'later') return [[op.id, { outcome: 'stale', key: op.key, error: null }]];
		return [[op.id, { outcome: fate, key: op.key ?? entry?.key ?? null, error: entry?.error ?? null }]];
	});
	return new Map(ended);
}

const madeKeys = (ends: Ends): Key[] => [...ends.values()].flatMap(({ key }) => (key ? [key] : []));

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

/** What one link's system no longer shows: the end of a write first, for the row may have gone after it. Pure. */
export function leftOverOf(
	state: LinkState,
	system: string,
	{ seen, ends, macKey }: { seen: ReadonlySet<string>; ends: Ends; macKey: string },
): SnapshotChange[] {
	const changes: SnapshotChange[] = [];
	const { entity, keys, inFlight } = state;
	const op = inFlight[system];
	const end = op && ends.get(op.id);
	if (op && end) changes.push({ kind: 'marker', marker: markerOf(op, end, macKey) });
	const isMade = op?.kind === 'insert' && end?.outcome === 'applied';
	const known = hasRowIn(state, system) ? keys[system] : undefined;
	const key = known ?? (isMade ? end.key : null);
	if (key && !seen.has(recordText(entity, key))) changes.push({ kind: 'gone', entity, key });
	return changes;
}

export function markerOf(
	{ id, link, system, entity }: Operation,
	{ outcome, key, error }: End,
	macKey: string,
): Marker {
	const why = error === null ? {} : { error };
	const content = formatMarker({ op: id, link, system, entity, outcome, key, ...why }, macKey);
	const marker = parseMarker(content);
	if (!marker) throw new TypeError('a marker that was just made cannot be read');
	return marker;
}

const recordText = (entity: string, key: Key): string => canonicalJson([entity, { ...key }]);
