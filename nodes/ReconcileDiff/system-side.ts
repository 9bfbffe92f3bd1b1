import { setTimeout as sleep } from 'node:timers/promises';

import type { ChangeEvent } from '../../src/core/change-event';
import { SyncError } from '../../src/core/errors';
import type { FreshRead } from '../../src/core/fresh-read';
import type { Key } from '../../src/core/link';
import { formatLsn } from '../../src/core/lsn';
import { keyText } from '../../src/core/mapping';
import type { Policy } from '../../src/core/policy';
import { inLineage, lineageOf, type Position, positionOf } from '../../src/core/position';
import type { DigestShape } from '../../src/core/row-digest';
import { scopeText, unreadScopes } from '../../src/core/scopes';
import type { PgSettings } from '../../src/postgres/connect';
import type { EventOrigin } from '../../src/postgres/event-envelope';
import { type EventTable, policyTables } from '../../src/postgres/event-tables';
import { type ExactPlace, openExactPlace } from '../../src/postgres/exact-place';
import { type SnapshotChange, snapshotEvents, snapshotLsn } from '../../src/postgres/snapshot-events';
import type { RowHashes } from '../../src/postgres/row-hashes';
import { rowsOf } from '../../src/postgres/snapshot-rows';
import { hasPassed } from '../../src/store/stream-reach';
import type { StreamRecord } from '../../src/store/stream-record';
import type { PublishedPolicy, SyncStore } from '../../src/store/sync-store';
import type { RowChanges, RowHashing, RowSource } from './row-source';

export interface SideParts {
	readonly store: Pick<SyncStore, 'load'>;
	readonly published: PublishedPolicy;
	readonly policy: Policy;
	readonly system: string;
	readonly connection: PgSettings;
	/** How long to wait for the stream to come past a place, in milliseconds. */
	readonly waitMs: number;
	readonly run: string;
}

/** Rows read at once. */
const PAGE = 1_000;
const CHECK_MS = 50;

/** One system's rows as they were at a place of its log, once its stream has been observed past that place. */
export class SystemSide implements RowSource {
	#index = 0;

	private constructor(
		readonly parts: SideParts,
		private readonly place: ExactPlace,
		private readonly lineage: number,
		/** See `StreamRecord.start`. */
		private readonly streamStart: Position,
	) {}

	/**
	 * Looks up a place, and waits until the stream has been observed past it.
	 *
	 * @throws SyncError NOT_COMPARABLE, STREAM_BEHIND, and those of `openExactPlace`
	 */
	static async open(parts: SideParts): Promise<SystemSide> {
		const before = await streamOf(parts);
		const place = await openExactPlace(parts.connection, before.slot);
		let isReady = false;
		try {
			requireSameServer(parts.system, before, place);
			const side = new SystemSide(parts, place, lineageOf(before.position), before.start);
			await side.#untilPassed();
			isReady = true;
			return side;
		} finally {
			if (!isReady) await place.close();
		}
	}

	get system(): string {
		return this.parts.system;
	}

	get lsn(): string {
		return formatLsn(this.place.lsn);
	}

	/** Where its reads stand in the stream. */
	get position(): Position {
		return positionOf(inLineage(snapshotLsn(this.place.lsn), this.lineage), 0);
	}

	table(entity: string): EventTable | undefined {
		return policyTables(this.parts.policy, this.system).all.find((table) => table.entity === entity);
	}

	async *rows(entity: string): AsyncGenerator<ChangeEvent[], void, undefined> {
		const table = this.table(entity);
		if (!table) return;
		for await (const page of this.place.snapshot.pages(table, { pageSize: PAGE })) yield this.#events(rowsOf(page, table));
	}

	async read(entity: string, keys: readonly Key[]): Promise<ChangeEvent[]> {
		const table = this.table(entity);
		if (!table) return [];
		const texts = keysOf(table, keys);
		const changes = rowsOf(await this.place.snapshot.read(table, texts), table);
		const there = new Set(changes.map(({ values }) => idOf(table, table.keyOf(values))));
		const gone = keys.filter((key) => !there.has(idOf(table, key)));
		return this.#events([...changes, ...gone.map((key) => ({ kind: 'gone' as const, entity, key }))]);
	}

	async missing(entity: string, keys: readonly Key[]): Promise<ChangeEvent[]> {
		const table = this.table(entity);
		if (!table) return [];
		const found = rowsOf(await this.place.snapshot.find(table, keysOf(table, keys)), table);
		const there = new Set(found.map(({ values }) => idOf(table, table.keyOf(values))));
		const gone = keys.filter((key) => !there.has(idOf(table, key)));
		return this.#events(gone.map((key) => ({ kind: 'gone' as const, entity, key })));
	}

