import { provideStore } from '../../../nodes/shared/open-store';
import { SyncRecord } from '../../../nodes/SyncRecord/SyncRecord.node';
import { existsIn } from '../../../src/core/link';
import { formatReadRequest, READ_PREFIX } from '../../../src/core/read-request';
import { replayed, steppedBack, withAloneLab } from '../../support/alone-lab';
import { startPostgres } from '../../support/embedded-postgres';
import { executeNode } from '../../support/fake-execute';
import { fakeN8n } from '../../support/fake-n8n';
import { replicationCredential, storeCredential } from '../../support/fake-trigger-context';
import type { TestDatabase } from '../../support/test-database';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const ROWS = 150;

async function askAlone({ settings }: TestDatabase, slot: string, parameters: Record<string, unknown>): Promise<Record<string, unknown>> {
	const credentials = { bisyncPostgresApi: replicationCredential(settings) };
	const { outputs } = await executeNode(new SyncRecord(), { parameters: { operation: 'readTables', slot, ...parameters }, credentials });
	return outputs[0]?.[0]?.json ?? {};
}

test('without a policy: rows that are asked for come while others write, twice at once, and nothing older comes after something newer', async () => {
	await withAloneLab(async (lab) => {
		await lab.sql(`create table items (id int primary key, v int not null); insert into items select n, 0 from generate_series(1, ${ROWS}) n; create table others (id int primary key)`);
		const { n8n } = await lab.start({ parameters: { tables: 'items, others', existingRows: 'never', options: { maxChanges: 20, maxWaitMs: 20 } } });
		await n8n.waitForLog('none from before');
		let isOver = false;
		const users = (async () => {
			for (let n = 0; !isOver; n += 1) {
				await lab.sql(`update items set v = v + 1 where id = ${1 + ((n * 7_919) % ROWS)}; select pg_sleep(0.01)`);
				if (n % 3 === 0) await lab.sql(`delete from items where id = ${1 + ((n * 31) % ROWS)}`);
				if (n % 5 === 0) await lab.sql(`insert into items values (${1_000 + n}, 0)`);
			}
		})();
		try {
			const [whole, part] = await Promise.all([
				askAlone(lab.database, lab.slot, { tables: 'items' }),
				askAlone(lab.database, lab.slot, { tables: 'items', range: { from: '10', to: '20' } }),
			]);
			expect(whole).toMatchObject({ tables: ['public.items'], slot: lab.slot });
			await waitUntil('both', () => [whole, part].every((one) => n8n.events().some(({ source }) => source.reading?.asked === one?.['request'])) && n8n.logs.filter((line) => line.includes('Read all')).length === 2);
			const ofPart = n8n.events().filter(({ source }) => source.reading?.asked === part?.['request']);
			expect(ofPart.every(({ op, key }) => op === 'r' && Number(key['id']) >= 10 && Number(key['id']) <= 20)).toBe(true);
		} finally {
			isOver = true;
			await users;
		}
		await lab.waitUntilAcknowledged();
		const { rows } = await lab.database.pool.query<{ id: number; v: number }>('select id, v from items');
		const seen = [...replayed(n8n.events(), 'public.items').values()].map((row) => `${String(row?.['id'])} ${String(row?.['v'])}`);
		expect(seen.sort()).toEqual(rows.map(({ id, v }) => `${id} ${v}`).sort());
		expect(steppedBack(n8n.events(), 'v')).toEqual([]);
	});
});

test('without a policy: what cannot be read is told, and nothing halts', async () => {
	await withAloneLab(async (lab) => {
		await lab.sql('create table items (id int primary key, v int not null); insert into items values (1, 1), (2, 2)');
		const { n8n } = await lab.start({ parameters: { tables: 'items', existingRows: 'never', options: { maxWaitMs: 20 } } });
		await n8n.waitForLog('none from before');
		await askAlone(lab.database, lab.slot, { tables: 'items, nowhere' });
		await askAlone(lab.database, lab.slot, { tables: 'items', range: { from: 'no number' } });
		await n8n.waitForLog('public.nowhere were asked for, and cannot be read: it is not among the tables of this trigger');
		await n8n.waitForLog('public.items were asked for, and cannot be read: invalid input syntax');
		await waitUntil('the rows', () => replayed(n8n.events(), 'public.items').size === 2);
		expect(n8n.failures).toHaveLength(2);
		await lab.sql('update items set v = 3 where id = 1');
		await lab.waitUntilAcknowledged();
		expect(n8n.events().at(-1)).toMatchObject({ op: 'u', after: { id: 1, v: 3 } });
		expect(n8n.errors).toEqual([]);
		await expect(askAlone(lab.database, 'no_such_slot', { tables: 'items' })).rejects.toThrow('There is no replication slot "no_such_slot"');
		await expect(askAlone(lab.database, lab.slot, { tables: 'items, others', range: { from: '1' } })).rejects.toThrow('keys of one table');
	});
});

async function ask(lab: TriggerLab, parameters: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
	const credential = storeCredential(lab.source.settings, `provided_${lab.settings.slot}`);
	const release = provideStore(credential, lab.store);
	try {
		const credentials = { bisyncStoreApi: credential, bisyncPostgresApi: replicationCredential(lab.source.settings) };
		const { outputs } = await executeNode(new SyncRecord(), { parameters: { operation: 'readAgain', policy: 'lab', system: 'crm', ...parameters }, credentials });
		return outputs[0]?.[0]?.json ?? {};
	} finally {
		release();
	}
}

