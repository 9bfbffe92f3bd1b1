import type { EventTable } from '../../src/postgres/event-tables';
import type { SnapshotSession } from '../../src/postgres/snapshot';
import type { StreamRegistration, TableReading } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import { type KnownPage, lookForKnown } from './known-records';
import type { ReadingKeeper } from './row-reading';

export interface StoreKeeperParts {
	readonly store: Pick<SyncStore, 'registerStream' | 'scanLinks'>;
	readonly storeId: string;
	readonly macKey: string;
	/** The stream as it is registered while rows are read. */
	readonly registration: StreamRegistration;
	/** As it is registered once all rows have been read. */
	readonly finalHash: string;
	readonly onDone: () => Promise<void>;
}

/** Keeps with the stream how far its rows have been read: a kill repeats what was read since the last note. */
export class StoreKeeper implements ReadingKeeper {
	readonly everyMs = 2_000;

	constructor(private readonly parts: StoreKeeperParts) {}

	async note(reading: readonly TableReading[]): Promise<void> {
		await this.parts.store.registerStream({ ...this.parts.registration, reading });
	}

	async finish(reading: readonly TableReading[]): Promise<void> {
		const { store, registration, finalHash: filterHash, onDone } = this.parts;
		await store.registerStream({ ...registration, filterHash, snapshot: 'done', reading });
		await onDone();
	}

	async known(session: SnapshotSession, { reading, table }: { reading: TableReading; table: EventTable }, after: string | null): Promise<KnownPage> {
		const { store, registration: stream, storeId, macKey } = this.parts;
		const asksLedger = reading.asked === undefined;
		return await lookForKnown(session, { store, stream, table, storeId, macKey, after, asksLedger });
	}
}
