import type { IConnection } from 'n8n-workflow';
import type pg from 'pg';

import { PostgresCdcTrigger } from '../../nodes/PostgresCdcTrigger/PostgresCdcTrigger.node';
import { SyncPolicy } from '../../nodes/SyncPolicy/SyncPolicy.node';
import { executeNode } from '../support/fake-execute';
import { type FakeN8n, fakeN8n } from '../support/fake-n8n';
import { fakeTriggerContext, replicationCredential } from '../support/fake-trigger-context';
import { readTemplate, runTemplate, type WorkflowTemplate } from '../support/run-template';
import { SAMPLE_POLICY } from '../support/sample-policy';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';

const CUSTOMERS = `
	create table customers (id int generated always as identity primary key, full_name text, email text unique,
		billing_status text not null default 'Active', phone text, credit numeric(12,2), note text);
	alter table customers replica identity full;
	insert into customers (full_name, email, note) values ('Ann', 'ann@x', 'n0'), ('Bob', 'bob@x', null);`;
const ACCOUNTS = `
	create table accounts (account_no int generated always as identity (start with 900) primary key,
		external_id int unique, name text, contact_email text, status text not null default 'active', phone text,
		credit_cents bigint, memo text);
	alter table accounts replica identity full;
	insert into accounts (name, contact_email, memo) values ('Anna', 'ANN@x', 'n0'), ('Eve', 'eve@x', null);`;

/** Both sides in the same words; what only one system has stands out. */
const BOTH = {
	crm: `select id, trim(full_name) as name, lower(email) as email, lower(replace(billing_status, ' ', '_')) as status, phone,
		(credit * 100)::bigint as cents, note from customers order by id`,
	billing: `select external_id as id, name, lower(contact_email) as email, status, phone, credit_cents as cents,
		memo as note from accounts order by external_id`,
};

const TEMPLATE = readTemplate('two-way-postgres');

/** What the next execution runs. */
let template = TEMPLATE;

let crm: TestDatabase;
let billing: TestDatabase;
let store: TestDatabase;
const closing: (() => Promise<void>)[] = [];
const engines: FakeN8n[] = [];

beforeAll(async () => {
	[crm, billing, store] = (await Promise.all(
		['crm', 'billing', 'store'].map(async (name) => await openTestDatabase(name)),
	)) as [TestDatabase, TestDatabase, TestDatabase];
	await Promise.all([crm.pool.query(CUSTOMERS), billing.pool.query(ACCOUNTS)]);
	await policy('publish', { document: SAMPLE_POLICY });
	closing.push(
		await activate('CRM Changes', 'crm', crm),
		await activate('Billing Changes', 'billing', billing),
	);
});
afterAll(async () => {
	for (const close of closing) await close();
	for (const db of [crm, billing, store]) await db.drop();
});

const credentials = () => ({
	'Sync Store': { ...store.settings },
	'CRM database': replicationCredential(crm.settings),
	'Billing database': replicationCredential(billing.settings),
});

async function policy(operation: string, parameters: Record<string, unknown> = {}) {
	const { outputs } = await executeNode(new SyncPolicy(), {
		parameters: { operation, by: 'ann', ...parameters },
		credentials: { bisyncStoreApi: { ...store.settings } },
	});
	return outputs[0]?.[0]?.json ?? {};
}

/** A trigger of the pack over a real change stream, whose workflow is the template. */
async function activate(
	from: string,
	system: string,
	{ settings }: TestDatabase,
): Promise<() => Promise<void>> {
	const n8n = fakeN8n(async (events) => {
		const run = await runTemplate({ template, from, events, credentials: credentials() });
		if (run.status !== 'success')
			n8n.logs.push(`failed: ${String(run.data.resultData.error?.message)}`);
		return run.status;
	});
	engines.push(n8n);
	const context = fakeTriggerContext(n8n, {
		mode: 'trigger',
		parameters: {
			connectWith: 'bisyncPostgresApi',
			useStore: true,
			policy: 'crm-billing',
			system,
			options: { sweepSeconds: 1 },
		},
		credentials: {
			bisyncPostgresApi: replicationCredential(settings),
			bisyncStoreApi: { ...store.settings },
		},
	});
	const { closeFunction } = await new PostgresCdcTrigger().trigger.call(context);
	return async () => await closeFunction?.();
}

