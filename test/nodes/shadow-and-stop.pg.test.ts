import { type SyncLab, withSyncLab } from '../support/sync-lab';
import { waitUntil } from '../support/wait-until';

const SETUP = {
	crm: `
		create table customers (id int primary key, email text unique, note text, phone text);
		alter table customers replica identity full;
		insert into customers values (1, 'ann@x', 'n0', 'p0'), (2, 'bob@x', 'n0', 'p0');`,
	billing: `
		create table accounts (no int generated always as identity primary key, email text unique, memo text, phone text);
		alter table accounts replica identity full;
		insert into accounts (email, memo, phone) values ('ann@x', 'n0', 'p0'), ('bob@x', 'n0', 'p0');`,
};
const POLICY = `
policy: switched
systems: [crm, billing]
entities:
  customer:
    crm: { table: public.customers, key: [id] }
    billing: { table: public.accounts, key: [no] }
    match: [[email]]
    fields:
      email: { crm: email, billing: email, owner: crm }
      note: { crm: note, billing: memo, owner: shared, resolve: prefer(crm) }
      phone: { crm: phone, billing: phone, owner: shared, resolve: prefer(crm) }
`;
const CRM = 'select note, phone from customers order by email';
const BILLING = 'select memo as note, phone from accounts order by email';
const UNTOUCHED = [
	{ note: 'n0', phone: 'p0' },
	{ note: 'n0', phone: 'p0' },
];
const TOUCHES = {
	crm: `update customers set email = email where id = 2`,
	billing: `update accounts set email = email where email = 'bob@x'`,
};

async function withLiveLab(work: (lab: SyncLab) => Promise<void>): Promise<void> {
	await withSyncLab('switched', SETUP, async (lab) => {
		await lab.goLive(POLICY);
		await lab.untilAtRest();
		await work(lab);
		expect(lab.complaints()).toEqual([]);
	});
}

const setMode = async (lab: SyncLab, newMode: string) => await lab.policy('setMode', { newMode });

async function journaled(
	lab: SyncLab,
	kind: string,
): Promise<{ system: string; detail: unknown }[]> {
	const { rows } = await lab.store.pool.query<{ entry: { system: string; detail: unknown } }>(
		`select entry from n8n_bisync.journal where kind = $1 order by seq`,
		[kind],
	);
	return rows.map(({ entry }) => entry);
}

async function openReviews(lab: SyncLab): Promise<string[]> {
	const { rows } = await lab.store.pool.query<{ id: string }>(
		`select id from n8n_bisync.reviews where state = 'open'`,
	);
	return rows.map(({ id }) => id);
}

/** Several rounds of the sweep have gone by. */
async function untilSwept(lab: SyncLab): Promise<void> {
	const wakes = async (): Promise<number> => {
		const { rows } = await lab.store.pool.query<{ n: number }>(
			'select coalesce(sum(wakes), 0)::int as n from n8n_bisync.links',
		);
		return rows[0]?.n ?? 0;
	};
	const before = await wakes();
	await lab.store.pool.query(
		'update n8n_bisync.links set unattempted = 5, wake_at = clock_timestamp() where due',
	);
	await waitUntil('a sweep', async () => (await wakes()) > before);
}

