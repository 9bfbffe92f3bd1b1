import { PostgresCdcTrigger } from '../../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import type { ChangeEvent } from '../../../src/core/change-event';
import { MASK } from '../../../src/core/mask';
import { fakeTriggerContext } from '../../support/fake-trigger-context';
import { type TriggerLab, withLab } from '../../support/trigger-lab';
import { waitUntil } from '../../support/wait-until';

const node = new PostgresCdcTrigger();
const KEY = 'a key of more than 16 characters';

interface Alone {
	readonly events: () => ChangeEvent[];
	close(): Promise<void>;
}

function contextOf(lab: TriggerLab, parameters: Record<string, unknown>, mode: 'trigger' | 'manual' = 'trigger') {
	const { slot } = lab.settings;
	return fakeTriggerContext(lab.n8n, {
		mode,
		parameters: { connectWith: 'postgres', useStore: false, tables: 'customers', publication: slot, slot, options: { maxWaitMs: 0 }, ...parameters },
		credentials: { postgres: { ...lab.source.settings, ssl: 'disable' } },
	});
}

/** The trigger without a policy, reading. */
async function startAlone(lab: TriggerLab, parameters: Record<string, unknown>): Promise<Alone> {
	lab.n8n.workflow = async () => 'success';
	const { closeFunction } = await node.trigger.call(contextOf(lab, parameters));
	await lab.n8n.waitForLog('changes are read from now on');
	await waitUntil('the slot', async () => ((await lab.slot())?.activePid ?? null) !== null);
	return { events: () => lab.n8n.events(), close: async () => await closeFunction?.() };
}

const rule = (columns: string, where = ''): Record<string, unknown> => ({ tableRules: { rule: [{ table: 'customers', columns, where }] } });
const mask = (columns: string, how: string): Record<string, unknown> => ({ masks: { mask: [{ table: 'customers', columns, mask: how }] }, maskKey: KEY });

async function publicationOf(lab: TriggerLab): Promise<unknown> {
	const { rows } = await lab.source.pool.query('select attnames::text as columns, rowfilter, pubinsert, pubdelete from pg_publication_tables t join pg_publication p using (pubname) where pubname = $1', [lab.settings.slot]);
	return rows[0];
}

test('operations, columns and rows that are not wanted do not come, and what the server can leave out does not leave it', async () => {
	await withLab({ setup: `alter table customers replica identity default;` }, async (lab) => {
		const alone = await startAlone(lab, { ...rule('note', 'id > 10'), operations: ['insert', 'update'] });
		expect(await publicationOf(lab)).toEqual({ columns: '{id,note}', rowfilter: '(id > 10)', pubinsert: true, pubdelete: false });
		await lab.sql(`insert into customers values (1, 'hidden-1', 'x'), (11, 'hidden-2', 'y')`);
		await lab.sql(`update customers set note = 'z'; delete from customers`);
		await lab.waitUntilAcknowledged();
		const events = alone.events();
		expect(events.map(({ op, key, after }) => [op, key['id'], after])).toEqual([
			['c', '11', { id: 11, note: 'y' }],
			['u', '11', { id: 11, note: 'z' }],
		]);
		expect(JSON.stringify(events)).not.toContain('hidden');
		await alone.close();
	});
});

test('a row that leaves the condition arrives as a delete, one that comes to fulfil it as an insert', async () => {
	await withLab({}, async (lab) => {
		const alone = await startAlone(lab, rule('', `note = 'open' and id <> 5`));
		await lab.sql(`insert into customers values (1, 'a', 'new'); update customers set note = 'open'`);
		await lab.sql(`update customers set note = 'closed'`);
		await lab.waitUntilAcknowledged();
		expect(alone.events().map(({ op, key }) => `${op} ${String(key['id'])}`)).toEqual(['c 1', 'd 1']);
		await alone.close();
	});
});

test('where the table logs whole old rows the columns are left out by the trigger, and masked values are in no image', async () => {
	await withLab({}, async (lab) => {
		const alone = await startAlone(lab, { ...rule('email'), ...mask('email', 'hash') });
		expect(await publicationOf(lab)).toMatchObject({ columns: '{id,email,note}' });
		await lab.sql(`insert into customers values (1, 'secret@x', 'private'); update customers set email = 'other@x'; delete from customers`);
		await lab.waitUntilAcknowledged();
		const events = alone.events();
		expect(events.map(({ op }) => op)).toEqual(['c', 'u', 'd']);
		expect(events[1]?.before).toEqual(events[0]?.after);
		expect(JSON.stringify(events)).not.toMatch(/secret|other|private/);
		await alone.close();
	});
});

