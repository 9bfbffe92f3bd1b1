import { openChangeStream } from '../../../src/postgres/change-stream';
import { type PostgresServer, startPostgres } from '../../support/embedded-postgres';
import { openTcpRelay } from '../../support/tcp-relay';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const idsOf = (lab: TriggerLab): unknown[] => lab.n8n.events().map(({ key }) => key['id']);

async function withOwnServer(work: (server: PostgresServer) => Promise<void>): Promise<void> {
	const server = await startPostgres({ version: 18 });
	try {
		await work(server);
	} finally {
		await server.stop();
	}
}

test('a slot that somebody else reads is waited for, and its reader is named', async () => {
	await withLab({}, async (lab) => {
		const first = await lab.start();
		await lab.waitUntilReading();
		await first.close();
		const other = await openChangeStream({
			connection: { ...lab.source.settings, applicationName: 'another reader' },
			slot: lab.settings.slot,
			publications: ['lab'],
		});
		await lab.start();
		await lab.n8n.waitForLog('is being read by process');
		expect(lab.n8n.logs.join('\n')).toMatch(/process \d+ \(another reader\)/);
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await other.close();
		await waitUntil('the change', () => idsOf(lab).length > 0);
		await lab.waitUntilAcknowledged();
		expect(idsOf(lab)).toEqual(['1']);
		expect(lab.n8n.errors).toEqual([]);
	});
});

test('two activations that overlap end with the later one reading', async () => {
	await withLab({}, async (lab) => {
		const first = await lab.start();
		await lab.waitUntilReading();
		await lab.start();
		await lab.n8n.waitForLog('is being read by process');
		await first.close();
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await waitUntil('the change', () => idsOf(lab).length > 0);
		await lab.waitUntilAcknowledged();
		expect(idsOf(lab)).toEqual(['1']);
	});
});

test('a source that goes down is waited for without a word to n8n', async () => {
	await withOwnServer(async (server) => {
		await withLab({ server }, async (lab) => {
			await lab.start();
			await lab.waitUntilReading();
			await lab.sql(`insert into customers values (1, 'a@x', null)`);
			await lab.waitUntilAcknowledged();
			await server.kill();
			await lab.n8n.waitForLog('Trying again');
			await server.restart();
			await lab.sql(`insert into customers values (2, 'b@x', null)`);
			await waitUntil('the change', () => idsOf(lab).includes('2'));
			await lab.waitUntilAcknowledged();
			expect(idsOf(lab)).toEqual(['1', '2']);
			expect(lab.n8n.errors).toEqual([]);
			expect(lab.n8n.failures).toEqual([]);
		});
	});
});

test('a server that shuts down does not have to wait for the trigger', async () => {
	await withOwnServer(async (server) => {
		await withLab({ server }, async (lab) => {
			await lab.start();
			await lab.waitUntilReading();
			await lab.sql(`insert into customers values (1, 'a@x', null)`);
			const startedMs = performance.now();
			await server.restart();
			expect(performance.now() - startedMs).toBeLessThan(20_000);
			await lab.sql(`insert into customers values (2, 'b@x', null)`);
			await waitUntil('the change', () => idsOf(lab).includes('2'));
			expect(idsOf(lab)).toEqual(['1', '2']);
		});
	});
});

test('when n8n starts before the database, the trigger waits; when a person activates, it says so', async () => {
	await withLab({}, async (lab) => {
		const relay = await openTcpRelay(lab.source.settings.port);
		const connection = { ...lab.source.settings, port: relay.port };
		await relay.close();
		await expect(lab.start({ settings: { connection } })).rejects.toThrow(/Cannot reach database/);
		await lab.start({ settings: { connection }, isPatient: true });
		await lab.n8n.waitForLog('The trigger keeps trying');
		await relay.reopen();
		await lab.waitUntilReading();
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await lab.waitUntilAcknowledged();
		expect(idsOf(lab)).toEqual(['1']);
		await relay.close();
	});
});

test('a slot that is dropped under a running trigger ends it with one error', async () => {
	await withLab({}, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		const { slot } = lab.settings;
		await waitUntil('the slot to be dropped', async () => {
			await lab.sql(
				`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '${slot}' and active_pid is not null`,
			);
			return await lab.sql(`select pg_drop_replication_slot('${slot}')`).then(
				() => true,
				() => false,
			);
		});
		const error = await waitUntil('the error', () => lab.n8n.errors[0]);
		expect(error.message).toContain('may be missing');
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		expect(lab.n8n.errors).toHaveLength(1);
		expect(lab.n8n.runs).toEqual([]);
	});
});

test('a change that cannot be read is shown in n8n once, and nothing after it is passed on', async () => {
	await withLab({ setup: 'create unique index email on customers (email)' }, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		await lab.sql(
			`alter table customers alter column email set not null; alter table customers replica identity using index email`,
		);
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await lab.sql(`update customers set note = 'x'`);
		const failure = await waitUntil('the failed execution', () => lab.n8n.failures[0]);
		expect(failure.message).toContain('alter table "public"."customers" replica identity full');
		await waitUntil(
			'three more attempts',
			() => lab.n8n.logs.filter((line) => line.startsWith('error')).length > 3,
		);
		expect(lab.n8n.failures).toHaveLength(1);
		expect(lab.n8n.errors).toEqual([]);
		expect(idsOf(lab)).toEqual(['1']);
	});
});
