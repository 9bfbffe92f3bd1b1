import pg from 'pg';

import { type PolledState, TablePoll, type PollOptions } from '../../../nodes/PostgresCdcTrigger/table-poll';
import { canonicalJson } from '../../../src/core/canonical-json';
import { type EventTable, plainTables } from '../../../src/postgres/event-tables';
import { PollSnapshot } from '../../../src/postgres/poll-snapshot';
import type { SnapshotChange } from '../../../src/postgres/snapshot-events';
import { type Random, seededRandom } from '../../support/seeded-random';
import { openTestDatabase, type TestDatabase } from '../../support/test-database';

const EVERYTHING: PollOptions = { where: null, pageSize: 3, keepsKeys: true, looksForDeletes: true };

let database: TestDatabase;

beforeAll(async () => {
	database = await openTestDatabase('table-poll');
});

afterAll(async () => await database.drop());

async function tableNamed(table: string): Promise<EventTable> {
	await database.pool.query(`create table ${table} (id int primary key, v text unique, updated_at timestamptz default now())`);
	const [found] = plainTables([{ schema: 'public', table, key: ['id'] }]).all;
	if (!found) throw new Error('there is a table');
	return found;
}

/** What a workflow would make of the table, by the events that it gets. */
class Follower {
	readonly rows = new Map<string, unknown>();
	readonly lines: string[] = [];
	#state: PolledState | null = null;

	constructor(private readonly table: EventTable) {}

