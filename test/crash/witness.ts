import type { Policy } from '../../src/core/policy';
import { createSlot } from '../../src/postgres/create-slot';
import { readLog } from '../support/read-log';
import { witnessed, type WitnessedTransaction } from '../support/witness';
import { type System, SYSTEMS } from './systems';
import type { World } from './world';

/** A slot and a publication of their own: the sync knows nothing of them. */
const NAME = 'witness';

/** Somebody who reads both systems' logs beside the sync. */
export class Witness {
	readonly #readUpTo = new Map<System, bigint>();

	constructor(
		private readonly world: World,
		private readonly policy: Policy,
	) {}

	/** From now on everything that is committed in this system is kept for the witness. */
	async watch(system: System): Promise<void> {
		const { pool, settings } = this.world[system];
		await pool.query(`drop publication if exists ${NAME}; create publication ${NAME} for all tables`);
		await (await createSlot(settings, { name: NAME })).release();
	}

	async lookAway(system: System): Promise<void> {
		await this.world[system].pool.query('select pg_drop_replication_slot($1)', [NAME]);
	}

	/** What was committed in both systems since it was asked last, in the order of time. */
	async testify(): Promise<WitnessedTransaction[]> {
		const [crm = [], billing = []] = await Promise.all(SYSTEMS.map(async (system) => await this.#read(system)));
		return inTime(crm, billing);
	}

	/** A server that was killed sends again what it had not noted to be acknowledged. */
	async #read(system: System): Promise<WitnessedTransaction[]> {
		const connection = this.world[system].settings;
		const all = await readLog({ connection, slot: NAME, publications: [NAME] });
		const readUpTo = this.#readUpTo.get(system) ?? 0n;
		const transactions = all.filter(({ commitLsn }) => commitLsn > readUpTo);
		this.#readUpTo.set(system, transactions.at(-1)?.commitLsn ?? readUpTo);
		return transactions.map((transaction) => witnessed(system, transaction, this.policy));
	}
}

/**
 * Merges two logs. Each stays in its own order; one machine has one clock, and what follows from a
 * change of the other system comes some milliseconds later.
 */
function inTime(
	left: readonly WitnessedTransaction[],
	right: readonly WitnessedTransaction[],
): WitnessedTransaction[] {
	const merged: WitnessedTransaction[] = [];
	let [l, r] = [0, 0];
	for (;;) {
		const [a, b] = [left[l], right[r]];
		if (!a && !b) return merged;
		if (a && (!b || a.atMs <= b.atMs)) {
			merged.push(a);
			l += 1;
		} else if (b) {
			merged.push(b);
			r += 1;
		}
	}
}
