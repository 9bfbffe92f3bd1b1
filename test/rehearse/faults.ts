import type { CrashPoint } from '../support/crash-points';
import type { Rehearsal } from './rehearsal';
import type { Given } from './steps';
import type { SyncProcess } from './sync-process';

/** A death that a scenario has ordered. */
export interface ArmedFault {
	readonly at: CrashPoint;
	left: number;
}

/** The next time, and as often as it is said, that the point is reached, the process dies. */
export function arm(rehearsal: Rehearsal, { at, times }: Given<'kill'>): void {
	rehearsal.faults.push({ at, left: times });
}

/** For every process that is started: what was ordered holds for whichever is there. */
export function watchFaults(rehearsal: Rehearsal, process: SyncProcess): void {
	for (const point of ['C1', 'C2', 'C3', 'C4', 'C5', 'C10'] as const) {
		process.points.on(point, async () => {
			if (take(rehearsal, point)) await rehearsal.kill();
		});
	}
	process.points.on('C6', async () => {
		if (take(rehearsal, 'C6')) await stall(rehearsal, process);
	});
}

function take({ faults }: Rehearsal, at: CrashPoint): boolean {
	const fault = faults.find((one) => one.at === at && one.left > 0);
	if (!fault) return false;
	fault.left -= 1;
	return true;
}

/**
 * The executor falls asleep and is taken for dead; another one does its work. It wakes up when all
 * is done, and goes on as if nothing had been.
 */
async function stall(rehearsal: Rehearsal, process: SyncProcess): Promise<void> {
	const execution = process.currentExecution;
	if (!execution) return;
	process.executions.delete(execution);
	await new Promise<void>((release) => {
		rehearsal.held.push({ execution, trigger: null, release });
		execution.giveUp();
	});
	process.executions.add(execution); // Awake again: who waits until nothing runs waits for it, too.
}