test('a masked column that is renamed, and one that is added, stay in the trigger until it has looked at the table again', async () => {
	await withLab({}, async (lab) => {
		const alone = await startAlone(lab, mask('email', 'redact'));
		await lab.sql(`insert into customers values (1, 'secret@x', 'n')`);
		await lab.waitUntilAcknowledged();
		await lab.sql(`alter table customers add extra text; insert into customers values (2, 'secret@y', 'n', 'added')`);
		await lab.waitUntilAcknowledged();
		await lab.n8n.waitForLog('extra');
		await waitUntil('the table to be looked at again', async () => {
			await lab.sql(`delete from customers where id = 3; insert into customers values (3, 'secret@z', 'n', 'added')`);
			await lab.waitUntilAcknowledged();
			return alone.events().at(-1)?.after?.['extra'] === 'added';
		});
		await lab.sql(`alter table customers rename email to mail; insert into customers values (4, 'secret@0', 'n', 'x')`);
		await waitUntil('the error', () => lab.n8n.errors.length > 0);
		expect(lab.n8n.errors[0]?.message).toContain('"Masked Columns" name the column email, which public.customers does not have');
		const text = JSON.stringify(alone.events());
		expect(text).not.toContain('secret');
		expect(text).toContain(MASK);
		await alone.close();
	});
});

test('a test run masks and leaves out what an activation would', async () => {
	await withLab({ setup: `insert into customers values (1, 'secret@x', 'n'), (2, 'secret@y', 'm');` }, async (lab) => {
		const { manualTriggerFunction } = await node.trigger.call(contextOf(lab, { ...rule('email', `note = 'm'`), ...mask('email', 'redact') }, 'manual'));
		await manualTriggerFunction?.();
		expect(lab.n8n.runs.at(-1)?.events.map(({ after }) => after)).toEqual([{ id: 2, email: MASK }]);
	});
});

test('a condition that is none, or more than one, is refused with what the server says, and nothing is made', async () => {
	await withLab({}, async (lab) => {
		const refusals: [string, RegExp][] = [
			['amount >', /"Only Rows Where" of public.customers is no condition that a publication can have: syntax error/],
			['amount > 1', /column "amount" does not exist/],
			['id > random()', /no condition that a publication can have/],
			['id > 1), table orders where (id > 1', /says more than a condition/],
			['id > 1); drop table customers; --', /no condition that a publication can have/],
		];
		for (const [where, message] of refusals) {
			await expect(node.trigger.call(contextOf(lab, rule('', where)))).rejects.toThrow(message);
		}
		const { rows } = await lab.source.pool.query('select from pg_publication');
		expect(rows).toEqual([]);
		await lab.sql('select from customers');
	});
});

test('a condition that would make Postgres refuse the updates of everybody is refused before there is a publication', async () => {
	await withLab({ setup: 'alter table customers replica identity default;' }, async (lab) => {
		await expect(node.trigger.call(contextOf(lab, rule('', `note = 'open'`)))).rejects.toMatchObject({
			message: expect.stringContaining('Postgres refuses all updates and deletes of the table') as string,
			description: expect.stringContaining('alter table "public"."customers" replica identity full;') as string,
		});
		await lab.sql(`insert into customers values (1, 'a', 'b'); update customers set note = 'open'`);
		const inserts = await startAlone(lab, { ...rule('', `note = 'open'`), operations: ['insert'] });
		await lab.sql(`update customers set note = 'closed'; insert into customers values (2, 'b', 'open'), (3, 'c', 'new')`);
		await lab.waitUntilAcknowledged();
		expect(inserts.events().map(({ op, key }) => `${op} ${String(key['id'])}`)).toEqual(['c 2']);
		await inserts.close();
	});
});

test('a publication that leaves other rows out is an error with the SQL that mends it', async () => {
	await withLab({}, async (lab) => {
		const { slot } = lab.settings;
		await lab.sql(`create publication ${slot} for table customers where (id > 1)`);
		await expect(node.trigger.call(contextOf(lab, rule('', 'id > 2')))).rejects.toMatchObject({
			message: expect.stringContaining('those where (id > 2) are wanted') as string,
			description: expect.stringContaining(`add table "public"."customers" where ((id > 2)); commit;`) as string,
		});
	});
});

test('with a policy events have the mapped columns and the key alone', async () => {
	await withLab({ setup: `alter table customers add salary int; insert into customers values (1, 'a@x', 'n', 100);` }, async (lab) => {
		await lab.start();
		await lab.waitUntilReading();
		await lab.sql(`update customers set salary = 200; update customers set note = 'm', salary = 300`);
		await lab.waitUntilAcknowledged();
		const rows = lab.n8n.events().flatMap(({ before, after }) => [before, after]);
		expect(rows).toContainEqual({ id: 1, email: 'a@x', note: 'm' });
		expect(rows.flatMap((row) => Object.keys(row ?? {}))).not.toContain('salary');
	});
});
