import { readSlot } from '../../../src/postgres/slot';
import { type PostgresServer, type StartOptions, startPostgres } from '../../support/embedded-postgres';
import { openTcpRelay, type TcpRelay } from '../../support/tcp-relay';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

/** What the trigger is there for when networks and servers are not. */

/** 200 with `npm run activations`, which takes a minute or two. */
const ACTIVATIONS = Number(process.env['ACTIVATIONS'] ?? 20);

const idsOf = (lab: TriggerLab): number[] => lab.n8n.events().map(({ key }) => Number(key['id']));
const insert = async (lab: TriggerLab, id: number): Promise<void> => await lab.sql(`insert into customers values (${id}, '${id}@x', null)`);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

async function withServer(settings: NonNullable<StartOptions['settings']>, work: (server: PostgresServer) => Promise<void>): Promise<void> {
	const server = await startPostgres({ version: 18, settings });
	try {
		await work(server);
	} finally {
		await server.stop();
	}
}

async function withRelay(lab: TriggerLab, work: (relay: TcpRelay, connection: TriggerLab['settings']['connection']) => Promise<void>): Promise<void> {
	const relay = await openTcpRelay(lab.source.settings.port);
	try {
		await work(relay, { ...lab.source.settings, port: relay.port });
	} finally {
		await relay.close();
	}
}

test('a connection that is cut again and again loses and repeats nothing', async () => {
	await withLab({}, async (lab) => {
		await withRelay(lab, async (relay, connection) => {
			await lab.start({ settings: { connection } });
			await lab.waitUntilReading();
			for (let id = 1; id <= 12; id++) {
				await insert(lab, id);
				if (id % 3 === 0) relay.cut();
			}
			await lab.waitUntilAcknowledged();
			expect(idsOf(lab)).toEqual(upTo(12));
			expect(lab.n8n.errors).toEqual([]);
			expect(lab.n8n.failures).toEqual([]);
		});
	});
});

test('a connection that is dead without a word is given up, and its slot taken over when the server has noticed, too', async () => {
	await withServer({ wal_sender_timeout: '2s' }, async (server) => {
		await withLab({ server }, async (lab) => {
			await withRelay(lab, async (relay, connection) => {
				await lab.start({ settings: { connection }, silenceTimeoutMs: 1_500 });
				await lab.waitUntilReading();
				await insert(lab, 1);
				await lab.waitUntilAcknowledged();
				relay.fallSilent();
				await insert(lab, 2);
				// Whoever asks the catalogue at this moment gives up, too.
				const isGivenUp = (): boolean => lab.n8n.logs.some((line) => line.includes('The server has been silent for'));
				await waitUntil('the connection to be given up', isGivenUp, { timeoutMs: 60_000 });
				await waitUntil('the change', () => idsOf(lab).includes(2), { timeoutMs: 60_000 });
				await insert(lab, 3);
				await lab.waitUntilAcknowledged();
				expect(idsOf(lab)).toEqual([1, 2, 3]);
				expect(lab.n8n.errors).toEqual([]);
			});
		});
	});
}, 180_000);

test('a password that was changed ends the trigger at its next connection, saying so; with the new one it misses nothing', async () => {
	await withLab({}, async (lab) => {
		const role = `reader_${lab.settings.slot}`;
		await lab.sql(`create role ${role} login superuser replication password 'old'`);
		await withRelay(lab, async (relay, there) => {
			const connection = { ...there, user: role, password: 'old' };
			const first = await lab.start({ settings: { connection } });
			await lab.waitUntilReading();
			await insert(lab, 1);
			await lab.sql(`alter role ${role} password 'new'`);
			await insert(lab, 2);
			await lab.waitUntilAcknowledged();
			relay.cut();
			await insert(lab, 3);
			const error = await waitUntil('the error', () => lab.n8n.errors[0]);
			expect(error.message).toMatch(/password/i);
			await first.close();
			await insert(lab, 4);
			await lab.start({ settings: { connection: { ...connection, password: 'new' } } });
			await lab.waitUntilAcknowledged();
			expect(idsOf(lab)).toEqual([1, 2, 3, 4]);
			expect(lab.n8n.errors).toHaveLength(1);
		});
	});
});

test('without a slot that is left the trigger does not start, and says what to raise; when there is one, it does', async () => {
	await withServer({ max_replication_slots: 2 }, async (server) => {
		await withLab({ server }, async (lab) => {
			for (const name of ['one', 'two']) await lab.sql(`select pg_create_physical_replication_slot('${name}')`);
			await expect(lab.start()).rejects.toMatchObject({ message: expect.stringContaining('replication slots') as string });
			expect(await readSlot(lab.source.pool, lab.settings.slot)).toBeNull();
			for (const name of ['one', 'two']) await lab.sql(`select pg_drop_replication_slot('${name}')`);
			await lab.start();
			await lab.waitUntilReading();
			await insert(lab, 1);
			await lab.waitUntilAcknowledged();
			expect(idsOf(lab)).toEqual([1]);
		});
	});
});

test(`after ${ACTIVATIONS} activations no connection is left, and nothing was missed or repeated`, async () => {
	await withLab({}, async (lab) => {
		const sessions = async (): Promise<number> => {
			const { rows } = await lab.source.pool.query<{ count: number }>(
				`select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name = 'n8n-nodes-bisync'`,
			);
			return rows[0]?.count ?? 0;
		};
		const reading = await lab.start();
		await lab.waitUntilReading();
		await reading.close();
		for (const id of upTo(ACTIVATIONS)) {
			const trigger = await lab.start();
			await insert(lab, id);
			if (id % 2 === 0) await waitUntil(`change ${id}`, () => idsOf(lab).includes(id));
			await trigger.close();
		}
		const last = await lab.start();
		await waitUntil('the last change', () => idsOf(lab).includes(ACTIVATIONS));
		await lab.waitUntilAcknowledged();
		await last.close();
		await waitUntil('the sessions to end', async () => (await sessions()) === 0);
		const { rows } = await lab.source.pool.query<{ slot_name: string; temporary: boolean }>(
			'select slot_name, temporary from pg_replication_slots where database = current_database()',
		);
		expect(rows).toEqual([{ slot_name: lab.settings.slot, temporary: false }]);
		expect([...new Set(idsOf(lab))]).toEqual(upTo(ACTIVATIONS));
	});
}, Math.max(300_000, ACTIVATIONS * 5_000));