	/** @returns what came, as "op id" */
	async poll(options: Partial<PollOptions> = {}): Promise<string[]> {
		const snapshot = await PollSnapshot.open(database.settings);
		const before = this.lines.length;
		try {
			if (this.#state === null) {
				this.#state = await TablePoll.baseline(snapshot, this.table, { ...EVERYTHING, ...options });
				return [];
			}
			const changes = new TablePoll(snapshot, this.table, this.#state, { ...EVERYTHING, ...options }).changes();
			for (;;) {
				const { done, value } = await changes.next();
				if (done) {
					this.#state = value;
					break;
				}
				for (const change of value) this.#take(change);
			}
		} finally {
			await snapshot.close();
		}
		return this.lines.slice(before);
	}

	/** As after a restart: nothing is left but the horizon. */
	forget(): void {
		if (this.#state) this.#state = { horizon: this.#state.horizon, known: null, seen: new Map() };
	}

	#take(change: SnapshotChange): void {
		if (change.kind === 'marker') throw new Error('nothing here is ours');
		const key = change.kind === 'row' ? this.table.keyOf(change.values) : change.key;
		const id = String(key['id']);
		if (change.kind === 'row') this.rows.set(id, change.values['v']);
		else this.rows.delete(id);
		this.lines.push(`${change.kind === 'row' ? (change.op ?? 'r') : 'd'} ${id}`);
	}
}

const rowsOf = async (table: string): Promise<[string, unknown][]> => {
	const { rows } = await database.pool.query<{ id: number; v: unknown }>(`select id, v from ${table}`);
	return rows.map(({ id, v }) => [String(id), v]);
};

const sorted = (rows: Iterable<[string, unknown]>): string => canonicalJson(Object.fromEntries([...rows]) as never);

test('inserts, updates and deletes are told apart, each once, and deletes come before what takes their values', async () => {
	const follower = new Follower(await tableNamed('plain'));
	await database.pool.query(`insert into plain select n, n from generate_series(1, 5) n`);
	expect(await follower.poll()).toEqual([]);
	await database.pool.query(`update plain set v = 'x' where id = 2; delete from plain where id in (1, 3); insert into plain values (9, '1'), (10, '3')`);
	expect(await follower.poll()).toEqual(['d 1', 'd 3', 'u 2', 'c 9', 'c 10']);
	expect(await follower.poll()).toEqual([]);
});

test('a transaction that commits late, with an old time and after a savepoint, is read, and nothing else comes again for it', async () => {
	const follower = new Follower(await tableNamed('late'));
	const slow = new pg.Client(database.settings);
	await slow.connect();
	await follower.poll();
	await slow.query(`begin; insert into late values (1, 'a', '2001-01-01'); savepoint s; insert into late values (2, 'b', '2001-01-01'); release s`);
	await database.pool.query(`insert into late values (3, 'c')`);
	expect(await follower.poll()).toEqual(['c 3']);
	await database.pool.query(`insert into late values (4, 'd')`);
	expect(await follower.poll()).toEqual(['c 4']);
	await slow.query(`insert into late values (5, 'e', '2001-01-01'); commit`);
	expect(await follower.poll()).toEqual(['c 1', 'c 2', 'c 5']);
	await slow.query(`begin; update late set v = v || 'never'; rollback`);
	expect(await follower.poll()).toEqual([]);
	await slow.end();
});

test('rows that are frozen before they are polled are read, and a table that is rewritten as it is has not changed', async () => {
	const follower = new Follower(await tableNamed('frozen'));
	await follower.poll();
	await database.pool.query(`insert into frozen values (1, 'a')`);
	await database.pool.query('vacuum (freeze) frozen');
	expect(await follower.poll()).toEqual(['c 1']);
	await database.pool.query('vacuum full frozen');
	expect(await follower.poll()).toEqual([]);
});

test('after a restart what changed meanwhile is read by the horizon alone, without a word on whether it is new', async () => {
	const follower = new Follower(await tableNamed('restarted'));
	await database.pool.query(`insert into restarted values (1, 'a'), (2, 'b')`);
	await follower.poll();
	follower.forget();
	await database.pool.query(`delete from restarted where id = 1; update restarted set v = 'c'; insert into restarted values (3, 'd')`);
	expect(await follower.poll()).toEqual(['r 2', 'r 3']);
	await database.pool.query('delete from restarted where id = 2');
	expect(await follower.poll()).toEqual(['d 2']);
});

test('a row that leaves a condition is gone, one that comes to fulfil it is new', async () => {
	const follower = new Follower(await tableNamed('conditioned'));
	const where = `v like 'in%' -- what is wanted`;
	await database.pool.query(`insert into conditioned values (1, 'in 1'), (2, 'out 2')`);
	await follower.poll({ where });
	await database.pool.query(`update conditioned set v = 'out 1' where id = 1; update conditioned set v = 'in 2' where id = 2`);
	expect(await follower.poll({ where })).toEqual(['d 1', 'c 2']);
});

const OPEN_TRANSACTIONS = 4;
const STEPS = 60;

/** What a user does next in one of several transactions that are open at once. */
async function act(clients: readonly pg.Client[], open: boolean[], { table, random }: { table: string; random: Random }): Promise<void> {
	const at = random.below(clients.length);
	const client = clients[at];
	if (!client) throw new Error('there is a client');
	if (open[at] !== true) await client.query('begin');
	open[at] = true;
	const what = random.below(10);
	// Each has keys of its own, so that nobody waits for anybody.
	const id = at + OPEN_TRANSACTIONS * random.below(5);
	const old = `now() - interval '${random.below(1_000)} hours'`;
	if (what < 3) await client.query(`insert into ${table} values (${id}, '${random.below(1e9)}', ${old}) on conflict (id) do update set v = excluded.v`);
	else if (what < 5) await client.query(`savepoint s; update ${table} set v = '${random.below(1e9)}', updated_at = ${old} where id = ${id}; release s`);
	else if (what < 6) await client.query(`savepoint s; delete from ${table} where id = ${id}; rollback to s`);
	else if (what < 8) await client.query(`delete from ${table} where id = ${id}`);
	else {
		await client.query(what === 8 ? 'rollback' : 'commit');
		open[at] = false;
	}
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('nothing is lost in random work of several transactions at once, workload %i', async (seed) => {
	const random = seededRandom(seed);
	const table = `random_${seed}`;
	const follower = new Follower(await tableNamed(table));
	const clients = Array.from({ length: OPEN_TRANSACTIONS }, () => new pg.Client(database.settings));
	for (const client of clients) await client.connect();
	const open: boolean[] = [];
	await follower.poll();
	for (let step = 0; step < STEPS; step++) {
		await act(clients, open, { table, random });
		if (random.below(6) === 0) {
			await follower.poll({ pageSize: 1 + random.below(4) });
			expect(sorted(follower.rows)).toBe(sorted(await rowsOf(table)));
		}
	}
	for (const [at, client] of clients.entries()) {
		if (open[at] === true) await client.query(random.below(2) === 0 ? 'commit' : 'rollback');
		await client.end();
	}
	await follower.poll();
	expect(sorted(follower.rows)).toBe(sorted(await rowsOf(table)));
	expect(await follower.poll()).toEqual([]);
});
