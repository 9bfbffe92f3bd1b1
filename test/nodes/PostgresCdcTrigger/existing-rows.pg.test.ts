import { SyncError } from '../../../src/core/errors';
import { type AloneLab, openAloneLab, replayed, slotOf, steppedBack } from '../../support/alone-lab';
import { fakeN8n } from '../../support/fake-n8n';
import { waitUntil } from '../../support/wait-until';

const ROWS = 200;
const TABLES = { tables: 'items, others', options: { maxChanges: 20, maxWaitMs: 20 } };

let lab: AloneLab;
beforeEach(async () => {
	lab = await openAloneLab('existing-rows');
	await lab.sql(
		`create table items (id int primary key, v int not null, note text); create table others (id int primary key, v int not null);
		insert into items select n, 0, 'n' || n from generate_series(1, ${ROWS}) n; insert into others select n, 0 from generate_series(1, 90) n; analyze;`,
	);
});
afterEach(async () => await lab.close());

/** Edits rows all over the tables while `until` waits; `v` counts the edits of a row. */
async function withUsers<T>(until: () => Promise<T>): Promise<T> {
	let isOver = false;
	const work = async (): Promise<void> => {
		for (let n = 0; !isOver; n += 1) {
			await lab.sql(`update items set v = v + 1 where id = ${1 + ((n * 7_919) % ROWS)}; update others set v = v + 1 where id = ${1 + ((n * 31) % 90)}; select pg_sleep(0.01)`);
			if (n % 3 === 0) await lab.sql(`delete from items where id = ${1 + ((n * 31) % ROWS)}`);
			if (n % 5 === 0) await lab.sql(`insert into items values (${1_000_000 + n}, 0, 'made')`);
			if (n % 7 === 0) await lab.sql(`update items set id = ${2_000_000 + n} where id = ${1 + ((n * 13) % ROWS)}`);
		}
	};
	const working = work();
	try {
		return await until();
	} finally {
		isOver = true;
		await working;
	}
}

async function expectEqual(events: Parameters<typeof replayed>[0]): Promise<void> {
	for (const table of ['items', 'others']) {
		const { rows } = await lab.database.pool.query<{ id: number; v: number }>(`select id, v from ${table}`);
		const seen = [...replayed(events, `public.${table}`).values()].map((row) => `${String(row?.['id'])} ${String(row?.['v'])}`);
		expect(seen.sort()).toEqual(rows.map(({ id, v }) => `${id} ${v}`).sort());
	}
	expect(steppedBack(events, 'v')).toEqual([]);
}

test('initial: the rows come first, then what changes, and both add up to the tables while others write', async () => {
	const n8n = await withUsers(async () => {
		const started = await lab.start({ parameters: { ...TABLES, existingRows: 'initial' } });
		await waitUntil('both tables', () => started.n8n.logs.filter((line) => line.includes('Read all')).length === 2);
		return started.n8n;
	});
	await lab.waitUntilAcknowledged();
	await expectEqual(n8n.events());
	const read = n8n.events().filter(({ op }) => op === 'r');
	expect(read.length).toBeGreaterThan(250);
	const [first] = read;
	expect(first?.source).toMatchObject({ snapshot: true, reading: { rows: 1, of: ROWS } });
	// Side by side: the second table does not wait for the end of the first.
	const entities = read.map(({ entity }) => entity);
	expect(entities.indexOf('public.others')).toBeLessThan(entities.lastIndexOf('public.items'));
	expect(n8n.errors).toEqual([]);
});

