import pg from 'pg';

import { PostgresStore, type PostgresStoreOptions } from '../../src/store/postgres-store';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import {
	at,
	commit,
	commitOf,
	GRACE_MS,
	link,
	loadLink,
	note,
	POLICY,
	review,
	stream,
} from './contract/store-under-test';
import { describeStoreContract } from './store-contract';

let db: TestDatabase;
let schemas = 0;
beforeAll(async () => {
	db = await openTestDatabase('postgres-store');
});
afterAll(() => db.drop());

/** A name that works only when it is quoted. */
const newSchema = () => `My-Sync "${schemas++}" it's`;

/** Pools are ended by the stores they are given to. */
function client(options: PostgresStoreOptions, from: TestDatabase = db): PostgresStore {
	return new PostgresStore(new pg.Pool({ ...from.settings, max: 10 }), {
		graceMs: GRACE_MS,
		...options,
	});
}

async function migrated(options: PostgresStoreOptions = {}): Promise<PostgresStore> {
	const store = client({ schema: newSchema(), ...options });
	await store.migrate();
	return store;
}

/** The database's clock cannot be moved, so everything that waits for it is. */
async function elapse(pool: pg.Pool, schema: string, ms: number): Promise<void> {
	const name = pg.escapeIdentifier(schema);
	await pool.query(`update ${name}.links set wake_at = wake_at - $1 * interval '1 ms'`, [ms]);
	await pool.query(`update ${name}.claims set until = until - $1 * interval '1 ms'`, [ms]);
	await pool.query(`update ${name}.samples set at_ms = at_ms - $1 where grain <> 'last'`, [ms]);
	await pool.query(
		`update ${name}.buckets set at = at - $1 * interval '1 ms', paused_until = paused_until - $1 * interval '1 ms'`,
		[ms],
	);
}

/** Faster than a new schema for every test. */
async function empty(pool: pg.Pool, schema: string): Promise<void> {
	const tables = ['policies', 'policy_versions', 'streams', 'links', 'link_keys', 'link_matches'];
	const all = [...tables, 'journal', 'reviews', 'claims', 'buckets', 'samples'];
	await pool.query(
		all.map((table) => `delete from ${pg.escapeIdentifier(schema)}.${table};`).join('\n'),
	);
}

describe.each([18, 15] as const)('on Postgres %d', (version) => {
	const schema = newSchema();
	let server: TestDatabase;
	beforeAll(async () => {
		server = await openTestDatabase(`store-contract-${version}`, { version });
		const store = client({ schema }, server);
		await store.migrate();
		await store.close();
	});
	afterAll(() => server.drop());

	describeStoreContract('PostgresStore', async () => {
		await empty(server.pool, schema);
		const clients = [client({ schema }, server)];
		const open = async () => {
			const another = client({ schema }, server);
			clients.push(another);
			return another;
		};
		return {
			store: clients[0] as PostgresStore,
			another: open,
			elapse: (ms) => elapse(server.pool, schema, ms),
			close: async () => {
				await Promise.all(clients.map((each) => each.close()));
			},
		};
	});
});

/** Holds every commit with an entry of the link `slow`, after it has done all its work, until opened. */
async function closedGate(schema: string): Promise<{ open(): Promise<void> }> {
	const name = pg.escapeIdentifier(schema);
	const keeper = await db.pool.connect();
	await keeper.query(
		`create function ${name}.gate() returns trigger language plpgsql as
			'begin perform pg_advisory_xact_lock(42); return null; end';
		create constraint trigger gate after insert on ${name}.journal deferrable initially deferred
			for each row when (new.link = 'slow') execute function ${name}.gate();
		select pg_advisory_lock(42)`,
	);
	return {
		open: async () => {
			await keeper.query('select pg_advisory_unlock(42)');
			keeper.release();
		},
	};
}