async function rows(pool: pg.Pool, text: string): Promise<unknown[]> {
	return (await pool.query<Record<string, unknown>>(text)).rows;
}

async function untilEqual(what: string): Promise<unknown[]> {
	return await waitUntil(what, async () => {
		const [a, b] = await Promise.all([rows(crm.pool, BOTH.crm), rows(billing.pool, BOTH.billing)]);
		return JSON.stringify(a) === JSON.stringify(b) ? a : undefined;
	});
}

test('the template keeps two databases equal, from first contact on', async () => {
	const report = await waitUntil('both systems to be read', async () => {
		const found = await policy('firstContactReport');
		return JSON.stringify(found['read']) === '{"crm":"read","billing":"read"}' ? found : undefined;
	});
	expect(report).toMatchObject({
		entities: [
			{ linkedDifferent: 1, onlyIn: { crm: 1, billing: 1 }, inserts: { crm: 1, billing: 1 } },
		],
	});
	expect(await rows(billing.pool, 'select count(*)::int as n from accounts')).toEqual([{ n: 2 }]);

	await policy('approveFirstContact');
	await waitUntil('three records on each side', async () => {
		const counts = await Promise.all([
			rows(crm.pool, 'select 1 from customers'),
			rows(billing.pool, 'select 1 from accounts where external_id is not null'),
		]);
		return counts.every((found) => found.length === 3);
	});
	expect(await untilEqual('the first contact to end equal')).toMatchObject([
		{ name: 'Ann' },
		{ name: 'Bob' },
		{ name: 'Eve' },
	]);

	await crm.pool.query(
		`update customers set note = 'from crm', credit = 12.5 where email = 'bob@x'`,
	);
	await billing.pool.query(
		`update accounts set status = 'past_due', name = 'Hack' where external_id = 1`,
	);
	await crm.pool.query(`insert into customers (full_name, email) values (' Zoe ', 'zoe@x')`);
	await waitUntil(
		'Zoe in billing',
		async () =>
			(await rows(billing.pool, `select 1 from accounts where contact_email = 'zoe@x'`)).length ===
			1,
	);
	const end = await waitUntil('all edits on both sides', async () => {
		const found = await untilEqual('both sides equal');
		const all = JSON.stringify(found);
		return all.includes('from crm') && all.includes('past_due') && !all.includes('Hack')
			? found
			: undefined;
	});
	expect(end).toMatchObject([
		{ name: 'Ann', status: 'past_due' },
		{ name: 'Bob', note: 'from crm', cents: '1250' },
		{ name: 'Eve' },
		{ name: 'Zoe' },
	]);
	expect(failures()).toEqual([]);
});

function failures(): string[] {
	return engines.flatMap(({ logs }) => logs.filter((line) => line.startsWith('failed')));
}

const to = (node: string): IConnection[] => [{ node, type: 'main', index: 0 }];
const MERGE = 'Field Authority Merge';
const TRIGGERS = ['CRM Changes', 'Billing Changes'];
const WRITES = ['Sync Write CRM', 'Sync Write Billing'];

/** The template with other connections from these nodes, by output. */
function rewired(names: readonly string[], main: IConnection[][]): WorkflowTemplate {
	const changed = names.map((name) => [name, { main }] as const);
	return { ...TEMPLATE, connections: { ...TEMPLATE.connections, ...Object.fromEntries(changed) } };
}