test('in shadow mode everything is decided and journaled and nothing written; live again, it is', async () => {
	await withLiveLab(async (lab) => {
		expect(await setMode(lab, 'shadow')).toMatchObject({ mode: 'shadow' });
		await lab.sql('crm', `update customers set note = 'by crm' where id = 1`);
		await lab.sql('billing', `update accounts set phone = 'by billing' where email = 'ann@x'`);
		await lab.sql('crm', `insert into customers values (3, 'zoe@x', 'new', null)`);
		const would = await waitUntil('three writes that would be made', async () => {
			const found = await journaled(lab, 'would-write');
			return new Set(found.map((entry) => JSON.stringify(entry))).size >= 3 && found;
		});
		expect(would).toEqual(
			expect.arrayContaining([
				expect.objectContaining({
					system: 'billing',
					detail: { kind: 'update', fields: ['note'] },
				}),
				expect.objectContaining({ system: 'crm', detail: { kind: 'update', fields: ['phone'] } }),
				expect.objectContaining({
					system: 'billing',
					detail: expect.objectContaining({ kind: 'insert' }),
				}),
			]),
		);
		await lab.untilObserved(TOUCHES);
		expect(await lab.sql('billing', BILLING)).toEqual([
			{ note: 'n0', phone: 'by billing' },
			{ note: 'n0', phone: 'p0' },
		]);
		expect(await lab.sql('crm', CRM)).toEqual([
			{ note: 'by crm', phone: 'p0' },
			{ note: 'n0', phone: 'p0' },
			{ note: 'new', phone: null },
		]);
		await setMode(lab, 'live');
		const equal = [
			{ note: 'by crm', phone: 'by billing' },
			{ note: 'n0', phone: 'p0' },
			{ note: 'new', phone: null },
		];
		await lab.untilRows('billing', BILLING, equal);
		await lab.untilRows('crm', CRM, equal);
		expect(await openReviews(lab)).toEqual([]);
	});
});

test('a policy can begin in shadow mode: the first approval is that of the report, the second that of the writes', async () => {
	await withSyncLab('switched', SETUP, async (lab) => {
		await lab.sql('crm', `update customers set note = 'crm first' where id = 1`);
		await lab.goLive(POLICY);
		await setMode(lab, 'shadow');
		await lab.untilObserved(TOUCHES);
		await setMode(lab, 'live');
		await lab.untilRows('billing', BILLING, [
			{ note: 'crm first', phone: 'p0' },
			{ note: 'n0', phone: 'p0' },
		]);
	});
});

test('a stopped policy keeps the changes of both sides, and decides about them when it is live again', async () => {
	await withLiveLab(async (lab) => {
		await setMode(lab, 'stopped');
		await lab.sql('crm', `update customers set note = 'by crm' where id = 1`);
		await lab.sql(
			'billing',
			`update accounts set memo = 'by billing', phone = 'by billing' where email = 'ann@x'`,
		);
		await lab.untilObserved(TOUCHES);
		expect(await lab.sql('billing', BILLING)).toEqual([
			{ note: 'by billing', phone: 'by billing' },
			UNTOUCHED[1],
		]);
		expect(await lab.sql('crm', CRM)).toEqual([{ note: 'by crm', phone: 'p0' }, UNTOUCHED[1]]);
		expect(await journaled(lab, 'would-write')).toEqual([]);
		await setMode(lab, 'live');
		const equal = [{ note: 'by crm', phone: 'by billing' }, UNTOUCHED[1]];
		await lab.untilRows('billing', BILLING, equal);
		await lab.untilRows('crm', CRM, equal);
		expect(await journaled(lab, 'conflict')).toHaveLength(1);
	});
});

test.each(['stopped', 'shadow'])(
	'an operation that was handed out before is not written while the policy is %s, and is afterwards',
	async (mode) => {
		await withLiveLab(async (lab) => {
			const blocker = await lab.databases.get('billing')!.pool.connect();
			await blocker.query(`begin; select 1 from accounts where email = 'ann@x' for update`);
			await lab.sql('crm', `update customers set note = 'by crm' where id = 1`);
			const writesWaiting = async (): Promise<number> =>
				(
					await lab.sql(
						'billing',
						`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
					)
				).length;
			await waitUntil('the write to wait for the row', async () => (await writesWaiting()) > 0);
			await setMode(lab, mode);
			// What has begun gives up after its lock timeout, and what comes after that looks at the switch.
			await waitUntil('the write to give up', () => lab.running === 0);
			await blocker.query('rollback');
			blocker.release();
			if (mode === 'shadow') await untilSwept(lab);
			await lab.untilObserved(TOUCHES);
			expect(await lab.sql('billing', BILLING)).toEqual(UNTOUCHED);
			// Nobody takes a write that waits for the switch for an output that leads nowhere.
			expect(await openReviews(lab)).toEqual([]);
			await setMode(lab, 'live');
			await lab.untilRows('billing', BILLING, [{ note: 'by crm', phone: 'p0' }, UNTOUCHED[1]]);
		});
	},
);
