import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import type { Random } from '../support/seeded-random';
import { type System, SYSTEMS } from './systems';
import type { World } from './world';

/** Changes what a record says; makes a new record; gives a record another key. */
export type HabitKind = 'edit' | 'enter' | 'move';
export const ALL_HABITS: readonly HabitKind[] = ['edit', 'enter', 'move'];

/** What a user does in one transaction. */
interface Habit {
	readonly weight: number;
	readonly kind: HabitKind;
	act(user: User): Promise<unknown>;
}

/** Somebody who works in one system. */
interface User {
	readonly pool: pg.Pool;
	readonly random: Random;
	/** A number that no other change has. */
	next(): number;
	/** The key of a record; some are edited much more often than others. */
	record(): Promise<number>;
}

const STATUS = { crm: ['Active', 'Past due', 'Cancelled'], billing: ['active', 'past_due', 'cancelled'] };

const edit = (weight: number, sql: string, value: (user: User) => string | number): Habit => ({
	weight,
	kind: 'edit',
	act: async (user) => await user.pool.query(sql, [await user.record(), value(user)]),
});

const difference = ({ random }: User): number => random.below(100) - 45;

/** Several rows in one transaction. */
const editSeveral = (weight: number, sql: string): Habit => ({
	weight,
	kind: 'edit',
	act: async (user) => {
		const keys = [await user.record(), await user.record(), await user.record()];
		return await user.pool.query(sql, [keys, `several ${user.next()}`]);
	},
});

const moveKey = (weight: number, sql: string): Habit => ({
	weight,
	kind: 'move',
	act: async (user) => await user.pool.query(sql, [await user.record()]),
});

/** Both sides go through the same addresses, so that some are entered on both at the same time. */
const enter = (weight: number, sql: string): Habit => ({
	weight,
	kind: 'enter',
	act: async (user) => await user.pool.query(sql),
});

const HABITS: Readonly<Record<System, readonly Habit[]>> = {
	crm: [
		edit(10, 'update customers set note = $2 where id = $1', ({ next }) => `crm ${next()}`),
		edit(8, 'update customers set full_name = $2 where id = $1', ({ next }) => ` Name ${next()} `),
		edit(6, 'update customers set phone = $2 where id = $1', ({ next }) => `+1 ${next()}`),
		edit(8, 'update customers set credit = $2::numeric / 100 where id = $1', ({ next }) => next()),
		// Not theirs to change: put right.
		edit(4, 'update customers set billing_status = $2 where id = $1', ({ random }) => random.oneOf(STATUS.crm)),
		edit(2, 'update customers set email = $2 where id = $1', ({ next }) => `Crm${next()}@X`),
		edit(8, 'update customers set stock = stock + $2 where id = $1 and is_counted', difference),
		editSeveral(4, 'update customers set note = $2 || id, full_name = $2 where id = any ($1)'),
		moveKey(1, 'update customers set id = default where id = $1'),
		enter(2, `insert into customers (full_name, email) select 'Walk-in', 'walkin' || count(*) || '@x' from customers
			having count(*) < 60`),
		enter(1, `update items set price = price + 1 where code = 'code 1'`),
	],
	billing: [
		edit(10, 'update accounts set memo = $2 where account_no = $1', ({ next }) => `billing ${next()}`),
		edit(8, 'update accounts set status = $2 where account_no = $1', ({ random }) => random.oneOf(STATUS.billing)),
		edit(6, 'update accounts set phone = $2 where account_no = $1', ({ next }) => `+2 ${next()}`),
		edit(8, 'update accounts set credit_cents = $2 where account_no = $1', ({ next }) => next()),
		edit(4, 'update accounts set name = $2 where account_no = $1', ({ next }) => `Not ours ${next()}`),
		edit(2, 'update accounts set contact_email = $2 where account_no = $1', ({ next }) => `billing${next()}@x`),
		edit(8, 'update accounts set in_stock = in_stock + $2 where account_no = $1 and is_counted', difference),
		editSeveral(4, 'update accounts set memo = $2 || account_no, name = $2 where account_no = any ($1)'),
		moveKey(1, 'update accounts set account_no = default where account_no = $1'),
		enter(2, `insert into accounts (name, contact_email) select 'Walk-in', 'walkin' || count(*) || '@x' from accounts
			having count(*) < 60`),
		enter(1, `update parts set price = price + 1 where code = 'code 1'`),
	],
};

const KEYS: Readonly<Record<System, string>> = {
	crm: 'select id as key from customers order by email',
	billing: 'select account_no as key from accounts where external_id is not null order by contact_email',
};
/** So many records get most of the edits. */
const HOT = 5;
/** Keys change, and records are added: after so many changes they are looked up again. */
const LOOK_UP_EVERY = 40;
const MAX_PAUSE_MS = 40;
const DOWN_MS = 100;

/** People who work in both systems at the same time and know nothing of the sync. */
export class Users {
	/** What they do at the moment. */
	habits = ALL_HABITS;
	/** Changes that were committed, as far as the users know. */
	changes = 0;
	#isWorking = false;
	#working: Promise<unknown> = Promise.resolve();
	#number = 1_000;

	constructor(
		private readonly world: World,
		private readonly random: Random,
	) {}

	start(): void {
		if (this.#isWorking) return;
		this.#isWorking = true;
		this.#working = Promise.all(SYSTEMS.map(async (system) => await this.#work(system)));
	}

	/** Waits for the end of what they are doing. */
	async stop(): Promise<void> {
		this.#isWorking = false;
		await this.#working;
	}

	async #work(system: System): Promise<void> {
		const random = this.random.fork();
		const user = this.#user(system, random);
		const habits = HABITS[system].flatMap((habit) => Array<Habit>(habit.weight).fill(habit));
		while (this.#isWorking) {
			const habit = random.oneOf(habits);
			if (!this.habits.includes(habit.kind)) continue;
			const done = await habit.act(user).then(() => true, isRefused);
			if (done) this.changes += 1;
			// Their server may be down.
			await sleep(done ? random.below(MAX_PAUSE_MS) : DOWN_MS);
		}
	}

	#user(system: System, random: Random): User {
		const { pool } = this.world[system];
		let keys: readonly number[] = [];
		let lookUps = 0;
		return {
			pool,
			random,
			next: () => (this.#number += 1),
			record: async () => {
				if (lookUps % LOOK_UP_EVERY === 0) {
					keys = (await pool.query<{ key: number }>(KEYS[system])).rows.map(({ key }) => key);
				}
				lookUps += 1;
				return random.oneIn(4) ? random.oneOf(keys) : random.oneOf(keys.slice(0, HOT));
			},
		};
	}
}

/** A change that the database does not take, such as an address that somebody else has by now, is no outage. */
function isRefused(error: unknown): boolean {
	return (error as { code?: string }).code?.startsWith('23') ?? false;
}
