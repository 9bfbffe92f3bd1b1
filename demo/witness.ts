import type { Policy } from '../src/core/policy';
import { createSlot } from '../src/postgres/create-slot';
import { readLog } from '../test/support/read-log';
import { witnessed, type WitnessedWrite, witnessedWrites } from '../test/support/witness';
import { type DemoDatabases, runSql, type SystemDatabase } from './databases';

const SLOT = 'witness';

/** Reads both systems' logs from the moment it was started, beside the sync and unknown to it. */
export interface Witness {
	/** Everything that was marked as a write of the sync since then. Ends the witness. */
	testify(policy: Policy): Promise<readonly WitnessedWrite[]>;
}

/** Makes a replication slot of its own on each system. */
export async function startWitness({ crm, billing }: DemoDatabases): Promise<Witness> {
	const systems = [crm, billing];
	for (const system of systems) {
		const slot = await createSlot(system.adminSettings, { name: slotName(system) });
		await slot.release();
	}
	return {
		testify: async (policy) =>
			(await Promise.all(systems.map(async (system) => await readAll(system, policy)))).flat(),
	};
}

const slotName = ({ name }: SystemDatabase): string => `${SLOT}_${name}`;

async function readAll(system: SystemDatabase, policy: Policy): Promise<WitnessedWrite[]> {
	const transactions = await readLog({
		connection: system.adminSettings,
		slot: slotName(system),
		publications: ['bisync_crm_billing'],
	});
	await runSql(system.adminSettings, `select pg_drop_replication_slot('${slotName(system)}')`);
	return transactions.flatMap((transaction) => witnessedWrites(witnessed(system.name, transaction, policy)));
}