/** How many sessions of this database wait for a lock. */
async function waiting(): Promise<number> {
	const { rowCount } = await db.pool.query(
		`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
	);
	return rowCount ?? 0;
}

describe('PostgresStore', () => {
	// Bounds from below alone: a slow machine makes everything later, never earlier.
	test('a due link is offered when its grace is really over, and again when its delay is', async () => {
		const store = await migrated({ graceMs: 150 });
		const request = { policy: POLICY, limit: 1, delayMs: 200, maxDelayMs: 200 };
		const offer = async () => {
			let calledAt = 0;
			const [offered] = await waitUntil('an offer', async () => {
				calledAt = performance.now();
				const links = await store.leaseDue(request);
				return links.length > 0 && links;
			});
			return { calledAt, answeredAt: performance.now(), unattempted: offered?.unattempted };
		};
		const before = performance.now();
		await commit(store, [commitOf(link('l1'))]);
		const [first, second] = [await offer(), await offer()];
		expect([first.unattempted, second.unattempted]).toEqual([1, 2]);
		expect(first.answeredAt - before).toBeGreaterThan(145);
		expect(second.answeredAt - first.calledAt).toBeGreaterThan(200 * 0.79);
		await store.close();
	});

	test('a sweep passes over a link that somebody is committing, and does not wait', async () => {
		const schema = newSchema();
		const store = await migrated({ schema, graceMs: 0 });
		await commit(store, [commitOf(link('held')), commitOf(link('free'))]);
		const somebody = await db.pool.connect();
		await somebody.query('begin');
		await somebody.query(
			`select 1 from ${pg.escapeIdentifier(schema)}.links where id = 'held' for update`,
		);
		const leased = await store.leaseDue({
			policy: POLICY,
			limit: 2,
			delayMs: 60_000,
			maxDelayMs: 60_000,
		});
		expect(leased.map(({ state }) => state.id)).toEqual(['free']);
		await somebody.query('rollback');
		somebody.release();
		await store.close();
	});

	test('a lease really ends', async () => {
		const store = await migrated();
		const claim = async () => (await store.claim({ scope: 's', keys: ['k'], leaseMs: 500 }))[0];
		const before = performance.now();
		expect(await claim()).toMatchObject({ state: 'new' });
		await waitUntil('the lease to end', async () => (await claim())?.state === 'new');
		expect(performance.now() - before).toBeGreaterThan(495);
		await store.close();
	});

	test('a claim past its retention that somebody else takes in this moment is no duplicate', async () => {
		const schema = newSchema();
		const store = await migrated({ schema });
		const claim = async () => (await store.claim({ scope: 's', keys: ['k'], leaseMs: 60_000 }))[0];
		const first = await claim();
		await store.complete(
			[{ scope: 's', key: 'k', token: first?.state === 'new' ? first.token : 0 }],
			0,
		);
		const somebody = await db.pool.connect();
		await somebody.query('begin');
		await somebody.query(
			`update ${pg.escapeIdentifier(schema)}.claims set state = 'held', until = now() + interval '1 hour'`,
		);
		const late = claim();
		await waitUntil('the late claim to wait', async () => (await waiting()) === 1);
		await somebody.query('commit');
		somebody.release();
		expect(await late).toEqual({ state: 'in-progress' });
		await store.close();
	});

	test('every verb takes a constant number of round trips, for 1,000 links as for one', async () => {
		let trips = 0;
		const store = await migrated({ onRoundTrip: () => (trips += 1) });
		await store.registerStream(stream());
		const ids = Array.from({ length: 1_000 }, (_, n) => `link-${n}`);
		const links = ids.map((id) =>
			commitOf(link(id), {
				claims: [`m-${id}`],
				journal: [note(id), note(id)],
				reviews: [{ action: 'open', item: review(`${id}.1`) }],
			}),
		);
		const keys = ids.map((id) => ({ system: 'crm', entity: 'customer', key: { id } }));
		const counted = async (work: () => Promise<unknown>) => {
			trips = 0;
			await work();
			return trips;
		};
		const advance = { system: 'crm', from: at(0), to: at(1_000) };
		expect(await counted(() => commit(store, links, { advance }))).toBe(1);
		expect(await counted(() => store.load({ policy: POLICY, links: ids, keys }))).toBe(1);
		expect((await store.load({ policy: POLICY, keys })).links).toHaveLength(1_000);
		expect(await counted(() => commit(store, links))).toBe(1);
		expect(await counted(() => store.noteAttempts(POLICY, ids))).toBe(1);
		expect(await counted(() => store.claim({ scope: 's', keys: ids, leaseMs: 1 }))).toBe(1);
		const request = {
			name: POLICY,
			document: {},
			hash: 'h',
			by: 'x',
			initialMode: 'live' as const,
		};
		expect(await counted(() => store.publishPolicy(request))).toBe(2);
		const sweep = { policy: POLICY, limit: 1_000, delayMs: 1, maxDelayMs: 1 };
		expect(await counted(() => store.leaseDue(sweep))).toBe(1);
		expect(await counted(() => store.migrate())).toBe(2);
		await store.close();
	});

	test('lapsed claims are removed little by little, an hour after they lapsed', async () => {
		const schema = newSchema();
		const store = await migrated({ schema });
		const count = async () =>
			(await db.pool.query(`select 1 from ${pg.escapeIdentifier(schema)}.claims`)).rowCount ?? 0;
		const keys = Array.from({ length: 120 }, (_, n) => `k${n}`);
		await store.claim({ scope: 's', keys, leaseMs: 1_000 });
		await elapse(db.pool, schema, 3_000_000);
		await store.claim({ scope: 's', keys: ['a'], leaseMs: 0 });
		expect(await count()).toBe(121);
		await elapse(db.pool, schema, 1_000_000);
		for (let call = 0; call < 3; call++)
			await store.claim({ scope: 's', keys: ['a'], leaseMs: 1_000_000 });
		expect(await count()).toBe(1);
		await store.close();
	});

	test('a journal entry never appears after one with a higher number', async () => {
		const schema = newSchema();
		const store = await migrated({ schema });
		await commit(store, [commitOf(link('slow')), commitOf(link('fast'))]);
		const gate = await closedGate(schema);
		const again = (id: string) =>
			commit(store, [commitOf(link(id), { expectedRevision: 1, journal: [note(id)] })]);
		const slow = again('slow');
		await waitUntil('the slow commit to reach the gate', async () => (await waiting()) === 1);
		let isFastDone = false;
		const fast = again('fast').finally(() => (isFastDone = true));
		await waitUntil(
			'the fast commit to end or to wait',
			async () => isFastDone || (await waiting()) === 2,
		);
		expect(await store.readJournal({ policy: POLICY, limit: 10 })).toEqual([]);
		await gate.open();
		await Promise.all([slow, fast]);
		const journal = await store.readJournal({ policy: POLICY, limit: 10 });
		expect(journal.map(({ link: id }) => id)).toEqual(['slow', 'fast']);
		await store.close();
	});

	test('a state can be read by hand as a document', async () => {
		const schema = newSchema();
		const store = await migrated({ schema });
		await commit(store, [commitOf(link('l1'))]);
		const { rows } = await db.pool.query(
			`select state::jsonb -> 'keys' -> 'crm' ->> 'id' as id from ${pg.escapeIdentifier(schema)}.links`,
		);
		expect(rows).toEqual([{ id: 'l1' }]);
		await store.close();
	});

	test('the schema is n8n_bisync when none is named', async () => {
		const store = client({});
		await store.migrate();
		await commit(store, [commitOf(link('l1'))]);
		expect((await db.pool.query('select id from n8n_bisync.links')).rows).toEqual([{ id: 'l1' }]);
		expect(await loadLink(store, 'l1')).toBeDefined();
		await store.close();
	});
});
