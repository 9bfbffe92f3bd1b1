import { parseLsn } from '../../../src/core/lsn';
import { observeBatch } from '../../../src/store/observe-batch';
import { fakeN8n } from '../../support/fake-n8n';
import type { ConnectionSettings } from '../../support/embedded-postgres';
import { sharedPostgres } from '../../support/shared-postgres';
import { openTcpRelay } from '../../support/tcp-relay';
import { TIMING, type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

/** A trigger that reads, with its first read behind it. */
async function reading(lab: TriggerLab): Promise<void> {
	await lab.start();
	await lab.waitUntilReading();
}

const confirmed = async (lab: TriggerLab): Promise<bigint> =>
	(await lab.slot())?.confirmedLsn ?? 0n;
const idsOf = (lab: TriggerLab): string[] => lab.n8n.events().map(({ key }) => String(key['id']));

async function observedIds(lab: TriggerLab): Promise<string[]> {
	const links = await lab.store.scanLinks({ policy: 'lab', entity: 'customer', limit: 10_000 });
	return links
		.map(({ state }) => String(state.keys['crm']?.['id']))
		.sort((a, b) => Number(a) - Number(b));
}

test.each(['error', 'canceled', 'timeout'] as const)(
	'what was observed is acknowledged when the execution ends with %s',
	async (status) => {
		await withLab({}, async (lab) => {
			await reading(lab);
			lab.n8n.workflow = async (events) => {
				await lab.observing(events);
				return status;
			};
			await lab.sql(`insert into customers values (1, 'a@x', null)`);
			await lab.waitUntilAcknowledged();
			expect(idsOf(lab)).toEqual(['1']);
		});
	},
);

test('a batch that was dropped on the way is emitted again, and nothing is acknowledged before', async () => {
	await withLab({}, async (lab) => {
		await reading(lab);
		const noted: bigint[] = [];
		lab.n8n.workflow = async (events) => {
			noted.push(parseLsn((await lab.stream()).acknowledgedLsn ?? '0/0'));
			return noted.length > 3 ? await lab.observing(events) : 'success';
		};
		await lab.sql(`insert into customers select n, n || '@x', null from generate_series(1, 3) n`);
		await lab.waitUntilAcknowledged();
		const commit = parseLsn(String(lab.n8n.events()[0]?.source['commitLsn']));
		expect(noted.map((lsn) => lsn <= commit)).toEqual([true, true, true, true]);
		expect(idsOf(lab)).toEqual(['1', '2', '3', '1', '2', '3', '1', '2', '3', '1', '2', '3']);
		expect(
			lab.n8n.logs.filter((line) => line.includes('3 of 3 changes never reached the Echo Filter')),
		).toHaveLength(3);
	});
});

test('of a batch that got half way the rest is emitted again, and whole transactions before it acknowledged', async () => {
	await withLab({}, async (lab) => {
		await reading(lab);
		let isFirst = true;
		lab.n8n.workflow = async (events) => {
			if (!isFirst) return await lab.observing(events);
			isFirst = false;
			await observeBatch(lab.store, 'lab', events.slice(0, 3));
			return 'error';
		};
		await lab.source.pool.query(
			`insert into customers select n, n || '@x', null from generate_series(1, 5) n`,
		);
		await lab.waitUntilAcknowledged();
		expect(idsOf(lab)).toEqual(['1', '2', '3', '4', '5', '4', '5']);
		expect(await observedIds(lab)).toEqual(['1', '2', '3', '4', '5']);
		expect(lab.n8n.logs.some((line) => line.includes('2 of 5 changes'))).toBe(true);
	});
});

test('a change that fails is not acknowledged, but the transactions before it are', async () => {
	await withLab({}, async (lab) => {
		await reading(lab);
		lab.n8n.workflow = async (events) =>
			await lab.observing(events.filter(({ key }) => Number(key['id']) < 2));
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await lab.sql(`insert into customers values (2, 'b@x', null)`);
		const first = await waitUntil('both changes', () => {
			const event = lab.n8n.events().find(({ key }) => key['id'] === '1');
			return idsOf(lab).filter((id) => id === '2').length > 1 && event;
		});
		const { acknowledgedLsn } = await lab.stream();
		const second = lab.n8n.events().find(({ key }) => key['id'] === '2');
		const commitOf = (event: typeof first | undefined) =>
			parseLsn(String(event?.source['commitLsn']));
		expect(parseLsn(acknowledgedLsn ?? '')).toBeGreaterThan(commitOf(first));
		expect(parseLsn(acknowledgedLsn ?? '')).toBeLessThanOrEqual(commitOf(second));
	});
});

test('the store knows of an acknowledgement before the server does', async () => {
	await withLab({}, async (lab) => {
		await reading(lab);
		for (let n = 1; n <= 20; n += 1) {
			await lab.sql(`insert into customers values (${n}, '${n}@x', null)`);
			const { acknowledgedLsn } = await lab.stream();
			expect(await confirmed(lab)).toBeLessThanOrEqual(parseLsn(acknowledgedLsn ?? '0/0'));
		}
		await lab.waitUntilAcknowledged();
		expect(await observedIds(lab)).toHaveLength(20);
	});
});

test('killed between two executions, a trigger that starts again loses nothing and repeats nothing observed', async () => {
	await withLab({}, async (lab) => {
		await reading(lab);
		// This n8n dies in the middle: it observes, and never comes back.
		lab.n8n.workflow = async (events) => {
			await lab.observing(events);
			return await new Promise(() => undefined);
		};
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await waitUntil('the first change', () => idsOf(lab).length > 0);
		await waitUntil('its observation', async () => (await observedIds(lab)).length > 0);
		await lab.sql(`insert into customers values (2, 'b@x', null)`);
		await lab.source.pool.query(
			'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1',
			[lab.settings.slot],
		);
		const again = fakeN8n(lab.observing);
		await lab.start({ n8n: again });
		await waitUntil('the second change', () => again.events().length > 0);
		await lab.waitUntilAcknowledged();
		expect(again.events().map(({ key }) => key['id'])).toEqual(['2']);
		expect(again.events()[0]?.source.prev).toBe(lab.n8n.events()[0]?.source.position);
		expect(await observedIds(lab)).toEqual(['1', '2']);
	});
});

test('a transaction above the limit travels whole', async () => {
	await withLab({}, async (lab) => {
		await lab.start({ settings: { maxChanges: 100 } });
		await lab.waitUntilReading();
		await lab.sql(
			`insert into customers select n, n || '@x', null from generate_series(1, 3000) n`,
		);
		await lab.sql(`insert into customers values (3001, 'last@x', null)`);
		await lab.waitUntilAcknowledged();
		expect(lab.n8n.runs.map(({ events }) => events.length)).toEqual([3_000, 1]);
		expect(await observedIds(lab)).toHaveLength(3_001);
	});
});

test('a stream without changes of ours is acknowledged all the same', async () => {
	await withLab({ setup: 'create table others (n int)' }, async (lab) => {
		await reading(lab);
		await lab.sql(`insert into others select generate_series(1, 1000)`);
		await lab.sql(`select pg_logical_emit_message(true, 'somebody', 'else')`);
		await lab.waitUntilAcknowledged();
		expect(lab.n8n.runs).toEqual([]);
		const { acknowledgedLsn } = await lab.stream();
		expect(parseLsn(acknowledgedLsn ?? '0/0')).toBeGreaterThanOrEqual(await confirmed(lab));
	});
});

test('an idle trigger goes to the store no more often than it is told to', async () => {
	await withLab({}, async (lab) => {
		await lab.start({ source: { sweepMs: 600_000 } });
		await lab.waitUntilReading();
		const startedMs = performance.now();
		const before = lab.storeTrips();
		await lab.sql(`select pg_logical_emit_message(true, 'somebody', 'else')`);
		await lab.waitUntilAcknowledged();
		// One acknowledgement per interval, and the sweep that comes first.
		const intervals = Math.ceil((performance.now() - startedMs) / TIMING.idleIntervalMs);
		expect(lab.storeTrips() - before).toBeLessThanOrEqual(intervals + 3);
	});
});

test('a store that goes away holds everything up and loses nothing', async () => {
	const relay = await openTcpRelay((await sharedPostgres(18)).port);
	const storeAt = (settings: ConnectionSettings) => ({ ...settings, port: relay.port });
	await withLab({ storeAt }, async (lab) => {
		await reading(lab);
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await lab.waitUntilAcknowledged();
		const before = await confirmed(lab);
		await relay.close();
		await lab.sql(`insert into customers values (2, 'b@x', null)`);
		await lab.n8n.waitForLog('the sync store on 127.0.0.1');
		// Whether the change was emitted by then depends on who noticed first, the sweep or an execution.
		expect(await confirmed(lab)).toBe(before);
		await relay.reopen();
		await lab.waitUntilAcknowledged();
		expect(await observedIds(lab)).toEqual(['1', '2']);
		expect(lab.n8n.errors).toEqual([]);
		await relay.close();
	});
});

test('closed during an execution, a trigger acknowledges what that observed and never emits again', async () => {
	await withLab({}, async (lab) => {
		const trigger = await lab.start();
		await lab.waitUntilReading();
		let finish: () => void = () => undefined;
		lab.n8n.workflow = async (events) => {
			await new Promise<void>((resolve) => (finish = resolve));
			return await lab.observing(events);
		};
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await waitUntil('the execution', () => lab.n8n.runs.length === 1);
		await lab.sql(`insert into customers values (2, 'b@x', null)`);
		const closed = trigger.close();
		finish();
		await closed;
		expect(idsOf(lab)).toEqual(['1']);
		expect((await lab.stream()).position).toBe(lab.n8n.events()[0]?.source.position);
		expect((await lab.slot())?.activePid).toBeNull();
		expect(lab.n8n.logs.at(-1)).toContain(
			`select pg_drop_replication_slot('${lab.settings.slot}')`,
		);
		expect(lab.n8n.errors).toEqual([]);
		const again = fakeN8n(lab.observing);
		await lab.start({ n8n: again });
		await waitUntil('the other change', () => again.events().length > 0);
		expect(again.events().map(({ key }) => key['id'])).toEqual(['2']);
	});
});

test('closed during an execution that never ends, a trigger does not wait for ever', async () => {
	await withLab({}, async (lab) => {
		const trigger = await lab.start();
		await lab.waitUntilReading();
		lab.n8n.workflow = async () => await new Promise(() => undefined);
		await lab.sql(`insert into customers values (1, 'a@x', null)`);
		await waitUntil('the execution', () => lab.n8n.runs.length === 1);
		await trigger.close();
		expect((await lab.slot())?.activePid).toBeNull();
		expect((await lab.slot())?.confirmedLsn).toBeLessThanOrEqual(
			parseLsn(String(lab.n8n.events()[0]?.source['commitLsn'])),
		);
	});
});

test('a workflow that changes its items in place gets them unchanged the next time', async () => {
	await withLab({}, async (lab) => {
		await reading(lab);
		let isFirst = true;
		lab.n8n.workflow = async (events) => {
			if (!isFirst) return await lab.observing(events);
			isFirst = false;
			for (const { after } of events) if (after) after['note'] = 'spoiled';
			return 'error';
		};
		await lab.sql(`insert into customers values (1, 'a@x', 'as it is')`);
		await lab.waitUntilAcknowledged();
		expect(lab.n8n.runs[1]?.events[0]?.after?.['note']).toBe('as it is');
	});
});
