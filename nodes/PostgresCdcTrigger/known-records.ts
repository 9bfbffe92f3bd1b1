import { canonicalJson } from '../../src/core/canonical-json';
import type { ChangeEvent } from '../../src/core/change-event';
import { existsIn, type Key, type LinkState, type Operation } from '../../src/core/link';
import { formatMarker, type Marker, parseMarker } from '../../src/core/marker';
import type { SnapshotChange } from '../../src/postgres/snapshot-events';
import type { StreamId, SyncStore } from '../../src/store/sync-store';
import type { Prepared } from './prepare';

const PAGE = 1_000;

/**
 * Compares what the store knows of a system with a fresh read of all its rows, for a stream that is
 * begun again after changes may have been lost: their deletes and the echoes of our own writes would
 * otherwise never be heard of.
 */
export class KnownRecords {
	readonly #seen = new Set<string>();
	readonly #hasHistory: boolean;
	readonly #macKey: string;

	constructor(
		private readonly store: Pick<SyncStore, 'scanLinks'>,
		private readonly stream: StreamId,
		{ record, published }: Pick<Prepared, 'record' | 'published'>,
	) {
		this.#hasHistory = record !== null;
		this.#macKey = published.macKey;
	}

	/** These records are there. */
	saw(events: readonly ChangeEvent[]): void {
		if (!this.#hasHistory) return;
		for (const { op, entity, key } of events)
			if (op === 'r') this.#seen.add(recordText(entity, key));
	}

	/** After all rows: records that are gone, and writes of which nothing more will be heard. */
	async *leftOver(pageSize: number): AsyncGenerator<readonly SnapshotChange[], void, undefined> {
		if (!this.#hasHistory) return;
		let changes: SnapshotChange[] = [];
		for await (const state of this.#links()) {
			changes.push(
				...leftOverOf(state, this.stream.system, { seen: this.#seen, macKey: this.#macKey }),
			);
			if (changes.length < pageSize) continue;
			yield changes;
			changes = [];
		}
		if (changes.length > 0) yield changes;
	}

	async *#links(): AsyncGenerator<LinkState, void, undefined> {
		const { policy } = this.stream;
		let afterId: string | undefined;
		for (;;) {
			const links = await this.store.scanLinks({
				policy,
				limit: PAGE,
				...(afterId === undefined ? {} : { afterId }),
			});
			for (const { state } of links) yield state;
			afterId = links.at(-1)?.state.id;
			if (links.length < PAGE || afterId === undefined) return;
		}
	}
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
	if (key && existsIn(state, system) && !seen.has(recordText(entity, key))) {
		changes.push({ kind: 'gone', entity, key });
	}
	const op = inFlight[system];
	if (op) changes.push({ kind: 'marker', marker: staleMarker(op, macKey) });
	return changes;
}

/**
 * The marker of a write in flight may have been among the lost changes, and a second attempt leaves
 * none. The rows have just been read, so "it found another value" is safe to say whatever became of
 * the write: it is decided anew from what is there, under a new number.
 */
function staleMarker({ id, link, system, entity, key }: Operation, macKey: string): Marker {
	const content = formatMarker({ op: id, link, system, entity, outcome: 'stale', key }, macKey);
	const marker = parseMarker(content);
	if (!marker) throw new TypeError('a marker that was just made cannot be read');
	return marker;
}

const recordText = (entity: string, key: Key): string => canonicalJson([entity, key]);