test.each([1, 9])('a read that is killed after execution %i goes on where it was, and adds up all the same', async (killedAt) => {
	const parameters = { ...TABLES, existingRows: 'initial' };
	const n8n = fakeN8n(async () => (n8n.runs.length > killedAt ? 'error' : 'success'));
	const { done, again } = await withUsers(async () => {
		const first = await lab.start({ parameters, n8n });
		await waitUntil('the kill', () => n8n.runs.length > killedAt);
		const stored = first.stored();
		await first.close();
		const restarted = await lab.start({ parameters, stored, activation: 'init' });
		await waitUntil('both tables', () => !isReading(restarted.stored()));
		return { done: n8n.runs.slice(0, killedAt).flatMap(({ events }) => events), again: restarted };
	});
	await lab.waitUntilAcknowledged();
	const events = [...done, ...again.n8n.events()];
	await expectEqual(events);
	// What was under way of each table comes again, no more.
	expect(events.filter(({ op }) => op === 'r').length).toBeLessThan(ROWS + 90 + 5 * 20);
	expect(again.n8n.errors).toEqual([]);
});

function isReading(stored: Record<string, unknown>): boolean {
	const { reading } = stored['stream'] as { reading: { phase: string; rows: number }[] };
	return reading.some(({ phase }) => phase !== 'done');
}

test('never: only what changes from now on', async () => {
	const { n8n } = await lab.start({ parameters: { ...TABLES, existingRows: 'never' } });
	await n8n.waitForLog('none from before');
	await lab.sql(`update items set v = 1 where id = 7`);
	await lab.waitUntilAcknowledged();
	expect(n8n.events().map(({ op, key }) => [op, key['id']])).toEqual([['u', '7']]);
});

test('only: all rows of one instant, no slot, no publication, and again when the workflow is activated again', async () => {
	const parameters = { ...TABLES, existingRows: 'only', publication: '', slot: '' };
	const first = await lab.start({ parameters });
	await first.n8n.waitForLog('nothing more to do');
	await lab.sql(`update items set v = 1 where id = 7; insert into others values (1000, 1)`);
	await expect(lab.database.pool.query('select slot_name from pg_replication_slots where database = current_database()')).resolves.toMatchObject({ rows: [] });
	await expect(lab.database.pool.query('select pubname from pg_publication')).resolves.toMatchObject({ rows: [] });
	expect(first.n8n.events().filter(({ op }) => op !== 'r')).toEqual([]);
	expect(replayed(first.n8n.events(), 'public.items').size).toBe(ROWS);
	expect(replayed(first.n8n.events(), 'public.others').size).toBe(90);
	const stored = first.stored();
	await first.close();
	const restarted = await lab.start({ parameters, stored, activation: 'init' });
	await restarted.n8n.waitForLog('nothing more to do');
	// The pages of which n8n had not yet stored that they were read.
	expect(restarted.n8n.events().length).toBeLessThanOrEqual(2 * 20);
	await restarted.close();
	const again = await lab.start({ parameters, stored: { stream: { ...(stored['stream'] as object), reading: [] } } });
	await again.n8n.waitForLog('nothing more to do');
	expect(replayed(again.n8n.events(), 'public.others').size).toBe(91);
});

test('a slot that is gone stops the trigger, and says what to do; when needed, all rows are read again instead', async () => {
	const first = await lab.start({ parameters: { ...TABLES, existingRows: 'never' } });
	await first.n8n.waitForLog('none from before');
	await lab.sql('update others set v = 1 where id = 1');
	await lab.waitUntilAcknowledged();
	const stored = first.stored();
	await first.close();
	await waitUntil('the slot to be free', async () => (await slotOf(lab))?.activePid === null);
	await lab.sql(`select pg_drop_replication_slot('${lab.slot}'); update items set v = 1 where id = 7`);
	for (const existingRows of ['never', 'initial']) {
		await expect(lab.start({ parameters: { ...TABLES, existingRows }, stored, activation: 'init' })).rejects.toMatchObject({
			message: expect.stringContaining(`There is no replication slot "${lab.slot}" any more`),
			description: new SyncError('SLOT_MISSING', '').remedy,
		});
	}
	expect(await slotOf(lab)).toBeNull();
	const again = await lab.start({ parameters: { ...TABLES, existingRows: 'whenNeeded' }, stored, activation: 'init' });
	await waitUntil('both tables', () => again.n8n.logs.filter((line) => line.includes('Read all')).length === 2);
	await lab.waitUntilAcknowledged();
	await expectEqual(again.n8n.events());
});
