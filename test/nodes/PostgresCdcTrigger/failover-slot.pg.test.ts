import { PostgresCdcTrigger } from '../../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { readSlot } from '../../../src/postgres/slot';
import { fakeTriggerContext } from '../../support/fake-trigger-context';
import { openTestDatabase } from '../../support/test-database';
import { fakeN8n } from '../../support/fake-n8n';
import { withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

test('with a policy the slot is made as one that standbys keep, and altered when the setting is another one later', async () => {
	await withLab({}, async (lab) => {
		const first = await lab.start({ settings: { failover: true } });
		await lab.waitUntilReading();
		expect(await lab.slot()).toMatchObject({ isFailover: true });
		await first.close();
		const second = await lab.start({ settings: { failover: false } });
		await lab.waitUntilReading();
		expect(await lab.slot()).toMatchObject({ isFailover: false });
		await second.close();
		await lab.start();
		await lab.waitUntilReading();
		expect(await lab.slot()).toMatchObject({ isFailover: false });
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await lab.waitUntilAcknowledged();
		expect(lab.n8n.errors).toEqual([]);
	});
});

describe.each([15, 18] as const)('without a policy, on Postgres %i', (version) => {
	test('a slot that is there is altered, where the server can do that', async () => {
		const database = await openTestDatabase('failover', { version });
		const { pool, settings } = database;
		const slot = settings.database.replaceAll(/[^a-z0-9_]/g, '_').slice(-60);
		await pool.query('create table customers (id int primary key)');
		const start = async (options: Record<string, unknown>) =>
			await new PostgresCdcTrigger().trigger.call(
				fakeTriggerContext(fakeN8n(async () => 'success'), {
					parameters: { connectWith: 'postgres', useStore: false, tables: 'customers', publication: slot, slot, options },
					credentials: { postgres: { ...settings, ssl: 'disable' } },
				}),
			);
		const untilRead = async (): Promise<void> => void (await waitUntil('the slot to be read', async () => ((await readSlot(pool, slot))?.activePid ?? null) !== null));
		try {
			const { closeFunction } = await start({});
			await untilRead();
			await closeFunction?.();
			if (version < 17) {
				await expect(start({ failover: true })).rejects.toMatchObject({ message: expect.stringContaining('the server is Postgres 15') });
				return;
			}
			const again = await start({ failover: true });
			await waitUntil('a slot that standbys keep', async () => (await readSlot(pool, slot))?.isFailover);
			await untilRead();
			await again.closeFunction?.();
		} finally {
			await database.drop();
		}
	});
});
