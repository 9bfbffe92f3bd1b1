import type { INodeExecutionData } from 'n8n-workflow';

import { provideStore } from '../../nodes/shared/open-store';
import { SyncRecord } from '../../nodes/SyncRecord/SyncRecord.node';
import { readSlot } from '../../src/postgres/slot';
import { executeNode } from '../support/fake-execute';
import { replicationCredential, storeCredential } from '../support/fake-trigger-context';
import { sharedPostgres } from '../support/shared-postgres';
import { type TriggerLab, withLab } from '../support/trigger-lab';

type Items = readonly INodeExecutionData['json'][];

/** The answer of Sync Record, about the slots of this lab's database alone. */
async function ask(lab: TriggerLab, operation: string, parameters: Record<string, unknown> = {}): Promise<Items> {
	const credential = storeCredential(lab.source.settings, `provided_${lab.settings.slot}`);
	const release = provideStore(credential, lab.store);
	try {
		const { outputs } = await executeNode(new SyncRecord(), {
			parameters: { operation, policy: 'lab', ...parameters },
			credentials: { bisyncStoreApi: credential, bisyncPostgresApi: replicationCredential(lab.source.settings) },
		});
		return (outputs[0] ?? []).map(({ json }) => json).filter(({ database }) => database === lab.source.settings.database);
	} finally {
		release();
	}
}

describe.each([15, 18] as const)('on Postgres %i', (version) => {
	test('the slots of a server are listed with whose they are, and unused ones dropped: never one that is read', async () => {
		await withLab({ server: await sharedPostgres(version) }, async (lab) => {
			const { slot } = lab.settings;
			const trigger = await lab.start();
			await lab.waitUntilReading();
			await lab.sql(`select pg_create_logical_replication_slot('${slot}_old', 'pgoutput')`);
			expect(await ask(lab, 'listSlots')).toEqual(
				expect.arrayContaining([
					expect.objectContaining({ slot, owner: 'stream', policy: 'lab', system: 'crm', active: true, walStatus: 'reserved', keptBytes: expect.any(Number) }),
					expect.objectContaining({ slot: `${slot}_old`, owner: 'other', system: null, active: false, unusedHours: version < 17 ? null : 0 }),
				]),
			);
			expect(await ask(lab, 'dropSlots', { slotDo: 'drop', slotNames: slot })).toMatchObject([{ slot, drops: false, dropped: false, reason: expect.stringContaining('being read') }]);
			await trigger.close();
			const reason = version < 17 ? expect.stringContaining('name it') : 'Nobody has read from it for 0 h, less than 7 days';
			expect(await ask(lab, 'dropSlots', { slotDo: 'drop' })).toMatchObject([{ slot, drops: false, dropped: false, reason }]);
			expect(await ask(lab, 'dropSlots', { slotNames: `${slot}, ${slot}_old` })).toHaveLength(2);
			expect(await lab.slot()).not.toBeNull();
			expect(await ask(lab, 'dropSlots', { slotDo: 'drop', slotNames: `${slot}, ${slot}_old` })).toEqual(
				expect.arrayContaining([
					expect.objectContaining({ slot, dropped: true, consequence: expect.stringContaining('asks a person') }),
					expect.objectContaining({ slot: `${slot}_old`, dropped: true, consequence: expect.stringContaining('does not know who') }),
				]),
			);
			expect(await lab.slot()).toBeNull();
			expect(await readSlot(lab.source.pool, `${slot}_old`)).toBeNull();
			await expect(lab.start()).rejects.toThrow(/There is no replication slot/);
			await expect(ask(lab, 'dropSlots', { slotNames: 'never_was' })).rejects.toThrow('"Slots" names what the server has not: never_was');
		});
	});
});
