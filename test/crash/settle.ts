import { parseLsn } from '../../src/core/lsn';
import { lsnOfPosition } from '../../src/core/position';
import type { StoredReview } from '../../src/core/review';
import type { StreamRecord } from '../../src/store/stream-record';
import { waitUntil } from '../support/wait-until';
import { agreeTo, answerReview } from './answer-review';
import { openReviews, operatorCredential } from './operator';
import { POLICY, type System, SYSTEMS } from './systems';
import type { World } from './world';

/** Nothing has moved for so long: it never will. */
const STANDSTILL_MS = 60_000;
/** What still moves after so long moves in a circle. */
const TIMEOUT_MS = 600_000;

/** The last change of each system: once one was observed that is not older, all others were. */
const FENCES: Readonly<Record<System, string>> = {
	crm: `update items set price = price + 1 where code = 'code 2'`,
	billing: `update parts set price = price + 1 where code = 'code 3'`,
};

/** Where each system's log ended when the users had stopped. */
type Ends = Readonly<Record<System, bigint>>;

/**
 * Waits until everything that was committed has been observed, decided and written, while a worker
 * runs and nobody works. Answers whatever a person is asked.
 *
 * @param assertFine - throws when waiting has no point any more
 * @throws Error that says what is still open
 */
export async function settle(world: World, assertFine: () => void): Promise<void> {
	const ends = Object.fromEntries(
		await Promise.all(SYSTEMS.map(async (system) => [system, await putFence(world, system)] as const)),
	) as Ends;
	let last = '';
	let movedMs = performance.now();
	const isAtRest = async (): Promise<boolean> => {
		assertFine();
		const open = await unfinished(world, ends);
		if (open.length === 0) return true;
		await hurry(world);
		const now = await lastMove(world);
		if (now !== last) movedMs = performance.now();
		last = now;
		if (performance.now() - movedMs < STANDSTILL_MS) return false;
		throw new Error(`nothing moves any more, and there is something to do: ${open.slice(0, 6).join('; ')}`);
	};
	await waitUntil('rest', isAtRest, { timeoutMs: TIMEOUT_MS, everyMs: 100 });
}

/** Another text after everything that is observed, decided or answered. */
async function lastMove({ store }: World): Promise<string> {
	const { streams } = await store.store.load({ policy: POLICY });
	const places = SYSTEMS.map((system) => `${streams[system]?.position} ${streams[system]?.snapshot}`);
	return [await store.lastEntry(), ...places].join(' ');
}

/** @returns where the log ended before the fence, and after everything that was committed before */
async function putFence(world: World, system: System): Promise<bigint> {
	const { pool } = world[system];
	const { rows } = await pool.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
	await pool.query(FENCES[system]);
	return parseLsn(rows[0]?.lsn ?? '');
}

async function unfinished(world: World, ends: Ends): Promise<string[]> {
	const reviews = await openReviews(world);
	for (const review of reviews) await answer(world, review);
	const { streams } = await world.store.store.load({ policy: POLICY });
	const due = await world.store.dueLinks();
	return [
		...SYSTEMS.filter((system) => !hasObserved(streams[system], ends[system])).map((system) => `changes of ${system} have not been observed`),
		...due.map((id) => `link ${id} is due`),
		...reviews.map(({ id, reason }) => `open: ${id} ${reason}`),
	];
}

/** While rows are being read anew, the position says nothing of them. */
function hasObserved(stream: StreamRecord | undefined, end: bigint): boolean {
	return stream !== undefined && stream.snapshot !== 'running' && lsnOfPosition(stream.position) >= end;
}

async function answer(world: World, { id, kind, token, link }: StoredReview): Promise<void> {
	const credential = operatorCredential(world);
	// A refused answer is one that comes too late; what stays open is told in the end.
	if (link !== null && kind === 'conflict') {
		await answerReview({ id, token, system: 'crm', by: 'operator' }, credential);
	} else {
		await agreeTo({ id, token }, credential);
	}
}

/** The sweep lets links wait that were woken often, and the workers that they were woken for were killed. */
async function hurry(world: World): Promise<void> {
	await world.store.hurry();
}
