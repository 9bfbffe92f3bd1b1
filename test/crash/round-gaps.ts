import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import { parseLsn } from '../../src/core/lsn';
import { waitUntil } from '../support/wait-until';
import { alone } from './alone';
import type { Campaign } from './campaign';
import type { StorePlace } from './store-place';
import { ALL_HABITS, type HabitKind } from './users';
import { type ServerName, type System, SYSTEMS } from './systems';
import type { Place } from './world';

const SLOTS: Readonly<Record<System, string>> = {
	crm: 'bisync_crm_billing_crm',
	billing: 'bisync_crm_billing_billing',
};

/** The machine may be busy. */
const PATIENCE = { timeoutMs: 90_000, everyMs: 50 };

/**
 * Keys do not change while nobody is looking: which record is which is then for people to say, one by one.
 */
const KEYS_STAY: readonly HabitKind[] = ['edit', 'enter'];

/** C9: somebody drops the slot while nobody reads it, and what follows never arrives. */
export async function dropSlot(campaign: Campaign): Promise<boolean> {
	const { random, world } = campaign;
	await campaign.rest();
	campaign.users.habits = KEYS_STAY;
	campaign.letUsersWork();
	if (!campaign.worker) await campaign.work(null);
	await sleep(random.below(1_500));
	await campaign.kill();
	const system = random.oneOf(SYSTEMS);
	await waitUntil('the slot to be free', async () => await drop(world[system].pool, SLOTS[system]));
	await sleep(random.below(500));
	return await mendGaps(campaign, 1);
}

/** C7: the store's database is put back to a copy of some seconds ago. */
export async function restoreStore(campaign: Campaign): Promise<boolean> {
	await campaign.rest();
	campaign.users.habits = KEYS_STAY;
	await goBack(campaign, 'store', async () => {
		// What the store knew until now is heard before it is gone.
		campaign.problems.push(...(await campaign.inspector.inspectHistory()));
		campaign.inspector.storeWentBack();
	});
	return await mendGaps(campaign, 2);
}

/**
 * C8: a system's database is put back to a copy of some seconds ago; its slots go with it. No records
 * are new by then: those that the copy does not know are for people to sort out, one by one.
 */
export async function restoreTarget(campaign: Campaign): Promise<boolean> {
	const { random, world } = campaign;
	const system = random.oneOf(SYSTEMS);
	await campaign.rest();
	campaign.users.habits = ['edit'];
	await goBack(campaign, system, async () => {
		campaign.problems.push(...(await campaign.inspector.inspectHistory()));
		await campaign.inspector.witness.lookAway(system);
		await waitUntil('the slot to be free', async () => await drop(world[system].pool, SLOTS[system]));
	});
	await campaign.inspector.witness.watch(system);
	campaign.inspector.targetWentBack(system);
	return await mendGaps(campaign, 1);
}

/** Copies a database, lets everybody work for a while, kills the worker and the server, and puts the copy in place. */
async function goBack(
	campaign: Campaign,
	name: ServerName,
	beforeItIsGone: () => Promise<void>,
): Promise<void> {
	const { random, world } = campaign;
	await campaign.kill();
	const place = name === 'store' ? world.store : databaseOf(world[name]);
	await place.keepCopy();
	const before = await Promise.all(SYSTEMS.map(async (system) => await endOfLog(campaign, system)));
	campaign.letUsersWork();
	await campaign.work(null);
	await waitUntil('the copy to be out of date', async () => {
		const after = await Promise.all(SYSTEMS.map(async (system) => await acknowledged(campaign, system)));
		return after.every((lsn, at) => lsn > (before[at] ?? 0n));
	}, PATIENCE);
	await sleep(random.below(2_000));
	await campaign.kill();
	await campaign.users.stop();
	await campaign.crashServer(name);
	await beforeItIsGone();
	await place.goBack();
}

function databaseOf({ server, settings: { database } }: Place): Pick<StorePlace, 'keepCopy' | 'goBack'> {
	const run = async (statement: string): Promise<void> => await alone({ server, database }, statement);
	return {
		keepCopy: async () => await run(`create database copy template ${database}`),
		async goBack() {
			await run(`drop database ${database} with (force)`);
			await run(`alter database copy rename to ${database}`);
		},
	};
}

async function endOfLog({ world }: Campaign, system: System): Promise<bigint> {
	return await lsnOf(world[system].pool, 'select pg_current_wal_lsn()::text as lsn');
}

/** What the system may have forgotten by now. */
async function acknowledged({ world }: Campaign, system: System): Promise<bigint> {
	return await lsnOf(
		world[system].pool,
		`select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = '${SLOTS[system]}'`,
	);
}

async function lsnOf(pool: pg.Pool, text: string): Promise<bigint> {
	const { rows } = await pool.query<{ lsn: string }>(text);
	return parseLsn(rows[0]?.lsn ?? '0/0');
}

async function drop(pool: pg.Pool, slot: string): Promise<boolean> {
	await pool.query(
		'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active_pid is not null',
		[slot],
	);
	return await pool.query('select pg_drop_replication_slot($1)', [slot]).then(() => true, () => false);
}

/** The triggers halt and say so; somebody agrees that everything is read anew, which may be cut short as well. */
async function mendGaps(campaign: Campaign, gaps: number): Promise<boolean> {
	const before = campaign.gaps;
	campaign.expectsGap = true;
	const dies = campaign.random.oneIn(2);
	const reading = await campaign.work(dies ? { point: 'reading', nth: 1 + campaign.random.below(2), how: 'die' } : null);
	await waitUntil('the gap to be declared and agreed to', async () => {
		campaign.assertFine();
		if (campaign.gaps - before >= gaps) return true;
		if (!campaign.worker) await campaign.work(null); // It died over the first gap, and there is another one.
		return false;
	}, PATIENCE);
	campaign.inspector.sums.forget();
	if (dies) {
		if (await campaign.untilReached(reading)) campaign.kills.workers += 1;
		await reading.ended;
	}
	await campaign.rest();
	campaign.users.habits = ALL_HABITS;
	await campaign.kill();
	return true;
}