/** What the store holds of crm's customers. */
async function notes(lab: TriggerLab): Promise<Record<string, unknown>> {
	const links = await lab.store.scanLinks({ policy: 'lab', entity: 'customer', limit: 1_000 });
	const there = links.filter(({ state }) => existsIn(state, 'crm'));
	return Object.fromEntries(there.map(({ state }) => [String(state.keys['crm']?.['id']), state.fields['note']?.views['crm']?.canon]));
}

/** Changes of which the stream does not hear. */
async function unseen(lab: TriggerLab, sql: string): Promise<void> {
	await lab.waitUntilAcknowledged();
	await lab.sql(`alter publication lab drop table customers`);
	await lab.sql(sql);
	await lab.sql(`alter publication lab add table customers`);
}

const SETUP = `insert into customers select n, 'c' || n || '@x', 'note ' || n from generate_series(1, 5) n; insert into orders values (1, 'o1');`;

test('with a policy: what the stream has not told is found, deletes as well, of the entities and keys that are asked for', async () => {
	await withLab({ mode: 'first-contact', setup: SETUP }, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		await unseen(lab, `update customers set note = 'unseen' where id in (1, 4); delete from customers where id = 5`);
		lab.n8n.runs.length = 0;
		const part = await ask(lab, { entities: 'customer', range: { to: '3' } });
		await waitUntil('the part', async () => (await notes(lab))['1'] === 'unseen');
		expect(await notes(lab)).toEqual({ 1: 'unseen', 2: 'note 2', 3: 'note 3', 4: 'note 4', 5: 'note 5' });
		const all = await ask(lab, { entities: 'customer' });
		await waitUntil('the rest', async () => (await notes(lab))['4'] === 'unseen');
		expect(await notes(lab)).toEqual({ 1: 'unseen', 2: 'note 2', 3: 'note 3', 4: 'unseen' });
		const read = lab.n8n.events().filter(({ op }) => op !== 'w');
		expect(read.map(({ op, key, source }) => [op, key['id'], source.reading?.asked])).toEqual([
			...[1, 2, 3].map((id) => ['r', String(id), part['request']]),
			['d', '5', undefined],
			...[1, 2, 3, 4].map((id) => ['r', String(id), all['request']]),
		]);
		await lab.waitUntilReading();
		await lab.sql(`update customers set note = 'seen' where id = 2`);
		await lab.waitUntilAcknowledged();
		expect((await notes(lab))['2']).toBe('seen');
		expect((await lab.stream()).snapshot).toBe('done');
		expect(lab.n8n.errors).toEqual([]);
		await expect(ask(lab, { entities: 'nobody' })).rejects.toThrow('"Entities" names what has no table in crm: nobody');
		await expect(ask(lab, { system: 'billing' })).rejects.toThrow('which no trigger has read yet');
	});
});

test('with a policy: a request outlives the trigger, is carried out once, and by nobody who does not know the store', async () => {
	await withLab({ mode: 'first-contact', setup: SETUP }, async (lab) => {
		const first = await lab.start();
		await lab.waitUntilReading();
		await unseen(lab, `update customers set note = 'unseen' where id = 1`);
		const { slot } = lab.settings;
		const forged = formatReadRequest({ slot, id: 'forged', tables: [{ table: 'public.customers', from: null, to: null }] }, 'not the key');
		await lab.source.pool.query('select pg_logical_emit_message(true, $1, $2::text)', [READ_PREFIX, forged]);
		await lab.n8n.waitForLog('does not know the key of the sync store');
		await first.close();
		await ask(lab, { entities: 'customer' });
		// The first page never gets through.
		const failing = fakeN8n(async () => 'success');
		const second = await lab.start({ n8n: failing });
		await waitUntil('an attempt', () => failing.events().some(({ op }) => op === 'r'));
		await second.close();
		const n8n = fakeN8n(lab.observing);
		const third = await lab.start({ n8n });
		await waitUntil('the rows', async () => (await notes(lab))['1'] === 'unseen');
		await lab.waitUntilAcknowledged();
		await waitUntil('the end', async () => (await lab.stream()).reading?.every(({ phase }) => phase === 'done') ?? false);
		await third.close();
		const count = n8n.events().filter(({ op }) => op === 'r').length;
		await lab.start({ n8n });
		await lab.sql(`insert into customers values (9, 'nine@x', null)`);
		await lab.waitUntilAcknowledged();
		expect(n8n.events().filter(({ op }) => op === 'r')).toHaveLength(count);
		expect(n8n.errors).toEqual([]);
	});
});

test('with a policy: where no slot is left to read them by, rows wait, and changes go on', async () => {
	const server = await startPostgres({ version: 18, settings: { max_replication_slots: '2' } });
	try {
		await withLab({ server, mode: 'first-contact', setup: SETUP }, async (lab) => {
			await lab.start();
			await lab.waitUntilReading();
			await lab.sql(`select pg_create_logical_replication_slot('the_last_one', 'pgoutput')`);
			await ask(lab, { entities: 'customer' });
			await lab.n8n.waitForLog('changes go on meanwhile');
			lab.n8n.runs.length = 0;
			await lab.sql(`update customers set note = 'meanwhile' where id = 1`);
			await lab.waitUntilAcknowledged();
			expect((await notes(lab))['1']).toBe('meanwhile');
			await lab.sql(`select pg_drop_replication_slot('the_last_one')`);
			await waitUntil('the rows', () => lab.n8n.events().filter(({ op }) => op === 'r').length === 5);
			expect([lab.n8n.errors, lab.n8n.failures]).toEqual([[], []]);
		});
	} finally {
		await server.stop();
	}
});
