import { existsIn } from '../../../src/core/link';
import type { TableReading } from '../../../src/store/stream-record';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const ROWS = 200;
const SETUP = `insert into customers select n, 'c' || n || '@x', 'note ' || n from generate_series(1, ${ROWS}) n;`;

async function untilRead(lab: TriggerLab): Promise<void> {
	await waitUntil('the rows', async () => {
		const { streams } = await lab.store.load({ policy: 'lab' });
		return streams['crm']?.snapshot === 'done';
	});
}

/** The table, and what the store holds of it, in the same words. */
async function both(lab: TriggerLab): Promise<{ table: string[]; store: string[] }> {
	const { rows } = await lab.source.pool.query<{ text: string }>(
		`select concat_ws(' ', id, email, note) as text from customers`,
	);
	const links = await lab.store.scanLinks({ policy: 'lab', entity: 'customer', limit: 10_000 });
	const there = links.filter(({ state }) => existsIn(state, 'crm'));
	const store = there.map(({ state: { keys, fields } }) =>
		[
			keys['crm']?.['id'],
			fields['email']?.views['crm']?.canon,
			fields['note']?.views['crm']?.canon,
		].join(' '),
	);
	return { table: rows.map(({ text }) => text).sort(), store: store.sort() };
}

async function expectEqual(lab: TriggerLab): Promise<void> {
	await lab.waitUntilAcknowledged();
	const { table, store } = await both(lab);
	expect(store).toEqual(table);
}

/** Changes rows all over the table, before and behind the place where it is being read, until told to stop. */
function users(lab: TriggerLab): () => Promise<void> {
	let isOver = false;
	const work = async (): Promise<void> => {
		for (let n = 0; !isOver; n += 1) {
			const id = 1 + ((n * 7_919) % ROWS);
			// Paced, or the users would be faster than any reader.
			await lab.sql(
				`update customers set note = 'edit ${n}' where id = ${id}; select pg_sleep(0.05)`,
			);
			if (n % 3 === 0) await lab.sql(`delete from customers where id = ${1 + ((n * 31) % ROWS)}`);
			if (n % 5 === 0)
				await lab.sql(`insert into customers values (${1_000_000 + n}, 'new${n}@x', 'made')`);
			if (n % 7 === 0)
				await lab.sql(
					`update customers set id = ${2_000_000 + n} where id = ${1 + ((n * 13) % ROWS)}`,
				);
			if (n % 11 === 0)
				await lab.sql(`update customers set id = ${-n} where id = ${1 + ((n * 17) % ROWS)}`);
		}
	};
	const working = work();
	return async () => {
		isOver = true;
		await working;
	};
}

test('rows and changes that come meanwhile end as the table does, however often they take turns', async () => {
	await withLab({ mode: 'first-contact', setup: SETUP }, async (lab) => {
		const stop = users(lab);
		try {
			await lab.start({ settings: { maxChanges: 20 }, turnMs: 0 });
			await untilRead(lab);
		} finally {
			await stop();
		}
		await expectEqual(lab);
		const events = lab.n8n.events();
		const places = new Set(
			events.filter(({ op }) => op === 'r').map(({ source }) => source['commitLsn']),
		);
		expect(places.size).toBeGreaterThan(3);
		const firstChange = events.findIndex(({ source }) => !source.snapshot);
		expect(events.slice(firstChange).some(({ op }) => op === 'r')).toBe(true);
		expect(lab.n8n.errors).toEqual([]);
		const { rows } = await lab.source.pool.query(
			`select slot_name from pg_replication_slots where temporary and database = current_database()`,
		);
		expect(rows).toEqual([]);
	});
});

describe('a read that is cut short while users work goes on and ends as the table does', () => {
	test.each([
		[1, 'stored'],
		[7, 'stored'],
		[7, 'lost'],
		[14, 'stored'],
	] as const)(
		'after execution %i, with the progress since the beginning %s',
		async (cutAt, progress) => {
			await withLab({ mode: 'first-contact', setup: SETUP }, async (lab) => {
				const stop = users(lab);
				try {
					let executions = 0;
					lab.n8n.workflow = async (events) =>
						++executions > cutAt ? 'success' : await lab.observing(events);
					const first = await lab.start({ settings: { maxChanges: 20 }, turnMs: 0 });
					await waitUntil('the cut', () => executions > cutAt);
					await first.close();
					if (progress === 'lost') await forgetProgress(lab);
					lab.n8n.workflow = lab.observing;
					await lab.start({ settings: { maxChanges: 20 }, turnMs: 0 });
					await untilRead(lab);
				} finally {
					await stop();
				}
				await expectEqual(lab);
				expect(lab.n8n.errors).toEqual([]);
			});
		},
	);
});

/** As after a kill before anything was noted. */
async function forgetProgress(lab: TriggerLab): Promise<void> {
	const record = await lab.stream();
	const reading = record.reading?.map(
		(one): TableReading => ({ ...one, phase: 'rows', after: null, rows: 0 }),
	);
	await lab.store.registerStream({ ...record, reading: reading ?? null });
}

test('how far it has come is stored, with an estimate, and told', async () => {
	await withLab({ mode: 'first-contact', setup: `${SETUP} analyze customers;` }, async (lab) => {
		await lab.start({ settings: { maxChanges: 100 } });
		await untilRead(lab);
		expect((await lab.stream()).reading).toMatchObject([
			{ table: 'public.customers', phase: 'done', rows: ROWS, estimate: ROWS },
			{ table: 'public.orders', phase: 'done', rows: 0 },
		]);
		expect(lab.n8n.logs).toContain('info: Read all 200 rows of public.customers');
	});
});

test('progress costs few store trips, however many pages there are', async () => {
	await withLab({ mode: 'first-contact', setup: SETUP }, async (lab) => {
		let registrations = 0;
		const { store } = lab;
		const registerStream = store.registerStream.bind(store);
		store.registerStream = async (registration) => {
			registrations += 1;
			return await registerStream(registration);
		};
		await lab.start({ settings: { maxChanges: 2 } });
		await untilRead(lab);
		expect(lab.n8n.runs.length).toBeGreaterThanOrEqual(100);
		expect(registrations).toBeLessThan(30);
	});
});
