import { randomBytes } from 'node:crypto';

import type { ChangeEvent } from '../../src/core/change-event';
import { isGenuine, type Marker } from '../../src/core/marker';
import type { Policy } from '../../src/core/policy';
import { type Position, STREAM_START } from '../../src/core/position';
import { type ChangeStream, openChangeStream } from '../../src/postgres/change-stream';
import { createSlot } from '../../src/postgres/create-slot';
import { policyTables } from '../../src/postgres/event-tables';
import type { SourceTransaction } from '../../src/postgres/source-transaction';
import { transactionEvents } from '../support/transaction-events';
import type { PublishedPolicy } from '../../src/store/sync-store';
import { waitUntil } from '../support/wait-until';
import type { ScenarioDatabase } from './databases';

const FENCE = 'rehearse-fence';

/** A transaction as it stands in a system's own log. */
export interface WitnessedTransaction {
	readonly system: string;
	readonly transaction: SourceTransaction;
	/** What the trigger makes of it. */
	readonly events: readonly ChangeEvent[];
	/** Genuine markers of ours; not those that a user copied. */
	readonly markers: readonly Marker[];
	/** Whether a step of the scenario, not the sync, made it. */
	readonly isUsers: boolean;
	/** When it was seen, by this process's clock, milliseconds since 1970. */
	readonly atMs: number;
}

export interface WitnessSubject {
	readonly system: string;
	readonly database: ScenarioDatabase;
	readonly publication: string;
	/** The policy in force, asked for every transaction. */
	readonly policy: () => Policy;
	readonly published: PublishedPolicy;
	/** Transaction ids of statements that the scenario sent itself. */
	readonly userXids: ReadonlySet<number>;
}

/**
 * Reads a system's log through a slot of its own, beside the sync and unknown to it: what it has
 * seen is what happened, whatever anybody says.
 */
export class Witness {
	readonly transactions: WitnessedTransaction[] = [];
	readonly #fences = new Set<string>();
	#reading: Promise<void> = Promise.resolve();
	#failure: unknown = null;

	private constructor(
		private readonly subject: WitnessSubject,
		private readonly stream: ChangeStream,
	) {}

	static async open(subject: WitnessSubject): Promise<Witness> {
		const { database, publication } = subject;
		const slot = `rehearse_witness_${randomBytes(6).toString('hex')}`;
		const made = await createSlot(database.settings, { name: slot });
		await made.release();
		const stream = await openChangeStream({
			connection: database.settings,
			slot,
			publications: [publication],
		});
		const witness = new Witness(subject, stream);
		witness.#reading = witness.#read().catch((error: unknown) => {
			witness.#failure = error;
		});
		return witness;
	}

	/** The last event that the trigger has to bring, as far as it was seen. */
	get lastPosition(): Position {
		const positions = this.transactions.flatMap(({ events }) => events.at(-1)?.source.position ?? []);
		return positions.at(-1) ?? STREAM_START;
	}

	/** Returns when everything has been seen that was committed before. */
	async catchUp(): Promise<void> {
		const fence = randomBytes(8).toString('hex');
		await this.subject.database.pool.query('select pg_logical_emit_message(true, $1, $2)', [FENCE, fence]);
		await waitUntil(
			`the log of ${this.subject.system}`,
			() => {
				if (this.#failure) throw new Error(`The log of ${this.subject.system} cannot be read`, { cause: this.#failure });
				return this.#fences.delete(fence);
			},
			{ everyMs: 3 },
		);
	}

	async close(): Promise<void> {
		await this.stream.close();
		await this.#reading;
	}

	async #read(): Promise<void> {
		for await (const transaction of this.stream.transactions()) {
			const { changes } = transaction;
			for (const change of changes) {
				if (change.kind === 'message' && change.prefix === FENCE) this.#fences.add(change.content);
			}
			const seen = this.#witnessed(transaction);
			if (seen.events.length > 0 || seen.markers.length > 0) this.transactions.push(seen);
		}
	}

	#witnessed(transaction: SourceTransaction): WitnessedTransaction {
		const { system, database, policy, published, userXids } = this.subject;
		const prefix = `bisync:${published.storeId}:${published.name}`;
		const events = transactionEvents(transaction, {
			system,
			database: database.name,
			systemId: this.stream.system.systemId,
			tables: policyTables(policy(), system),
			isMarker: (text) => text === prefix,
			markerSystem: system,
		});
		const isUsers = userXids.has(transaction.xid);
		const markers = isUsers ? [] : events.flatMap(({ marker }) => (marker && isGenuine(marker, published.macKey) ? [marker] : []));
		return { system, transaction, events, markers, isUsers, atMs: transaction.commitTsMs };
	}
}

