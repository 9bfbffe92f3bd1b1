import type { ChangeEvent } from '../../src/core/change-event';
import type { LinkState } from '../../src/core/link';
import { indexOfPosition, lsnOfPosition } from '../../src/core/position';
import type { Policy } from '../../src/core/policy';
import type { PgSettings } from '../../src/postgres/connect';
import { enveloped, type EventOrigin } from '../../src/postgres/event-envelope';
import { readSourceTime, type SourceTime } from '../../src/postgres/source-time';
import type { StreamId } from '../../src/store/stream-record';
import type { SyncStore } from '../../src/store/sync-store';
import type { Delivery, Log } from './deliver';

export interface PassingDatesParts {
	readonly store: Pick<SyncStore, 'findPassed'>;
	readonly stream: StreamId;
	readonly policy: Policy;
	readonly connection: PgSettings;
	readonly origin: EventOrigin;
	readonly log: Log;
	/** How often to look. */
	readonly everyMs: number;
}

/** Read at once; the rest has its turn right afterwards. */
const LIMIT = 1_000;
/** Our clock may be behind the server's: its own time decides, and is asked for a little early. */
const CLOCK_SKEW_MS = 60_000;

/** Whether rows of a system are deleted by a date that passes. */
export function hasDates(policy: Policy, system: string): boolean {
	return [...policy.entities.keys()].some((entity) => isDated(policy, entity, system));
}

function isDated({ entities }: Policy, entity: string, system: string): boolean {
	return 'passed' in (entities.get(entity)?.deletes.as.get(system) ?? {});
}

/**
 * Puts dates that have passed into the stream, at a place where everything that was committed before they did has been
 * delivered: who moved a date in time is heard first, however long nobody listened. Each becomes an
 * event of a virtual transaction one byte before that place, as rows do that are read (see `RowReading`).
 */
export class PassingDates {
	#place: SourceTime | null = null;
	#isLooking = false;
	#nextLookMs = 0;
	/** The stream was faster than the last look: it waits while the next place is found. */
	#holds = false;

	constructor(private readonly parts: PassingDatesParts) {}

	/** Whether nothing is under way. There may be more to tell later. */
	get isDone(): boolean {
		return !this.#place && !this.#isLooking && !this.#holds;
	}

	get place(): bigint | null {
		return this.#place?.lsn ?? null;
	}

	/** Transactions that end after it have to wait; null: none has to. Begins to look for dates when it is time. */
	limit(): bigint | null {
		if (!this.#place && !this.#isLooking && performance.now() >= this.#nextLookMs) void this.#look();
		return this.place ?? (this.#holds ? 0n : null);
	}

	/** Hands over what has passed, when everything before the place has been delivered. */
	async deliver(delivery: Delivery): Promise<void> {
		const place = this.#place;
		this.#place = null;
		if (!place) return;
		const at = place.lsn - 1n;
		const last = lsnOfPosition(delivery.position);
		this.#holds = last > at;
		if (this.#holds) {
			this.#nextLookMs = 0;
			return;
		}
		const index = last === at ? indexOfPosition(delivery.position) + 1 : 1;
		const states = await this.#passed(place.tsMs);
		const events = states.map((state, offset) => this.#event(state, { lsn: at, tsMs: place.tsMs, index: index + offset }));
		if (states.length === LIMIT) this.#nextLookMs = 0;
		await delivery.deliver(events, async () => undefined);
	}

	async #look(): Promise<void> {
		this.#isLooking = true;
		this.#nextLookMs = performance.now() + this.parts.everyMs;
		try {
			const mayHavePassed = await this.#passed(Date.now() + CLOCK_SKEW_MS);
			if (mayHavePassed.length === 0) return;
			const time = await readSourceTime(this.parts.connection);
			if ((await this.#passed(time.tsMs)).length > 0) this.#place = time;
		} catch (error) {
			// What is wrong with the server, the stream will say.
			this.parts.log.warn(`Could not look for dates that have passed: ${error instanceof Error ? error.message : String(error)}`);
		} finally {
			this.#isLooking = false;
			this.#holds &&= this.#place !== null;
		}
	}

	async #passed(untilMs: number): Promise<readonly LinkState[]> {
		const { store, stream, policy } = this.parts;
		const { policy: name, system } = stream;
		const found = await store.findPassed({ policy: name, system, untilMs, limit: LIMIT });
		// Links keep the date that an earlier version of the policy asked for.
		return found.filter(({ entity }) => isDated(policy, entity, system));
	}

	#event({ entity, keys }: LinkState, { lsn, tsMs, index }: { lsn: bigint; tsMs: number; index: number }): ChangeEvent {
		const { origin, stream } = this.parts;
		const body = { entity, op: 'p' as const, key: { ...keys[stream.system] }, before: null, after: null, unchanged: [], marker: null };
		return enveloped(body, origin, { commitLsn: lsn, lsn, index, table: null, tsMs, txId: null, isSnapshot: false });
	}
}
