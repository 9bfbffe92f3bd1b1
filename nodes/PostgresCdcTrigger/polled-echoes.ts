import type { Key, Operation } from '../../src/core/link';
import { keyText } from '../../src/core/mapping';
import type { EventTable } from '../../src/postgres/event-tables';
import type { PollSnapshot, WrittenEntry } from '../../src/postgres/poll-snapshot';
import type { SnapshotChange } from '../../src/postgres/snapshot-events';
import { rowsOf } from '../../src/postgres/snapshot-rows';
import type { StreamId } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { type End, endsOf, markerOf } from './known-records';

const PAGE = 500;

interface EchoParts {
	readonly store: Pick<SyncStore, 'load'>;
	readonly stream: StreamId;
	readonly snapshot: PollSnapshot;
	readonly macKey: string;
	/** Undefined for what is none of this step's. */
	readonly tableOf: (op: Operation) => EventTable | undefined;
}

/**
 * The echoes of our own writes, as the ledger of a snapshot tells them. A row that nobody has changed since we wrote it
 * (both were written by one transaction) comes with its marker, as from the log: where it holds something else than we
 * wrote, the target made that of it. Of one that somebody has changed since, the marker comes alone, and what differs is
 * a change by somebody who had seen our write.
 */
export async function* echoesOf(parts: EchoParts, written: readonly WrittenEntry[]): AsyncGenerator<readonly SnapshotChange[], void, undefined> {
	const byLink = new Map(written.map((entry) => [entry.link, entry]));
	const links = [...byLink.keys()];
	for (let at = 0; at < links.length; at += PAGE) {
		const loaded = await parts.store.load({ policy: parts.stream.policy, links: links.slice(at, at + PAGE) });
		const ops = loaded.links.flatMap(({ state }) => state.inFlight[parts.stream.system] ?? []);
		yield await echoesOfPage(parts, ops, byLink);
	}
}

async function echoesOfPage(parts: EchoParts, ops: readonly Operation[], byLink: ReadonlyMap<string, WrittenEntry>): Promise<SnapshotChange[]> {
	const entries = new Map(ops.flatMap((op) => (byLink.has(op.link) ? [[op.id, byLink.get(op.link)] as const] : [])).filter(isThere));
	const ends = endsOf(ops, entries);
	const groups = new Map<EventTable, Ended[]>();
	for (const op of ops) {
		const [table, end] = [parts.tableOf(op), ends.get(op.id)];
		if (table && end) groups.set(table, [...(groups.get(table) ?? []), { op, end, writtenBy: entries.get(op.id)?.writtenBy ?? '' }]);
	}
	const changes: SnapshotChange[] = [];
	for (const [table, ended] of groups) changes.push(...(await withRows(parts, table, ended)));
	return changes;
}

interface Ended {
	readonly op: Operation;
	readonly end: End;
	/** The transaction that wrote the outcome. */
	readonly writtenBy: string;
}

async function withRows({ snapshot, macKey }: EchoParts, table: EventTable, ended: readonly Ended[]): Promise<SnapshotChange[]> {
	const keys = ended.flatMap(({ op, end }) => (end.outcome === 'applied' && op.kind !== 'delete' && end.key ? [end.key] : []));
	const page = await snapshot.read(table, keys.map((key) => table.key.map((column) => keyText(key[column] ?? null))));
	const rows = new Map(
		rowsOf(page, table).map((row, at) => [textOf(table, table.keyOf(row.values)), { row, writtenBy: page.writtenBy[at] ?? '' }] as const),
	);
	return ended.map(({ op, end, writtenBy }): SnapshotChange => {
		const marker = markerOf(op, end, macKey);
		const found = end.outcome === 'applied' && end.key ? rows.get(textOf(table, end.key)) : undefined;
		return found && found.writtenBy === writtenBy ? { ...found.row, marker } : { kind: 'marker', marker };
	});
}

const textOf = ({ key: columns }: EventTable, key: Key): string => JSON.stringify(columns.map((column) => keyText(key[column] ?? null)));

const isThere = (entry: readonly [string, WrittenEntry | undefined]): entry is readonly [string, WrittenEntry] => entry[1] !== undefined;
