import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import type { ChangeEvent } from '../../../src/core/change-event';
import { parseLsn } from '../../../src/core/lsn';
import { withAloneLab } from '../../support/alone-lab';
import { type FakeN8n, fakeN8n } from '../../support/fake-n8n';
import { withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

/** A server that hears nothing for so long ends the session. */
const TIMEOUT_MS = 2_000;
const EXECUTION_MS = 2 * TIMEOUT_MS;
/** Of the database, so that it holds for every session of the trigger. */
const SHORT_TIMEOUT = `do $$ begin execute format('alter database %I set wal_sender_timeout = ${TIMEOUT_MS}', current_database()); end $$;`;

/** Of 200 rows and 1.6 MB each. */
const BATCHES = 40;

/** Who reads the slot. */
interface Session {
	readonly pid: number;
	readonly startedAt: Date;
	readonly waitsFor: string | null;
	readonly confirmed: string;
}

async function sessionOf(pool: pg.Pool, slot: string): Promise<Session> {
	return await waitUntil('the slot to be read', async () => {
		const { rows } = await pool.query<Session>(
			`select pid, backend_start as "startedAt", wait_event as "waitsFor", confirmed_flush_lsn as confirmed
			 from pg_replication_slots join pg_stat_activity on pid = active_pid where slot_name = $1`,
			[slot],
		);
		return rows[0];
	});
}

const nameOf = ({ pid, startedAt }: Session): string => `${pid} since ${startedAt.toISOString()}`;
const idsOf = (n8n: FakeN8n): number[] => n8n.events().map(({ key }) => Number(key['id']));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

/** Rows stand just before the place of their snapshot, which is where the slot begins. */
function openFrom([first]: readonly ChangeEvent[]): bigint {
	return parseLsn(String(first?.source['commitLsn'])) + (first?.source.snapshot ? 1n : 0n);
}

/** An n8n whose first executions take longer than the server waits for a sign of life. */
class SlowN8n {
	readonly n8n: FakeN8n;
	/** At the end of each slow execution: the session, and the place up to which the log may be acknowledged by then. */
	readonly looks: { readonly session: Session; readonly openFrom: bigint }[] = [];
	/** From now on the time counts. */
	go: () => void = () => undefined;

	constructor(parts: { readonly slow: number; readonly look: () => Promise<Session>; readonly then: FakeN8n['workflow'] }) {
		const ready = new Promise<void>((resolve) => (this.go = resolve));
		this.n8n = fakeN8n(async (events: readonly ChangeEvent[]) => {
			if (this.looks.length >= parts.slow) return await parts.then(events);
			await ready;
			await sleep(EXECUTION_MS);
			this.looks.push({ session: await parts.look(), openFrom: openFrom(events) });
			return await parts.then(events);
		});
	}

	/** The session before, during and after is one, and nothing was acknowledged that an execution still had. */
	expectUnharmed(...others: readonly Session[]): void {
		const sessions = [...this.looks.map(({ session }) => session), ...others];
		expect(new Set(sessions.map(nameOf)).size).toBe(1);
		for (const { session, openFrom: limit } of this.looks) expect(parseLsn(session.confirmed)).toBeLessThanOrEqual(limit);
		expect(this.n8n.logs.filter((line) => line.includes('again in'))).toEqual([]);
		expect([...this.n8n.errors, ...this.n8n.failures]).toEqual([]);
	}
}

test('without a policy: executions outlast wal_sender_timeout, with rows and with changes, while the server waits to send more', async () => {
	await withAloneLab(async (lab) => {
		const look = async (): Promise<Session> => await sessionOf(lab.database.pool, lab.slot);
		await lab.sql(`${SHORT_TIMEOUT} create table items (id int primary key, body text); insert into items select n from generate_series(1, 10) n`);
		const slow = new SlowN8n({ slow: 2, look, then: async () => 'success' });
		const { n8n } = slow;
		await lab.start({ n8n, parameters: { tables: 'items', existingRows: 'initial', options: { maxWaitMs: 0 } } });
		await waitUntil('the execution with rows', () => n8n.runs.length === 1);
		const before = await look();
		// Far more than the trigger and the sockets take: the server's own questions are stuck behind it.
		for (let batch = 0; batch < BATCHES; batch += 1) await lab.sql(`insert into items select 10 + ${batch} * 200 + n, repeat('x', 8000) from generate_series(1, 200) n`);
		await waitUntil('the server to be held up', async () => (await look()).waitsFor === 'WalSenderWriteData');
		slow.go();
		await waitUntil('both slow executions', () => slow.looks.length === 2);
		await lab.waitUntilAcknowledged();
		expect(idsOf(n8n)).toEqual(upTo(10 + 200 * BATCHES));
		expect(n8n.runs.slice(0, 2).map(({ events }) => events[0]?.op)).toEqual(['r', 'c']);
		expect(slow.looks[0]?.session.waitsFor).toBe('WalSenderWriteData');
		slow.expectUnharmed(before, await look());
	});
});

test('with a policy: an execution outlasts wal_sender_timeout, and what it has is acknowledged only then', async () => {
	await withLab({ setup: SHORT_TIMEOUT }, async (lab) => {
		const look = async (): Promise<Session> => await sessionOf(lab.source.pool, lab.settings.slot);
		const slow = new SlowN8n({ slow: 1, look, then: lab.observing });
		await lab.start({ n8n: slow.n8n });
		await lab.waitUntilReading();
		await lab.sql(`insert into customers values (1, '1@x', null)`);
		await waitUntil('the slow execution', () => slow.n8n.runs.length === 1);
		const before = await look();
		for (let id = 2; id <= 40; id += 1) await lab.sql(`insert into customers values (${id}, '${id}@x', null)`);
		slow.go();
		await waitUntil('the end of the slow execution', () => slow.looks.length === 1);
		await lab.waitUntilAcknowledged();
		expect(idsOf(slow.n8n)).toEqual(upTo(40));
		slow.expectUnharmed(before, await look());
	});
});
