import { setTimeout as sleep } from 'node:timers/promises';

import type { Campaign } from './campaign';
import { disturb } from './disturb';
import type { Arm, WorkerPoint } from './messages';
import { answeredTwice } from './round-answers';
import { dropSlot, restoreStore, restoreTarget } from './round-gaps';
import { largeTransaction } from './round-large';
import { SYSTEMS } from './systems';

/** Where things go wrong: CRASH_POINTS, and what happens beside a worker. */
export const POINTS = {
	C1: 'changes received, not observed',
	C2: 'observed, not acknowledged',
	C3: 'decided, nobody writes',
	C4: 'written, not committed',
	C5: 'committed, nobody knows',
	C6: 'a stalled writer comes back',
	C7: 'the store goes back to a copy',
	C8: 'a target goes back to a copy',
	C9: 'a slot is dropped',
	C10: 'the first of two writes was made',
	C11: 'a conflict is answered twice',
	C12: 'in the midst of a large transaction',
	any: 'any moment',
} as const;
export type Point = keyof typeof POINTS;

/** @returns whether the point was reached */
type Round = (campaign: Campaign) => Promise<boolean>;

const MAX_PASSAGES = 3;

const at = (point: WorkerPoint): Round => async (campaign) => {
	const { random } = campaign;
	const arm: Arm = { point, nth: 1 + random.below(point === 'C10' ? 1 : MAX_PASSAGES), how: 'die' };
	await campaign.kill();
	campaign.letUsersWork();
	const worker = await campaign.work(arm);
	const disturbance = random.oneIn(4) ? disturb(campaign) : Promise.resolve();
	const reached = await campaign.untilReached(worker);
	if (reached) campaign.kills.workers += 1;
	await worker.ended;
	await disturbance;
	return reached;
};

const anyMoment: Round = async (campaign) => {
	const { random } = campaign;
	campaign.letUsersWork();
	if (!campaign.worker) await campaign.work(null);
	const disturbance = random.oneIn(2) ? disturb(campaign) : Promise.resolve();
	await sleep(random.below(3_000)); // The moment is what is random here.
	await campaign.kill();
	await disturbance;
	return true;
};

/** One worker stops in the middle of a write, another one takes over, and then the first one goes on. */
const stalledWriter: Round = async (campaign) => {
	const { random, world } = campaign;
	await campaign.kill();
	campaign.letUsersWork();
	// Before it begins, or with its locks held.
	const stalled = await campaign.work({ point: random.oneOf(['C6', 'C4']), nth: 1 + random.below(3), how: 'stall' });
	if (!(await campaign.untilReached(stalled))) return false;
	// As the server does after wal_sender_timeout.
	for (const system of SYSTEMS) {
		await world[system].pool.query(
			`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name like 'bisync%' and active_pid is not null`,
		);
	}
	const second = await campaign.work(null);
	await sleep(500 + random.below(3_000));
	stalled.signal('SIGCONT');
	await sleep(300 + random.below(1_500));
	await campaign.kill(random.oneIn(2) ? stalled : second);
	await sleep(random.below(500));
	await campaign.kill(stalled);
	await campaign.kill(second);
	return true;
};

export const ROUNDS: Readonly<Record<Point, Round>> = {
	C1: at('C1'),
	C2: at('C2'),
	C3: at('C3'),
	C4: at('C4'),
	C5: at('C5'),
	C6: stalledWriter,
	C7: restoreStore,
	C8: restoreTarget,
	C9: dropSlot,
	C10: at('C10'),
	C11: answeredTwice,
	C12: largeTransaction,
	any: anyMoment,
};