describe('other wirings end equal too', () => {
	afterEach(() => {
		template = TEMPLATE;
	});

	test.each<[string, WorkflowTemplate]>([
		['triggers straight into Field Authority Merge', rewired(TRIGGERS, [to(MERGE)])],
		['Version Vector Check left out', rewired(['Echo Filter'], [to(MERGE)])],
		['Echo Filter left out', rewired(TRIGGERS, [to('Version Vector Check')])],
		[
			'echoes into Field Authority Merge as well',
			rewired(['Echo Filter'], [to('Version Vector Check'), to(MERGE)]),
		],
		[
			'stale items into Field Authority Merge as well',
			rewired(['Version Vector Check'], [to(MERGE), to(MERGE), to(MERGE)]),
		],
		[
			'every result of a write back into Field Authority Merge',
			rewired(WRITES, [to(MERGE), to(MERGE), to(MERGE)]),
		],
	])('%s', async (what, wiring) => {
		template = wiring;
		await Promise.all([
			crm.pool.query('update customers set note = $1 where id = 1', [`${what}, by crm`]),
			billing.pool.query('update accounts set memo = $1 where external_id = 1', [
				`${what}, by billing`,
			]),
			billing.pool.query(
				'update accounts set credit_cents = credit_cents + 1 where external_id = 2',
			),
		]);
		const found = await waitUntil(`${what}: equal`, async () => {
			const equal = JSON.stringify(await untilEqual(what));
			return equal.includes(`${what}, by crm`) && equal;
		});
		expect(found).not.toContain('by billing');
		expect(failures()).toEqual([]);
	});

	test('a node before Echo Filter that lets only the first item of a batch through', async () => {
		const nodes = TEMPLATE.nodes.map((node) =>
			node.name === 'Echo Filter' ? { ...node, executeOnce: true } : node,
		);
		template = { ...TEMPLATE, nodes };
		await crm.pool.query(`update customers set note = 'once ' || id`);
		const found = await waitUntil('equal', async () => {
			const equal = JSON.stringify(await untilEqual('both sides equal'));
			return (
				['once 1', 'once 2', 'once 3', 'once 4'].every((note) => equal.includes(note)) && equal
			);
		});
		expect(found).toContain('once 4');
		expect(engines[0]?.logs.some((line) => /\d of \d+ changes never reached/.test(line))).toBe(
			true,
		);
	});
});

describe('an output that leads nowhere is named, and its records wait', () => {
	afterEach(() => {
		template = TEMPLATE;
	});

	/** As if the sweep had woken the waiting links five times by now. */
	const wakeInVain = async (): Promise<void> =>
		void (await store.pool.query(
			'update n8n_bisync.links set unattempted = 5, wake_at = clock_timestamp() where due',
		));
	const openItem = async (where: string): Promise<{ reason: string } | undefined> =>
		(
			await store.pool.query<{ reason: string }>(
				`select item->>'reason' as reason from n8n_bisync.reviews where id = $1 and state = 'open'`,
				[`unwired-crm-billing-${where}`],
			)
		).rows[0];

	test.each<[string, WorkflowTemplate, string]>([
		[
			'Write to billing',
			rewired([MERGE], [to('Sync Write CRM'), [], to('Dead Letter Queue')]),
			'billing',
		],
		['Foreign', rewired(['Echo Filter'], []), 'decide'],
		['In Order', rewired(['Version Vector Check'], []), 'decide'],
	])('%s', async (output, wiring, where) => {
		template = wiring;
		await crm.pool.query('update customers set note = $1 where id = 1', [`waits for ${output}`]);
		const item = await waitUntil('the item', async () => {
			await wakeInVain();
			return await openItem(where);
		});
		expect(item.reason).toContain(`"${output}"`);
		expect(await rows(billing.pool, 'select memo from accounts where external_id = 1')).not.toEqual([
			{ memo: `waits for ${output}` },
		]);
		template = TEMPLATE;
		await wakeInVain();
		await waitUntil('equal', async () =>
			JSON.stringify(await untilEqual('equal')).includes(`waits for ${output}`),
		);
		await waitUntil('the item to close', async () => (await openItem(where)) === undefined);
	});
});
