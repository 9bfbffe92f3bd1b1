import type { INode } from 'n8n-workflow';

import { StoreReader } from '../../../nodes/PostgresCdcTrigger/store-reader';
import { nodeError } from '../../../nodes/shared/sync-error-to-node';
import { fakeN8n, type FakeN8n } from '../../support/fake-n8n';
import { openTcpRelay } from '../../support/tcp-relay';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

/** Two instances of n8n have the same workflow active: the same slot, the same sync store. */

const idsOf = (...hosts: FakeN8n[]): number[] => hosts.flatMap((host) => host.events().map(({ key }) => Number(key['id'])));
const insert = async (lab: TriggerLab, id: number): Promise<void> => await lab.sql(`insert into customers values (${id}, 'c${id}@x', null)`);
const linesOf = ({ logs }: FakeN8n, text: string): string[] => logs.filter((line) => line.includes(text));

test('the second one stands by with one line in its log, takes over when the first one is gone, and stands back when that is there again', async () => {
	await withLab({}, async (lab) => {
		const relay = await openTcpRelay(lab.source.settings.port);
		const [one, two] = [fakeN8n(lab.observing), fakeN8n(lab.observing)];
		await lab.start({ n8n: one, settings: { connection: { ...lab.source.settings, port: relay.port } } });
		await lab.waitUntilReading();
		await lab.start({ n8n: two });
		await two.waitForLog('stands by');
		const tripsBefore = lab.storeTrips();
		await waitUntil('more attempts of the second one', () => lab.storeTrips() > tripsBefore + 30);
		await insert(lab, 1);
		await lab.waitUntilAcknowledged();
		expect([idsOf(one), idsOf(two)]).toEqual([[1], []]);
		await relay.close();
		await insert(lab, 2);
		await waitUntil('the change at the second one', () => idsOf(two).includes(2));
		await relay.reopen();
		await one.waitForLog('stands by');
		await insert(lab, 3);
		await lab.waitUntilAcknowledged();
		expect([idsOf(one), idsOf(two)]).toEqual([[1], [2, 3]]);
		for (const host of [one, two]) {
			expect(linesOf(host, 'is being read by process')).toHaveLength(1);
			expect([host.errors, host.failures]).toEqual([[], []]);
		}
		await relay.close();
	});
});

test('activated at the same moment, one of them begins, and the rows that are there are read to their end', async () => {
	await withLab({ setup: `insert into customers select n, 'c' || n || '@x', null from generate_series(1, 300) n` }, async (lab) => {
		const [one, two] = [fakeN8n(lab.observing), fakeN8n(lab.observing)];
		await Promise.all([lab.start({ n8n: one }), lab.start({ n8n: two })]);
		await lab.waitUntilReading();
		await insert(lab, 1_000);
		await waitUntil('the change', () => idsOf(one, two).includes(1_000));
		await lab.waitUntilAcknowledged();
		const ids = new Set(idsOf(one, two));
		expect(ids.size).toBe(301);
		await waitUntil('the end of the snapshot in the store', async () => (await lab.stream()).snapshot === 'done');
		expect([one, two].flatMap(({ errors, failures }) => [...errors, ...failures])).toEqual([]);
	});
});

test('a slot that is made anew between the look at it and the start of reading is not read from: what lies between would be missing', async () => {
	await withLab({}, async (lab) => {
		const before = await lab.start();
		await lab.waitUntilReading();
		await insert(lab, 1);
		await lab.waitUntilAcknowledged();
		await before.close();
		const { slot, source } = lab.settings;
		if (source.kind !== 'store') throw new TypeError('the lab has a store');
		const host = fakeN8n(lab.observing);
		const reader = new StoreReader({
			openStore: async () => ({ value: lab.store, release: () => undefined }),
			settings: lab.settings,
			source,
			host,
			asNodeError: (error) => nodeError({ name: 'Trigger', type: 'trigger' } as INode, error),
		});
		const prepared = await reader.prepare(false);
		await lab.sql(`select pg_drop_replication_slot('${slot}')`);
		await insert(lab, 2);
		await lab.sql(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
		await insert(lab, 3);
		const stop = new AbortController();
		const reading = reader.read(prepared, stop.signal);
		await expect(Promise.race([reading, waitUntil('a change', () => host.runs.length > 0)])).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('has moved on') as string });
		stop.abort();
		await reading.catch(() => undefined);
		expect(host.runs).toEqual([]);
		await expect(lab.start()).rejects.toThrow(/somebody else read from it, or made it anew/);
	});
});