	async hashing(shape: DigestShape): Promise<RowHashing | string> {
		const table = this.table(shape.entity);
		if (!table) return 'its records are no rows';
		const hashes = await this.place.snapshot.hashes(table, shape);
		if (typeof hashes === 'string') return hashes;
		return {
			estimate: hashes.estimate,
			sums: async (mask) => await hashes.sums(mask),
			inBuckets: async (mask, buckets) => await hashes.inBuckets(mask, buckets),
			keysAt: async (places) => rowsOf({ table, ...(await hashes.keysAt(places)) }, { ...table, parts: [] }).map(({ values }) => table.keyOf(values)),
			...(hashes.identity === null ? {} : { changes: this.#changes(table, hashes, [hashes.identity, String(shape.tag)]) }),
		};
	}

	/** A stream that began anew saw a gap: what was looked at before it may have been another copy of the system. */
	#changes(table: EventTable, hashes: RowHashes, identity: readonly string[]): RowChanges {
		const { systemId, timeline } = this.place.server;
		return {
			identity: [systemId, timeline, this.streamStart, ...identity].join(' '),
			horizon: async () => await hashes.horizon(),
			since: async (horizon, most) => await hashes.changedSince(horizon, most),
			find: async (keys) => await this.place.snapshot.hashesOf(table, hashes, keysOf(table, keys)),
		};
	}

	async close(): Promise<void> {
		await this.place.close();
	}

	#events(changes: readonly SnapshotChange[]): ChangeEvent[] {
		const { system, run, policy, connection } = this.parts;
		const { systemId } = this.place.server;
		const origin: EventOrigin = {
			system,
			database: connection.database,
			systemId,
			tables: policyTables(policy, system),
			lineage: this.lineage,
			isMarker: () => false,
			markerSystem: null,
		};
		const fresh: FreshRead = { run, systemId, gone: 0 };
		const index = this.#index + 1;
		this.#index += changes.length;
		return snapshotEvents(changes, origin, { lsn: snapshotLsn(this.place.lsn), tsMs: Date.now(), index, fresh });
	}

	async #untilPassed(): Promise<void> {
		const { waitMs, system } = this.parts;
		const untilMs = performance.now() + waitMs;
		while (!hasPassed(await streamOf(this.parts), this.position)) {
			if (performance.now() > untilMs) throw behind(system, this.lsn, waitMs);
			await sleep(CHECK_MS);
		}
	}
}

const keysOf = (table: EventTable, keys: readonly Key[]): string[][] =>
	keys.filter((key) => isOf(table, key)).map((key) => table.key.map((column) => keyText(key[column] ?? null)));

/** Of another table, which the policy named before, a key has other columns. */
const isOf = ({ key: columns }: EventTable, key: Key): boolean => columns.every((column) => Object.hasOwn(key, column));

const idOf = ({ key: columns }: EventTable, key: Key): string => JSON.stringify(columns.map((column) => keyText(key[column] ?? null)));

/** The stream, if what the store knows of it can be compared with rows. */
async function streamOf({ store, policy, system, published }: SideParts): Promise<StreamRecord> {
	const { streams } = await store.load({ policy: policy.name });
	const stream = streams[system];
	const refuse = (why: string): SyncError => new SyncError('NOT_COMPARABLE', `The rows of ${system} cannot be compared with what the sync knows of them: ${why}`);
	if (!stream) throw refuse('no trigger has read them');
	// What is pending is left out of the comparison.
	const unread = unreadScopes(policy, system, stream.filterHash).filter((scope) => !published.pending.includes(scopeText(scope)));
	if (stream.snapshot === 'running' || unread.length > 0) throw refuse('its trigger has not read all that the policy names yet');
	return stream;
}

function requireSameServer(system: string, stream: StreamRecord, { server }: ExactPlace): void {
	if (stream.systemId === server.systemId && stream.timeline === server.timeline) return;
	throw new SyncError('NOT_COMPARABLE', `The rows of ${system} cannot be compared with what the sync knows of them: its trigger reads from another server than this one, or from before it was restored`);
}

function behind(system: string, lsn: string, waitMs: number): SyncError {
	return new SyncError('STREAM_BEHIND', `The stream of ${system} has not come as far as ${lsn} within ${Math.round(waitMs / 1_000)} s`);
}
