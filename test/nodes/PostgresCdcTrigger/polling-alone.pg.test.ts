import { PostgresCdcTrigger } from '../../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { MASK } from '../../../src/core/mask';
import { fakeTriggerContext } from '../../support/fake-trigger-context';
import { fakeN8n, type FakeN8n } from '../../support/fake-n8n';
import { openTestDatabase, type TestDatabase } from '../../support/test-database';
import { waitUntil } from '../../support/wait-until';

const node = new PostgresCdcTrigger();

let database: TestDatabase;

beforeAll(async () => {
	database = await openTestDatabase('polling-alone');
});

afterAll(async () => await database.drop());

interface Polling {
	readonly table: string;
	readonly n8n?: FakeN8n;
	readonly staticData?: Record<string, unknown>;
	readonly mode?: 'trigger' | 'manual';
	readonly parameters?: Record<string, unknown>;
}

function contextOf({ table, n8n = fakeN8n(async () => 'success'), staticData = {}, mode = 'trigger', parameters = {} }: Polling) {
	const context = fakeTriggerContext(n8n, {
		mode,
		staticData,
		parameters: { connectWith: 'postgres', useStore: false, tables: table, readBy: 'polling', pollSeconds: 1, options: {}, ...parameters },
		credentials: { postgres: { ...database.settings, ssl: 'disable' } },
	});
	return { context, n8n };
}

async function start(polling: Polling): Promise<{ n8n: FakeN8n; close: () => Promise<void> }> {
	const { context, n8n } = contextOf(polling);
	const { closeFunction } = await node.trigger.call(context);
	return { n8n, close: async () => await closeFunction?.() };
}

const sql = async (text: string): Promise<void> => void (await database.pool.query(text));
const lines = (n8n: FakeN8n): string[] => n8n.events().map(({ op, key }) => `${op} ${String(key['id'])}`);

test('changes are handed on until an execution succeeds, filtered and masked as from the log', async () => {
	await sql(`create table filtered (id int primary key, v text, w text); insert into filtered values (1, 'a', 'x')`);
	const { n8n, close } = await start({
		table: 'filtered',
		n8n: fakeN8n(async () => (n8n.runs.length < 3 ? 'error' : 'success')),
		parameters: {
			operations: ['insert', 'delete'],
			tableRules: { rule: [{ table: 'filtered', columns: 'v', where: 'id < 10' }] },
			masks: { mask: [{ table: 'filtered', columns: 'v', mask: 'redact' }] },
		},
	});
	await n8n.waitForLog('are looked for from now on');
	await sql(`update filtered set v = 'b'; insert into filtered values (2, 'secret', 'hidden'), (11, 'secret', 'hidden')`);
	await waitUntil('three executions', () => n8n.runs.length >= 3);
	expect(lines(n8n)).toEqual(['c 2', 'c 2', 'c 2']);
	expect(n8n.events()[2]).toMatchObject({ entity: 'public.filtered', after: { id: 2, v: MASK }, source: { snapshot: true, table: 'filtered' } });
	await sql('delete from filtered where id = 1');
	await waitUntil('the delete', () => lines(n8n).at(-1) === 'd 1');
	expect(n8n.runs.length).toBe(4);
	await close();
});

test('what changes while the workflow is inactive is found when it is active again', async () => {
	await sql(`create table restarted (id int primary key, v text); insert into restarted values (1, 'a')`);
	const staticData = {};
	const first = await start({ table: 'restarted', staticData });
	await first.n8n.waitForLog('are looked for from now on');
	await sql(`insert into restarted values (2, 'b')`);
	await waitUntil('the change', () => lines(first.n8n).length === 1);
	await waitUntil('the horizon', () => JSON.stringify(staticData).includes('public.restarted'));
	await first.close();
	await sql(`update restarted set v = 'c' where id = 1`);
	const second = await start({ table: 'restarted', staticData: JSON.parse(JSON.stringify(staticData)) as Record<string, unknown> });
	await waitUntil('the change', () => lines(second.n8n).includes('r 1'));
	await sql('delete from restarted');
	await waitUntil('the deletes', () => lines(second.n8n).filter((line) => line.startsWith('d')).length === 2);
	await second.close();
});

test('the horizon of another server means nothing', async () => {
	await sql(`create table moved (id int primary key); insert into moved values (1)`);
	const { n8n, close } = await start({ table: 'moved', staticData: { systemId: '1', horizons: { 'public.moved': '3' } } });
	await n8n.waitForLog('Another server answers');
	await n8n.waitForLog('are looked for from now on');
	await sql('insert into moved values (2)');
	await waitUntil('the change', () => lines(n8n).length > 0);
	expect(lines(n8n)).toEqual(['c 2']);
	await close();
});

test('a test run shows rows as they are, and needs no replication either', async () => {
	await sql(`create table sampled (id int primary key, v text); insert into sampled values (1, 'a'), (2, 'b')`);
	const { context, n8n } = contextOf({ table: 'sampled', mode: 'manual' });
	const { manualTriggerFunction } = await node.trigger.call(context);
	await manualTriggerFunction?.();
	expect(lines(n8n)).toEqual(['r 2', 'r 1']);
});

test('a table that is not there, and a condition that is none, are refused when the workflow is activated', async () => {
	await sql(`create table refused (id int primary key)`);
	await expect(node.trigger.call(contextOf({ table: 'nowhere' }).context)).rejects.toThrow('There is no table public.nowhere with a primary key');
	const parameters = { tableRules: { rule: [{ table: 'refused', where: 'id >' }] } };
	await expect(node.trigger.call(contextOf({ table: 'refused', parameters }).context)).rejects.toThrow('"Only Rows Where" of public.refused is no condition on its rows');
});
