import type { ChangeEvent } from '../../../src/core/change-event';
import { parseLsn } from '../../../src/core/lsn';
import { readSlot } from '../../../src/postgres/slot';
import { fakeN8n } from '../../support/fake-n8n';
import { openTestDatabase, type TestDatabase } from '../../support/test-database';
import { withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

/** The triggers of both systems of a policy, side by side in one process, as in one workflow. */

const ACCOUNTS = `
	create table accounts (account_no int primary key, contact_email text, memo text);
	create table invoices (no int primary key, ref text);
	alter table accounts replica identity full;
	alter table invoices replica identity full;`;

const wordsOf = (events: readonly ChangeEvent[]): unknown[] =>
	events.filter(({ op }) => op !== 'w').map(({ system, op, key, source }) => [system, op, key, source.connector]);

async function endOfLog({ pool }: TestDatabase): Promise<bigint> {
	const { rows } = await pool.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
	return parseLsn(rows[0]?.lsn ?? '0/0');
}

async function confirmed({ pool }: TestDatabase, slot: string): Promise<bigint> {
	return (await readSlot(pool, slot))?.confirmedLsn ?? 0n;
}

test.each([
	['of one server', 18],
	['of two servers', 15],
] as const)('two databases %s are read at once: each hands on its own changes, and acknowledges its own', async (_, version) => {
	await withLab({ mode: 'live' }, async (lab) => {
		const billing = await openTestDatabase('billing', { version });
		await billing.pool.query(ACCOUNTS);
		const slot = `${lab.settings.slot}_billing`;
		const [one, two] = [fakeN8n(lab.observing), fakeN8n(lab.observing)];
		await lab.start({ n8n: one });
		const second = await lab.start({ n8n: two, settings: { connection: billing.settings, slot }, source: { system: 'billing' } });
		try {
			await lab.waitUntilReading();
			await waitUntil('billing to be read', async () => ((await readSlot(billing.pool, slot))?.activePid ?? null) !== null);
			// The same numbers on both sides, in turns.
			for (let n = 1; n <= 20; n += 1) {
				await lab.sql(`insert into customers values (${n}, 'c${n}@x', 'crm')`);
				await billing.pool.query(`insert into accounts values (${n}, 'b${n}@x', 'billing')`);
			}
			await lab.sql('delete from customers where id = 7');
			const numbers = Array.from({ length: 20 }, (__, at) => String(at + 1));
			await waitUntil('all changes', () => wordsOf(one.events()).length >= 21 && wordsOf(two.events()).length >= 20);
			expect(wordsOf(one.events())).toEqual([...numbers.map((id) => ['crm', 'c', { id }, 'postgresql']), ['crm', 'd', { id: '7' }, 'postgresql']]);
			expect(wordsOf(two.events())).toEqual(numbers.map((id) => ['billing', 'c', { account_no: id }, 'postgresql']));
			await lab.waitUntilAcknowledged();
			// While an execution of one does not end, the other one goes on.
			let goOn: () => void = () => undefined;
			const gate = new Promise<void>((resolve) => (goOn = resolve));
			one.workflow = async (events) => {
				await gate;
				return await lab.observing(events);
			};
			await lab.sql(`insert into customers values (100, 'c100@x', 'held up')`);
			const heldUp = await endOfLog(lab.source);
			await billing.pool.query(`insert into accounts values (100, 'b100@x', 'not held up')`);
			const passed = await endOfLog(billing);
			await waitUntil('billing to be acknowledged', async () => (await confirmed(billing, slot)) >= passed);
			expect(await confirmed(lab.source, lab.settings.slot)).toBeLessThan(heldUp);
			goOn();
			await waitUntil('crm to be acknowledged', async () => (await confirmed(lab.source, lab.settings.slot)) >= heldUp);
			expect([one, two].flatMap(({ errors, failures }) => [...errors, ...failures])).toEqual([]);
		} finally {
			await second.close();
			await billing.drop();
		}
	});
});
