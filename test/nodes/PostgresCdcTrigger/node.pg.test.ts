import { PostgresCdcTrigger } from '../../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { provideStore } from '../../../nodes/shared/open-store';
import type { ChangeEvent } from '../../../src/core/change-event';
import { SyncError } from '../../../src/core/errors';
import { fakeN8n } from '../../support/fake-n8n';
import {
	fakeTriggerContext,
	replicationCredential,
	storeCredential,
} from '../../support/fake-trigger-context';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const node = new PostgresCdcTrigger();

function withStoreContext(
	lab: TriggerLab,
	mode: 'trigger' | 'manual',
	parameters: Record<string, unknown> = {},
) {
	const { settings } = lab.source;
	const credential = storeCredential(settings, `provided_${lab.settings.slot}`);
	const release = provideStore(credential, lab.store);
	const options = { slotName: lab.settings.slot, publicationName: 'lab', sweepSeconds: 1 };
	const context = fakeTriggerContext(lab.n8n, {
		mode,
		parameters: {
			connectWith: 'bisyncPostgresApi',
			useStore: true,
			policy: 'lab',
			system: 'crm',
			options,
			...parameters,
		},
		credentials: { bisyncPostgresApi: replicationCredential(settings), bisyncStoreApi: credential },
	});
	return { context, release };
}

async function sampled(lab: TriggerLab): Promise<readonly ChangeEvent[]> {
	const { context, release } = withStoreContext(lab, 'manual');
	const { manualTriggerFunction, closeFunction } = await node.trigger.call(context);
	expect(closeFunction).toBeUndefined();
	await manualTriggerFunction?.();
	release();
	return lab.n8n.runs.at(-1)?.events ?? [];
}

test('activated with a policy, the node reads, delivers, and keeps its slot when it is closed', async () => {
	await withLab({ setup: `insert into customers values (1, 'a@x', null);` }, async (lab) => {
		const { context, release } = withStoreContext(lab, 'trigger');
		const { closeFunction } = await node.trigger.call(context);
		await lab.waitUntilReading();
		await lab.sql(`update customers set note = 'x'`);
		await lab.waitUntilAcknowledged();
		expect(lab.n8n.events().map(({ op }) => op)).toEqual(['r', 'u']);
		await closeFunction?.();
		expect(await lab.slot()).toMatchObject({ activePid: null });
		release();
	});
});

test('what keeps it from starting is an error of n8n with the SQL that helps', async () => {
	await withLab({ setup: 'alter table orders replica identity nothing' }, async (lab) => {
		const { context, release } = withStoreContext(lab, 'trigger');
		await expect(node.trigger.call(context)).rejects.toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringContaining('"public"."orders" has no replica identity'),
			description: expect.stringContaining('alter table "public"."orders" replica identity full;'),
		});
		release();
	});
});

test('a parameter that is wrong is named by its label', async () => {
	await withLab({}, async (lab) => {
		const { context, release } = withStoreContext(lab, 'trigger', { policy: '' });
		await expect(node.trigger.call(context)).rejects.toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringContaining('"Policy" must not be empty') as string,
		});
		release();
	});
});

test('a test run before the first activation shows the latest rows of each table, and leaves no trace', async () => {
	const rows = `insert into customers select n, n || '@x', null from generate_series(1, 30) n;
		insert into orders values (1, 'o1');`;
	await withLab({ setup: rows }, async (lab) => {
		const events = await sampled(lab);
		expect(events.map(({ entity, op, key }) => `${op} ${entity} ${String(key['id'])}`)).toEqual([
			...Array.from({ length: 10 }, (_, i) => `r customer ${30 - i}`),
			'r order 1',
		]);
		expect(events.every((event) => event['test'] === true)).toBe(true);
		expect(await lab.slot()).toBeNull();
		const { rows: publications } = await lab.source.pool.query('select from pg_publication');
		expect(publications).toEqual([]);
		expect((await lab.store.load({ policy: 'lab' })).streams).toEqual({});
	});
});

test('a test run of an inactive workflow shows what waits in its slot, and consumes nothing', async () => {
	await withLab({}, async (lab) => {
		const trigger = await lab.start();
		await lab.waitUntilReading();
		await trigger.close();
		await lab.sql(`insert into customers values (1, 'a@x', null); update customers set note = 'x'`);
		const before = await lab.slot();
		const [stream, events] = [await lab.stream(), await sampled(lab)];
		expect(events.map(({ op }) => op)).toEqual(['c', 'u']);
		expect(await lab.slot()).toMatchObject({ confirmedLsn: before?.confirmedLsn, activePid: null });
		expect(await lab.stream()).toEqual(stream);
		const { rows } = await lab.source.pool.query(
			'select from pg_replication_slots where database = current_database()',
		);
		expect(rows).toHaveLength(1);
		const again = fakeN8n(lab.observing);
		await lab.start({ n8n: again });
		await waitUntil('the same changes', () => again.events().length === 2);
	});
});

test('a test run works while the workflow is active', async () => {
	await withLab({ setup: `insert into customers values (1, 'a@x', null);` }, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		await lab.waitUntilAcknowledged();
		expect((await sampled(lab)).map(({ op }) => op)).toEqual(['r']);
	});
});

test('a test run shows everything that is wrong, and says when there is nothing to show', async () => {
	await withLab({}, async (lab) => {
		await expect(sampled(lab)).rejects.toMatchObject({
			description: new SyncError('NO_SAMPLE', '').remedy,
		});
		await lab.sql('drop table orders; alter table customers replica identity nothing');
		await expect(sampled(lab)).rejects.toMatchObject({
			message: expect.stringMatching(/^2 things stand in the way/),
			description: expect.stringMatching(/\n1\. .*\n2\. /),
		});
	});
});

test('without a store a change is delivered until an execution succeeds', async () => {
	await withLab({}, async (lab) => {
		const name = lab.settings.slot;
		const context = fakeTriggerContext(lab.n8n, {
			parameters: {
				connectWith: 'postgres',
				useStore: false,
				tables: 'customers',
				publication: name,
				slot: name,
				options: {},
			},
			credentials: { postgres: { ...lab.source.settings, ssl: 'disable' } },
		});
		lab.n8n.workflow = async () => (lab.n8n.runs.length < 3 ? 'error' : 'success');
		const { closeFunction } = await node.trigger.call(context);
		await lab.n8n.waitForLog('changes are read from now on');
		await waitUntil('the slot', async () => ((await lab.slot())?.activePid ?? null) !== null);
		await lab.sql(
			`insert into customers values (1, 'a@x', null); insert into orders values (1, 'o')`,
		);
		await lab.waitUntilAcknowledged();
		const events = lab.n8n.events();
		expect(events).toHaveLength(3);
		expect(new Set(events.map(({ changeId }) => changeId)).size).toBe(1);
		expect(events[0]).toMatchObject({
			system: lab.source.settings.database,
			entity: 'public.customers',
			op: 'c',
			key: { id: '1' },
			source: { prev: null },
		});
		await closeFunction?.();
	});
});

test('without a store tables that are not there are named', async () => {
	await withLab({}, async (lab) => {
		const context = fakeTriggerContext(lab.n8n, {
			parameters: {
				connectWith: 'postgres',
				useStore: false,
				tables: 'clients',
				publication: 'p',
				slot: 's',
				options: {},
			},
			credentials: { postgres: { ...lab.source.settings } },
		});
		await expect(node.trigger.call(context)).rejects.toThrow(
			'There is no table public.clients with a primary key',
		);
	});
});
